from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speckle_core import Evaluation, Experiment, KGrid, PatternError, create
from speckle_core.analysis.beamstop import filled_rectangle, hidden_pixels
from speckle_core.data.dataset import Dataset
from speckle_core.models.evaluate import judge
from speckle_core.report.gallery import gallery

GRID = KGrid.centered(17, 1.0)


def round_beamstop(patterns: Any, grid: KGrid) -> Any:
    return np.where(grid.distance() <= 3, 0.0, patterns)


def refusing(patterns: Any, grid: KGrid) -> Any:
    raise PatternError("likes no pattern")


def test_a_blocked_centre_is_found_whatever_follows_it() -> None:
    steps = [create("preprocessor", "block-center", size=5), create("preprocessor", "standardize")]
    expected = np.zeros(GRID.shape, dtype=bool)
    expected[6:11, 6:11] = True
    np.testing.assert_array_equal(hidden_pixels(steps, GRID), expected)
    assert filled_rectangle(expected) == (slice(6, 11), slice(6, 11))


def test_on_a_quadrant_the_corner_is_hidden() -> None:
    found = hidden_pixels([create("preprocessor", "block-center", size=5)], KGrid.quadrant(16, 1.0))
    assert filled_rectangle(found) == (slice(0, 3), slice(0, 3))


@pytest.mark.parametrize("name", ["standardize", "min-max", "log"])
def test_what_rescales_hides_nothing(name: str) -> None:
    assert not hidden_pixels([create("preprocessor", name)], GRID).any()


def test_a_strangers_round_beamstop_is_found_and_is_no_rectangle() -> None:
    found = hidden_pixels([refusing, round_beamstop], GRID)
    np.testing.assert_array_equal(found, GRID.distance() <= 3)
    assert filled_rectangle(found) is None


def test_nothing_hidden_is_no_rectangle() -> None:
    assert filled_rectangle(hidden_pixels([], GRID)) is None


def test_a_gallery_spreads_six_systems_over_the_classes(tiny: Path) -> None:
    many = Experiment.load(tiny, ["structure.counts=[2, 20]", "structure.count_step=1", "split={}"])
    shown = gallery(many)
    assert [n for n, _, _ in shown.items] == [2, 6, 9, 13, 16, 20]
    assert [len(configuration) for _, configuration, _ in shown.items] == [2, 6, 9, 13, 16, 20]
    assert shown.blocked == (slice(15, 18), slice(15, 18))


def test_a_gallery_of_a_data_set_shows_its_own_patterns_beside_what_made_them(
    tiny: Path, data: Path
) -> None:
    experiment = Experiment.load(tiny)
    simulated, read = gallery(experiment), gallery(experiment, Dataset.open(data))
    assert [n for n, _, _ in read.items] == [2, 7, 12]
    for (_, drawn, expected), (_, again, pattern) in zip(simulated.items, read.items, strict=True):
        np.testing.assert_array_equal(pattern, expected)
        np.testing.assert_array_equal(drawn.particles[0].centers, again.particles[0].centers)


def evaluation(*predicted: int) -> Evaluation:
    return Evaluation([2, 3], [2, 3] * 50, list(predicted) * 50)


def test_the_verdict_names_a_baseline_in_its_plugins_words() -> None:
    said = judge({"net": evaluation(2, 3), "radial-lda": evaluation(2, 3)})
    assert said.startswith("radial-lda, ")
    assert "does not need a network" in said
    assert ". reads" not in said


def test_the_verdict_does_without_words_of_a_plugin_that_is_gone() -> None:
    said = judge({"net": evaluation(2, 2), "gone": evaluation(2, 3)})
    assert said.startswith("gone reads 1.000")
