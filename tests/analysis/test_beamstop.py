from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from speckle_core import KGrid, PatternError, create
from speckle_core.analysis.beamstop import filled_rectangle, hidden_pixels

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


def test_a_rectangle_is_as_high_as_its_rows_and_as_wide_as_its_columns() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[2:4, 3:8] = True
    assert filled_rectangle(mask) == (slice(2, 4), slice(3, 8))
