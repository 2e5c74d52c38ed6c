"""Statistics over the pixels that count, and over a window of k."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import KGrid, OptionError, SupportsMask, create
from speckle_core.contracts.preparation import prepare

GRID = KGrid.centered(9, 0.1)
PATTERNS = np.random.default_rng(0).random((2, 9, 9))


def test_what_a_masked_pixel_holds_does_not_move_the_others() -> None:
    step = create("preprocessor", "standardize")
    assert isinstance(step, SupportsMask)
    valid = np.ones(PATTERNS.shape, dtype=bool)
    valid[:, 3] = False
    spoilt = np.where(valid, PATTERNS, 0.5)
    found = prepare(spoilt, GRID, [step], valid=valid)
    seen = PATTERNS[0][valid[0]]
    np.testing.assert_allclose(found[0][valid[0]], (seen - seen.mean()) / seen.std(), rtol=1e-6)


def test_a_mask_that_masks_nothing_changes_no_bit() -> None:
    step = create("preprocessor", "standardize")
    valid = np.ones(PATTERNS.shape, dtype=bool)
    np.testing.assert_array_equal(
        prepare(PATTERNS, GRID, [step], valid=valid), prepare(PATTERNS, GRID, [step])
    )


def test_a_window_scales_a_wider_view_as_the_narrower_one_was() -> None:
    wide = KGrid.centered(17, 0.1)
    patterns = np.random.default_rng(1).random((1, 17, 17))
    narrow = create("preprocessor", "standardize")(patterns[:, 4:13, 4:13], GRID)
    windowed = create("preprocessor", "standardize", window=[0.0, 0.4])(patterns, wide)
    np.testing.assert_allclose(windowed[:, 4:13, 4:13], narrow, rtol=1e-12)
    with pytest.raises(OptionError, match="lowest and the highest k"):
        create("preprocessor", "standardize", window=[0.4, 0.1])
