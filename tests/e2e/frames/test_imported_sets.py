"""An imported set keeps the masks of its frames, and every command works on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from speckle_core import (
    Dataset,
    FrameOptions,
    KGrid,
    create,
    import_frames,
    open_frames,
    plugin_manager,
)
from speckle_core.analysis.regrid import to_grid
from tests.cli.conftest import RidgePlugin
from tests.e2e.frames.patterns import SIZE, STEP, counts, gap, say

pytestmark = pytest.mark.xdist_group("frames")
#: Frames of each class.
EACH = 5

MINE = """
name = "mine"
baselines = ["radial-lda"]
[[prepare]]
name = "standardize"
[classifier]
name = "ridge"
[split]
train = 0.6
valid = 0.2
test = 0.2
"""


@pytest.fixture(scope="module")
def stack() -> NDArray[np.int32]:
    """Frames of which one corner is a gap that nothing at -k fills, and a band that it does."""
    bad = gap()
    bad[:6, :6] = bad[-6:, -6:] = True
    frames = np.array([counts(n, 1e7, seed) for n in (2, 3) for seed in range(EACH)])
    return np.where(bad, -1, frames).astype(np.int32)


@pytest.fixture(scope="module")
def mine(stack: NDArray[np.int32], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("imported")
    np.save(home / "a.npy", stack)
    np.savetxt(home / "n.csv", [2] * EACH + [3] * EACH, fmt="%d")
    rows = [f"a.npy,{n},{i}" for i, n in enumerate([2] * EACH + [3] * EACH)]
    (home / "labels.csv").write_text("\n".join(["file,n,pattern", *rows]))
    words = ("import", home / "a.npy", "--labels", home / "labels.csv", "--step", STEP)
    said = say(*words, "-o", home / "data")
    assert said.exit_code == 0, said.output
    (home / "mine.toml").write_text(MINE)
    return home


def test_its_file_holds_counts_and_masks_and_reading_completes_them(
    mine: Path, stack: NDArray[np.int32]
) -> None:
    with h5py.File(mine / "data/patterns.h5") as file:
        np.testing.assert_array_equal(file["entry_1/data_1/mask"][:] != 0, stack < 0)
        np.testing.assert_array_equal(file["entry_1/data_1/data"][:], np.maximum(stack, 0))
    patterns = Dataset.open(mine / "data").patterns()
    place, grid = SIZE // 2, KGrid.centered(SIZE, STEP)
    whole = to_grid(stack[3], stack[3] >= 0, (place, place), STEP, grid)
    np.testing.assert_allclose(patterns.raw([3])[0], whole.pattern, rtol=1e-6)
    measured, valid = patterns.measured([0, 3]), patterns.valid([0, 3])
    assert measured is not None
    assert valid is not None
    np.testing.assert_array_equal(measured[1], stack[3] >= 0)
    np.testing.assert_array_equal(valid[1], whole.valid)
    assert 0 < np.count_nonzero(~valid[1]) < np.count_nonzero(~measured[1])


def test_its_statistics_are_over_valid_pixels(mine: Path, stack: NDArray[np.int32]) -> None:
    found = json.loads(say("moments", mine / "data/patterns.h5", "--json").stdout)["moments"]
    distance = KGrid.centered(SIZE, 1.0).distance()
    seen = stack[3] >= 0
    expected = (stack[3] * distance)[seen].sum() / stack[3][seen].sum()
    assert found[3]["raw"] == pytest.approx(expected)
    frames = open_frames(mine / "data/patterns.h5")
    np.testing.assert_array_equal(frames[3].valid, seen)
    patterns = Dataset.open(mine / "data").patterns()

    ready = patterns.prepared_with([create("preprocessor", "standardize")])
    values, valid = ready.batch([3])[0][0], ready.valid([3])
    assert valid is not None
    assert values[valid[0]].mean() == pytest.approx(0, abs=1e-5)
    assert values[valid[0]].std() == pytest.approx(1, abs=1e-5)


def test_frames_without_a_gap_make_a_set_without_masks(tmp_path: Path) -> None:

    np.save(tmp_path / "a.npy", np.array([counts(n) for n in (2, 4)]))
    made = import_frames([tmp_path / "a.npy"], [2, 4], tmp_path / "d", FrameOptions(step=STEP))
    assert made.patterns().measured([0, 1]) is None
    with h5py.File(tmp_path / "d/patterns.h5") as file:
        assert "mask" not in file["entry_1/data_1"]


@pytest.fixture
def ridge() -> Iterator[None]:
    """A classifier with gradients that is trained in no time."""
    plugin_manager().register(RidgePlugin(), "ridge")
    yield
    plugin_manager.cache_clear()


@pytest.mark.usefixtures("ridge")
def test_train_evaluate_explain_audit_solve_and_show_work_on_it(mine: Path, tmp_path: Path) -> None:
    data, model, maps = mine / "data", tmp_path / "model", tmp_path / "maps"
    for words in (
        ("verify", data),
        ("train", mine / "mine.toml", "--data", data, "-o", model),
        ("evaluate", model, "--data", data, "--json"),
        ("explain", model, "--data", data, "--explainer", "saliency", "--index", 0, "-o", maps),
        ("explain", model, mine / "a.npy", "--explainer", "saliency", "-o", tmp_path / "own"),
        ("audit", data),
        ("show", data, "-o", tmp_path / "a.png"),
        ("solve", data, "--index", 0, "--workers", 1, "--json"),
    ):
        said = say(*words)
        assert said.exit_code == 0, (words, said.output)
    found = json.loads(said.stdout)["patterns"]
    assert [(one["n"], one["solved"]) for one in found] == [(2, True)]
