"""The protocol of a card, on a processor: its commands at full size, and one job at a small one."""

import itertools
import json
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from speckle_core.experiment.experiment import Experiment

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "full_scale" / "full_scale.py"
#: Runs the script with the commands that lie beside the first argument.
START = """
import runpy, sys
from pathlib import Path
sys.executable, *sys.argv = sys.argv[1:]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SMALL = (
    "structure.counts=[2, 3]",
    "structure.patterns_per_count=10",
    "split={train = 0.5, valid = 0.2, test = 0.3}",
    "grid.size=33",
    'prepare=[{name = "block-center", size = 3}, {name = "standardize"}]',
    "classifier.epochs=1",
    "classifier.channels=1",
    "baselines=[]",
)


@pytest.fixture(scope="module")
def typed(programs):
    def run(*arguments, folder):
        return subprocess.run(
            [programs / "python", "-c", START, programs / "python", SCRIPT, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PRELOAD": "torch"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="module")
def listed(tmp_path_factory, typed):
    process = typed("--list", folder=tmp_path_factory.mktemp("list"))
    assert process.returncode == 0, process.stderr
    return [shlex.split(line) for line in process.stdout.splitlines() if line[0] != "#"]


def settings(command):
    return [value for key, value in itertools.pairwise(command) if key == "--set"]


def test_every_experiment_is_one_and_as_large_as_the_papers(listed):
    trained = [c for c in listed if c[:2] == ["speckle", "train"]]
    assert len(trained) == 11
    for command in trained:
        experiment = Experiment.load(command[2], settings(command))
        assert experiment.structure.patterns_per_count == 1000
        options = experiment.classifier.options
        epochs, batch = options.get("epochs", 200), options.get("batch_size", 40)
        coded = experiment.name.startswith("authors")
        assert (epochs, batch) in ({(200, 8)} if coded else {(200, 40), (20, 40)})
    made = {c[4]: Experiment.load(c[2], settings(c)) for c in listed if c[1] == "generate"}
    assert len({e.seed for e in made.values()}) == 3
    # What a network is tested on beyond its own set is of another seed: no system is seen twice.
    for larger, own in (("paper-mono-513", "mono"), ("authors-mono-513", "coded-mono")):
        assert made[f"data/{larger}"].seed != made[f"data/{own}"].seed


def test_figure_4_is_there_in_both_readings(listed):
    experiments = {
        c[c.index("-o") + 1]: Experiment.load(c[2], settings(c)) for c in listed if c[1] == "train"
    }
    windowed = experiments["models/windowed"]
    # The window holds the 257 pixels, and no more.
    (_, high), grid = windowed.prepare[1].options["window"], windowed.kgrid()
    reached = np.abs(grid.axis).max()
    assert reached <= high < reached + grid.step / 2
    assert windowed.classifier.options["crop"] == grid.size == 257
    assert experiments["models/mono-513"].kgrid().size == 513


def test_every_command_reads_what_an_earlier_one_wrote(listed):
    there = set()
    for command in listed:
        if command[0] == "speckle":
            needed = [command[i + 1] for i, word in enumerate(command) if word == "--data"]
            needed += command[2:3] if command[1] == "evaluate" else []
            assert set(needed) <= there, command
        elif "figures.py" in command[1]:
            assert str(Path(command[3]).parent) in there, command
        if "-o" in command:
            there.add(command[command.index("-o") + 1])


@pytest.mark.framework
def test_a_job_runs_from_data_to_figures_and_once_only(tmp_path, typed):
    sets = [word for setting in SMALL for word in ("--set", setting)]
    first = typed("fixed", "-o", "runs", *sets, folder=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    runs = tmp_path / "runs"
    entries = [json.loads(line) for line in (runs / "log.jsonl").read_text().splitlines()]
    assert [entry["status"] for entry in entries] == [0] * 4
    numbers = json.loads((runs / "results/fixed-figure3/figure3.json").read_text())
    assert "/" not in numbers["command"].split()[1].removeprefix("examples/paper/figures.py")
    assert (runs / "results/fixed-figure3/figure3.png").stat().st_size > 1000
    again = typed("fixed", "-o", "runs", *sets, folder=tmp_path)
    assert (again.returncode, again.stdout.splitlines()[1:]) == (0, [])


def test_a_job_that_runs_out_of_time_says_so_and_goes_on_the_next_time(tmp_path, typed):
    sets = [word for setting in SMALL for word in ("--set", setting)]
    process = typed("mono", "-o", "runs", "--minutes", "0.001", *sets, folder=tmp_path)
    assert process.returncode == 75
    assert "goes on from here" in process.stderr
    assert not (tmp_path / "runs" / "log.jsonl").exists()


def test_an_unknown_job_is_named(typed):
    process = typed("mon", folder=ROOT)
    assert process.returncode == 2
    assert "no job mon" in " ".join(process.stderr.split())
