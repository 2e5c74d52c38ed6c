"""The same bytes whatever makes them, and folders that are gone on with or left alone."""

from __future__ import annotations

import concurrent.futures as cf
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speckle_core import Dataset
from speckle_core.data.generate import generate
from speckle_core.data.verify import verify
from tests.data.fakes import experiment, hashes


class Shuffled(cf.Executor):
    """Runs what it was given in an order of its own, once nothing new comes."""

    def __init__(self) -> None:
        self._given: list[Any] = []
        self._thread: threading.Thread | None = None
        self.order: list[int] = []

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> cf.Future[Any]:
        future: cf.Future[Any] = cf.Future()
        self._given.append((future, work, args))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run)
            self._thread.start()
        return future

    def _run(self) -> None:
        time.sleep(0.3)
        random.Random(1).shuffle(self._given)
        for future, work, args in self._given:
            self.order.append(args[0].shard.number)
            future.set_running_or_notify_cancel()
            future.set_result(work(*args))


def test_a_shuffled_order_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    executor = Shuffled()
    generate(experiment(), tmp_path / "set", executor=executor)
    assert executor.order != sorted(executor.order)
    assert hashes(tmp_path / "set") == hashes(made)


def test_two_processes_give_the_same_bytes(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speckle_core.data.build_shards._WORTH_A_POOL", 0.0)
    monkeypatch.setattr("speckle_core.data.build_shards._make_here", None)
    told: list[int] = []
    generate(experiment(), tmp_path / "set", workers=2, on_progress=told.append)
    assert hashes(tmp_path / "set") == hashes(made)
    assert sum(told) == 600


def test_dask_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0"
    ) as client:
        generate(experiment(), tmp_path / "set", executor=client.get_executor())
    assert hashes(tmp_path / "set") == hashes(made)


def test_another_seed_gives_other_bytes(made: Path, tmp_path: Path) -> None:
    generate(experiment(seed=4), tmp_path / "set", workers=1)
    assert not set(hashes(tmp_path / "set").values()) & set(hashes(made).values())


def test_every_pattern_is_the_pipelines_own(made: Path) -> None:
    pipeline = experiment().build()
    stored = Dataset.open(made).patterns().raw([0, 255, 256, 599])
    drawn = [pipeline.draw(n, i, 3) for n, i in ((2, 0), (3, 55), (3, 56), (4, 199))]
    np.testing.assert_array_equal(stored, pipeline.simulate(drawn))


_SLOW = {"each": 400, "scatterer": {"sleep": 5e-4}}
_GENERATE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from tests.data.fakes import experiment
from speckle_core.data import build_shards as produce
from speckle_core.data.generate import generate
if {workers} > 1:
    produce._is_brief = lambda *a: False
if __name__ == "__main__":
    generate(experiment(each=400, scatterer=dict(sleep=5e-4)), {folder!r}, workers={workers})
"""


def _start(
    run_python: Callable[[str], list[str]], folder: Path, workers: int
) -> subprocess.Popen[str]:
    script = _GENERATE.format(folder=str(folder), workers=workers)
    return subprocess.Popen(run_python(script), stderr=subprocess.PIPE, text=True)


def _wait_for_a_shard(folder: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not (folder / "shards/00000.h5").exists() and not (folder / "shards/00001.h5").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("unbroken") / "set"
    generate(experiment(**_SLOW), folder, workers=1)
    return hashes(folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_run_again_it_gives_the_bytes_of_an_unbroken_run(
    workers: int,
    tmp_path: Path,
    unbroken: dict[str, str],
    run_python: Callable[[str], list[str]],
) -> None:
    folder = tmp_path / "killed"
    process = _start(run_python, folder, workers)
    _wait_for_a_shard(folder, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)  # which its workers hold up if they outlive it
    before = hashes(folder)
    assert before
    with pytest.raises(Exception, match=r"is incomplete: [0-4] of 5 shards"):
        Dataset.open(folder)

    generate(experiment(**_SLOW), folder, workers=1)
    assert hashes(folder) == unbroken
    assert before.items() <= hashes(folder).items()
    assert verify(folder).ok


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_whole_shards_recorded_and_no_worker_complains(
    workers: int, tmp_path: Path, run_python: Callable[[str], list[str]]
) -> None:
    folder = tmp_path / "set"
    # Slowly, or two workers are done before they are interrupted.
    script = _GENERATE.replace("5e-4", "4e-3").format(folder=str(folder), workers=workers)
    process = subprocess.Popen(
        run_python(script), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    _wait_for_a_shard(folder, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, workers included
    _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, 1) or "KeyboardInterrupt" in said
    assert said.count("Traceback") <= 1, said
    recorded = json.loads((folder / "manifest.json").read_text())["shards"]
    there = hashes(folder)
    assert {r["name"].split("/")[1]: r["sha256"] for r in recorded} == there
    assert 0 < len(there) < 5
    assert not list(folder.rglob(".unfinished-*"))


def test_a_script_without_a_guard_is_told_so(
    tmp_path: Path, plugin_folder: Path, run_python: Callable[[str], list[str]]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        run_python(_GENERATE.replace('if __name__ == "__main__":', "if True:"))[-1].format(
            folder=str(tmp_path / "set"), workers=2
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert "speckle_core.errors.OutputError: a worker process ended" in done.stderr
    assert "below 'if __name__ == \"__main__\":'" in done.stderr
