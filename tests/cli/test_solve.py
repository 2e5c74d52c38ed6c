from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from speckle_core import KGrid, create

Invoke = Callable[..., Result]
STEP = np.pi / 500
GRID = KGrid.centered(65, STEP)
FEW = ("--set", "starts=2")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three disks, in intensity of another unit."""
    sampler = create("sampler", "polydisperse", box=500.0, total_area=5600.0)
    system = sampler.sample(3, np.random.default_rng(3))
    path = tmp_path_factory.mktemp("solve") / "three.npy"
    np.save(path, 0.02 * create("scatterer", "analytic").intensity(system, GRID))
    return path


def test_a_file_is_solved_and_told_in_a_table(file: Path, invoke: Invoke) -> None:
    header, row = invoke("solve", file, "--step", STEP).stdout.splitlines()
    assert header.split()[:4] == ["pattern", "n", "solved", "residual"]
    assert row.split()[:3] == ["0", "3", "yes"]


def test_json_holds_bodies_and_seconds(file: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("solve", file, "--step", STEP, "--json", "-o", tmp_path / "out")
    (found,) = json.loads(result.stdout)["patterns"]
    assert found["solved"]
    assert len(found["bodies"]) == 3
    assert found["scale"] == pytest.approx(0.02)
    assert found["seconds"] > 0
    written = json.loads((tmp_path / "out" / "solution.json").read_text())["patterns"]
    assert written == [{k: v for k, v in found.items() if k != "seconds"}]


def test_a_solution_s_file_is_shown_with_its_bodies(
    file: Path, invoke: Invoke, tmp_path: Path
) -> None:
    invoke("solve", file, "--step", STEP, "-o", tmp_path / "out")
    result = invoke("show", tmp_path / "out" / "pattern-00000.h5", "-o", tmp_path / "shown.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "shown.png").stat().st_size > 10_000


def test_pixels_under_the_mask_do_not_count(file: Path, invoke: Invoke, tmp_path: Path) -> None:
    pattern, bad = np.load(file), np.zeros(GRID.shape, dtype=np.uint8)
    bad[10:13] = 1
    np.save(tmp_path / "holed.npy", np.where(bad, np.nan, pattern))
    np.save(tmp_path / "wrong.npy", np.where(bad, pattern.max(), pattern))
    np.save(tmp_path / "mask.npy", bad)
    masked = ("wrong.npy", "--mask", tmp_path / "mask.npy")
    for name, *options in (("holed.npy",), masked):
        row = invoke("solve", tmp_path / name, "--step", STEP, *options).stdout.splitlines()[1]
        assert row.split()[:3] == ["0", "3", "yes"]


def test_what_cannot_be_solved_is_one_error(
    file: Path, data: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    at = ("--step", STEP)
    assert "--like EXPERIMENT" in refused("solve", file)
    assert "65 × 65 pixels" in refused("solve", file, "--like", "quickstart")
    assert "there is no pattern 1" in refused("solve", file, *at, "--index", 1)
    assert "unknown solver 'pattersn'" in refused("solve", file, *at, "--solver", "pattersn")
    assert "'shape'" in refused("solve", file, *at, "--set", "shap=disks", code=2)
    assert "step: must be positive" in refused("solve", file, "--step", -1, code=2)
    np.save(tmp_path / "nan.npy", np.full(GRID.shape, np.nan))
    assert "nan.npy: no pixel is valid" in refused("solve", tmp_path / "nan.npy", *at)
    np.save(tmp_path / "flat.npy", np.ones(GRID.shape))
    assert "flat.npy: " in refused("solve", tmp_path / "flat.npy", *at)
    np.save(tmp_path / "all.npy", np.ones(GRID.shape, dtype=bool))
    assert "no pixel" in refused("solve", file, *at, "--mask", tmp_path / "all.npy")
    np.save(tmp_path / "small.npy", np.zeros((5, 5)))
    assert "mask" in refused("solve", file, *at, "--mask", tmp_path / "small.npy")


def test_one_bad_pattern_of_a_file_leaves_the_others_their_answers(
    file: Path, invoke: Invoke, tmp_path: Path
) -> None:
    good = np.load(file)
    spoilt = np.full(good.shape, np.nan)
    np.save(tmp_path / "two.npy", np.stack([spoilt, good]))
    result = invoke("solve", tmp_path / "two.npy", "--step", STEP)
    assert result.exit_code == 1
    assert "two.npy: no pixel is valid" in result.stderr
    assert [line.split()[:3] for line in result.stdout.splitlines()[1:]] == [
        ["0", "-", "error"],
        ["1", "3", "yes"],
    ]


def test_patterns_of_a_data_set_are_held_against_their_bodies(data: Path, invoke: Invoke) -> None:
    """The tiny set has too few pixels to be solved: what is not found is not claimed."""
    result = invoke("solve", data, "--index", 0, *FEW)
    header, row = result.stdout.splitlines()
    assert "exact bodies" in header
    solved, exact = row.split()[2], row.split()[-3:]
    assert (solved == "yes") == (exact == ["2", "of", "2"])
    assert invoke("solve", data, "--step", 0.1).exit_code == 2
