"""``speckle generate --scheduler`` on a dask cluster of real processes on 127.0.0.1."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from speckle_core import OutputError
from speckle_core.cli.app import app
from speckle_core.cli.cluster import _check_workers
from speckle_core.data.generate import generate
from tests.data.fakes import experiment, hashes

distributed = pytest.importorskip("distributed")
Start = Callable[..., subprocess.Popen[bytes]]
SLOW = {"each": 300, "scatterer": {"sleep": 1e-3}}
OTHER = "import speckle_core._version as v; v.__version__ = '9.9'"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, plugin_folder: Path) -> Iterator[Start]:
    """Start a process of dask, each in a folder of its own, after a line of Python."""
    processes: list[subprocess.Popen[bytes]] = []
    paths = [str(plugin_folder), str(Path(__file__).parents[2])]

    def run(kind: str, *options: str, before: str = "") -> subprocess.Popen[bytes]:
        script = f"{before}\nfrom distributed.cli.dask_{kind} import main; main()"
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", script, *options, "--no-dashboard"],
                cwd=tmp_path_factory.mktemp(kind),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def scheduler(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Start, str, Start]:
    """Return the scheduler's process, its address, and what starts a worker."""
    file = tmp_path_factory.mktemp("address") / "scheduler.json"
    place = ("--scheduler-file", str(file))
    process = start("scheduler", *place, "--host", "127.0.0.1", "--port", "0")
    address = ""

    def told() -> bool:
        nonlocal address
        with contextlib.suppress(OSError, ValueError):  # not there, or not written to its end
            address = json.loads(file.read_text())["address"]
        return bool(address)

    wait_for(told)

    def worker(before: str = "") -> subprocess.Popen[bytes]:
        with distributed.Client(address, set_as_default=False) as client:
            here = client.scheduler_info()["workers"].keys()
            found = start("worker", *place, "--nthreads", "1", "--no-nanny", before=before)
            wait_for(lambda: client.scheduler_info()["workers"].keys() - here)
        return found

    return process, address, worker


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def on_cluster(folder: Path, address: str) -> Result:
    file = folder.with_suffix(".toml")
    file.write_text(experiment(**SLOW).resolved().to_toml())
    return CliRunner().invoke(
        app, ["generate", str(file), "-o", str(folder), "--scheduler", address]
    )


@pytest.fixture
def in_a_while() -> Iterator[Callable[..., None]]:
    """Kill a process as soon as something is true, while the test goes on."""
    threads: list[threading.Thread] = []

    def kill(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
        def watch() -> None:
            wait_for(condition)
            process.kill()

        threads.append(threading.Thread(target=watch))
        threads[-1].start()

    yield kill
    for thread in threads:
        thread.join()


def said(result: Result) -> list[str]:
    """Return the lines of the one error that a command gave."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.splitlines()
    return lines[[line.startswith("error: ") for line in lines].index(True) :]


def test_a_worker_with_other_software_is_named(scheduler, tmp_path: Path) -> None:
    _, address, worker = scheduler
    other = worker(OTHER)
    error = said(on_cluster(tmp_path / "set", address))
    other.kill()
    assert "this worker has speckle-core 9.9 instead of " in error[0]
    assert "Install the same version" in error[1]
    assert len(error) == 2


def test_a_worker_without_the_package_is_named_before_it_is_given_work() -> None:
    class Client:
        def run(self, function: object, name: str, on_error: str) -> dict[str, object]:
            return {"tcp://1.2.3.4:5": importlib.metadata.PackageNotFoundError(name)}

    with pytest.raises(OutputError, match=r"tcp://1.2.3.4:5: this worker has no speckle-core; "):
        _check_workers(Client(), "tcp://1.2.3.4:1")


def test_a_killed_worker_and_a_killed_scheduler_lose_nothing(
    scheduler, tmp_path: Path, in_a_while, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, address, worker = scheduler
    first, second = worker(), worker()
    generate(experiment(**SLOW), tmp_path / "unbroken", workers=1)

    in_a_while(lambda: list((tmp_path / "one/shards").glob("*.h5")), first)
    result = on_cluster(tmp_path / "one", address)
    assert result.exit_code == 0, result.output
    assert first.poll() == -signal.SIGKILL
    assert hashes(tmp_path / "one") == hashes(tmp_path / "unbroken")

    monkeypatch.setattr("speckle_core.cli.cluster._LOOK", 0.1)
    monkeypatch.setattr("speckle_core.cli.cluster._ALONE", 0.2)
    in_a_while(lambda: list((tmp_path / "alone/shards").glob("*.h5")), second)
    error = said(on_cluster(tmp_path / "alone", address))
    assert error[0] == f"error: {address}: all workers have ended, and none has joined for 0.2 s"
    assert "run the same command again" in error[1]

    worker()
    in_a_while(lambda: list((tmp_path / "two/shards").glob("*.h5")), process)
    error = said(on_cluster(tmp_path / "two", address))
    assert error[0] == f"error: {address}: the dask scheduler stopped answering"
    assert "run the same command again" in error[1]
    assert len(error) == 2
    there = hashes(tmp_path / "two")
    assert 0 < len(there) < 4
    generate(experiment(**SLOW), tmp_path / "two", workers=1)
    assert hashes(tmp_path / "two") == hashes(tmp_path / "unbroken")

    monkeypatch.setattr("speckle_core.cli.cluster._TIMEOUT", "1s")
    error = said(on_cluster(tmp_path / "three", address))
    assert error[0].startswith(f"error: --scheduler: no dask scheduler answers at '{address}'")
    assert not (tmp_path / "three").exists()
