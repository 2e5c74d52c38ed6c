"""The script of the page on clusters, with processes of this machine for Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.experiment.experiment import Experiment
from tests.docs.pages import blocks

pytest.importorskip("submitit")


def test_jobs_that_submitit_submits_make_the_set_of_one_process(tmp_path: Path) -> None:
    (script,) = [b.text for b in blocks("howto/cluster.md") if b.file == "submit.py"]
    assert "parts = 16\n" in script
    (tmp_path / "submit.py").write_text(script.replace("parts = 16\n", "parts = 2\n"))
    experiment = Experiment.load(
        "quickstart",
        [
            "structure.counts=[2, 3]",
            "structure.patterns_per_count=150",
            "grid.size=9",
            "split={train = 0.5, valid = 0.2, test = 0.3}",
        ],
    )
    (tmp_path / "tiny.toml").write_text(experiment.to_toml())
    here = Path(sys.executable).parent
    done = subprocess.run(
        [sys.executable, "submit.py", "tiny.toml", "set", "local"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "set-jobs").glob("*_result.pkl"))) == 2
    generate(experiment, tmp_path / "alone", workers=1)
    with Dataset.open(tmp_path / "set") as made:
        assert len(made) == 300
    for name in ("00000.h5", "00001.h5"):
        ours, theirs = (tmp_path / folder / "shards" / name for folder in ("alone", "set"))
        assert ours.read_bytes() == theirs.read_bytes()
