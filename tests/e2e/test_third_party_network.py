"""A network that the project does not know: installed, trained, killed, resumed, explained, gone.

About 15 s on an idle core, most of it figures. The run that is killed is a real process.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.e2e.fresh_environment import Fresh

# Asked without importing it: only processes that are started here need it.
if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)
pytestmark = pytest.mark.framework

PACKAGE = Path(__file__).parents[2] / "examples" / "speckle-vit"
#: Small: 2 classes of 20 patterns of 33 × 33 pixels, 3 epochs of a transformer of one layer.
SMALL = [
    "structure.counts=[2, 10]",
    "structure.count_step=8",
    "structure.patterns_per_count=20",
    "grid.size=33",
    "split={train = 24, valid = 6, test = 10}",
    'explainers=["saliency", "guided-saliency", "grad-cam"]',
    'classifier={name = "vit", width = 8, depth = 1, heads = 2, epochs = 3, batch_size = 6}',
]


@pytest.fixture(scope="module")
def vit(fresh: Fresh) -> Iterator[Fresh]:
    fresh.install(PACKAGE)
    with mock.patch.dict(os.environ, PRELOAD="torch"):
        yield fresh


@pytest.fixture(scope="module")
def done(vit: Fresh, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A run that was killed after its first epoch and went on, and the epochs it then trained."""
    home = tmp_path_factory.mktemp("runs")
    chosen = [word for setting in SMALL for word in ("--set", setting)]
    command = ["run", PACKAGE / "vit.toml", "-o", "run", *chosen]
    first = subprocess.Popen(
        [vit.folder / "bin" / "speckle", *map(str, command)],
        cwd=home,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    history = home / "run" / "model" / "history.csv"
    until = time.monotonic() + 300
    while first.poll() is None and not history.exists() and time.monotonic() < until:
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert history.exists()
    before = _rows(history)
    vit.speckle(*command, cwd=home)
    after = _rows(history)
    # What was there is there still, with the seconds that it took then.
    assert after[: len(before)] == before
    return home / "run", [len(before), len(after)]


def _rows(history: Path) -> list[dict[str, str]]:
    with history.open() as file:
        return list(csv.DictReader(file))


def test_a_killed_run_goes_on_from_its_last_epoch_to_a_report(
    done: tuple[Path, list[int]],
) -> None:
    folder, (before, after) = done
    assert 1 <= before <= after == 3
    report = (folder / "report.html").read_text("utf-8")
    assert "speckle-vit 0.1.0" in report
    evaluations = {path.name for path in (folder / "evaluation").iterdir()}
    assert {"vit", "radial-lda"} <= evaluations
    assert not list((folder / "model").glob("**/*.pt*"))


def test_its_options_and_those_of_the_training_are_shown(vit: Fresh) -> None:
    shown = json.loads(vit.speckle("plugins", "show", "vit", "--json"))
    names = json.dumps(shown)
    assert all(f'"{name}"' in names for name in ("patch", "depth", "epochs", "augment", "half"))


def test_maps_are_drawn_of_a_layer_that_is_named(
    vit: Fresh, done: tuple[Path, list[int]], tmp_path: Path
) -> None:
    for stage, ok in (("patches", True), ("attention", False)):
        said = vit.run(
            "speckle", "explain", done[0] / "model", "--data", done[0] / "data",
            "--explainer", "grad-cam", "--set", f"grad-cam.stage={stage}",
            "-o", tmp_path / stage,
        )  # fmt: skip
        assert (said.returncode == 0) is ok, said.stderr
    assert "'attention' is not one of 'patches', 'maps'" in said.stderr
    assert "Traceback" not in said.stderr


def test_uninstalled_it_is_gone_and_its_model_says_what_is_missing(
    vit: Fresh, done: tuple[Path, list[int]]
) -> None:
    vit.pip("uninstall", "--yes", "speckle-vit")
    said = vit.run("speckle", "evaluate", done[0] / "model", "--data", done[0] / "data")
    assert said.returncode == 1
    assert "unknown classifier 'vit'" in said.stderr
    assert "Traceback" not in said.stderr
