"""Prepared batches: however many are prepared at a time, each pattern is as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import KGrid, PatternError, PatternSet, create

GRID = KGrid.centered(301, 0.002)
ORDER = [6, 0, 3, 3, 5, 1]


def _set(patterns: np.ndarray) -> PatternSet:
    steps = (create("preprocessor", "block-center"), create("preprocessor", "standardize"))
    return PatternSet.from_arrays(patterns, [2, 3, 2, 3, 2, 3, 2], GRID, steps=steps)


@pytest.fixture
def patterns() -> np.ndarray:
    return np.random.default_rng(0).random((7, *GRID.shape), dtype=np.float32)


def test_a_batch_is_its_patterns_one_by_one(patterns: np.ndarray) -> None:
    prepared = _set(patterns)
    found, labels = prepared.batch(ORDER)
    np.testing.assert_array_equal(found, np.concatenate([prepared.batch([i])[0] for i in ORDER]))
    np.testing.assert_array_equal(labels, [2, 2, 3, 3, 3, 3])
    assert found.mean(axis=(1, 2)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "contains NaN"), (None, "no variance")])
def test_a_bad_pattern_is_counted_as_in_the_batch(
    value: float | None, message: str, patterns: np.ndarray
) -> None:
    patterns[5] = patterns[5] * 0 if value is None else value
    with pytest.raises(PatternError, match=f"pattern 4 .*{message.split()[-1]}"):
        _set(patterns).batch(ORDER)
