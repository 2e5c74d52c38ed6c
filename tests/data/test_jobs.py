"""``speckle generate --submit``: jobs of submitit's local executor, which are real processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from speckle_core import OutputError
from speckle_core.cli.app import app
from speckle_core.data import jobs
from speckle_core.data.generate import generate
from speckle_core.data.jobs import Jobs, submit_parts
from tests.data.fakes import experiment, hashes

pytest.importorskip("submitit")


@pytest.fixture(autouse=True)
def _jobs_find_the_plugin(plugin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(plugin_folder), str(Path(__file__).parents[2])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def submitted(folder: Path, *options: str, **changes: Any) -> Result:
    file = folder.with_suffix(".toml")
    file.write_text(experiment(**changes).resolved().to_toml())
    return CliRunner().invoke(app, ["generate", str(file), "-o", str(folder), "--submit", *options])


def errors(result: Result, status: int) -> list[str]:
    assert result.exit_code == status, result.output
    lines = result.stderr.splitlines()
    return lines[[line.startswith("error: ") for line in lines].index(True) :]


def test_jobs_make_the_set_of_one_process(made: Path, tmp_path: Path) -> None:
    result = submitted(tmp_path / "set", "local", "--jobs", "2")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "set-jobs").glob("*_result.pkl"))) == 2
    assert hashes(tmp_path / "set") == hashes(made)
    assert {p.name for p in (tmp_path / "set").iterdir()} == {p.name for p in made.iterdir()}
    # Nothing is missing any more, so nothing is submitted.
    assert "submitted" not in submitted(tmp_path / "set", "local").stderr


def test_a_job_that_fails_is_named_with_its_log_and_the_others_finish(tmp_path: Path) -> None:
    notes: list[str] = []
    # A shard for each number of bodies, of which one cannot be simulated.
    bad = experiment(each=256, scatterer={"fail_at": 3})
    with pytest.raises(OutputError) as caught:
        submit_parts(bad, tmp_path / "set", Jobs("local", 2), on_note=notes.append)
    (log,) = [p for p in (tmp_path / "set-jobs").glob("*.err") if p.stat().st_size]
    failed = f"job {log.name.partition('_')[0]}, part 2 of 2: no pattern of this one"
    again = "Finished shards are kept; run the same command again to resume."
    assert str(caught.value) == f"{failed}\n  Its log: {log}. {again}"
    assert notes[1:] == [f"failed: {failed}"]
    assert "PackingError: no pattern of this one" in log.read_text()
    assert list(hashes(tmp_path / "set")) == ["00000.h5", "00002.h5"]


def test_an_interruption_cancels_the_jobs(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []

    def note(*args: Any) -> list[Any]:
        started.extend(submit(*args))
        return started

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    submit = jobs._submitted
    monkeypatch.setattr(jobs, "_submitted", note)
    monkeypatch.setattr(jobs, "_finished", interrupt)
    with pytest.raises(KeyboardInterrupt):
        submit_parts(experiment(scatterer={"sleep": 1.0}), tmp_path / "set", Jobs("local", 2))
    assert len(started) == 2
    assert all(job._process.poll() is not None for job in started)
    generate(experiment(), tmp_path / "other", workers=1)
    assert hashes(tmp_path / "other") == hashes(made)


def test_what_jobs_ask_of_slurm_and_what_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm is two scripts here: the one that submits keeps what it is given, and refuses it."""
    assert errors(submitted(tmp_path / "set", "slurm"), status=1) == [
        'error: --submit: Could not detect "srun", are you indeed on a slurm cluster?'
    ]
    for name, text in (("srun", ""), ("sbatch", f'cp "$1" {tmp_path}/kept; echo no >&2; exit 1')):
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    asked = ("--jobs", "2", "--workers", "3", "--job", "partition=cpu", "--job", "mem_gb=2")
    error = errors(submitted(tmp_path / "set", "slurm", *asked), status=1)
    assert error == ["error: --submit: the jobs could not be submitted: no"]
    lines = (tmp_path / "kept").read_text().splitlines()
    asked = ("array=0-1%2", "cpus-per-task=3", "mem=2GB", "partition=cpu", "time=120")
    assert not {f"#SBATCH --{one}" for one in asked} - set(lines)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("pbs",), "error: --submit: 'pbs' is neither slurm nor local"),
        (
            ("local", "--job", "wall=3"),
            "error: --job: Unknown argument 'wall' for executor 'local'",
        ),
        (("local", "--job", "wall"), "error: --job: 'wall' is not key=value"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    assert errors(submitted(tmp_path / "set", *options), status=2)[0].startswith(said)
    assert {p.name for p in tmp_path.iterdir()} == {"set.toml"}


def test_without_submitit_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert errors(submitted(tmp_path / "set", "local"), status=1) == [
        "error: --submit: submitit is not installed",
        "  Run: pip install 'speckle-core[submitit]'",
    ]


def test_a_folder_of_jobs_in_which_others_may_write_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "set-jobs"
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(OutputError, match="others may write in this folder"):
        submit_parts(experiment(), tmp_path / "set", Jobs("local"))
