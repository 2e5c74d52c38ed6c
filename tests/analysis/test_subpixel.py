from __future__ import annotations

import numpy as np
import pytest

from speckle_core import KGrid
from speckle_core.analysis.regrid import to_grid
from speckle_core.analysis.subpixel import between_pixels
from tests.analysis.frames import STEP, speckle

GRID = KGrid.centered(33, STEP)


@pytest.mark.parametrize("photons", [np.inf, 1e5])
def test_k_0_between_pixels_keeps_k_and_minus_k_alike(photons: float) -> None:
    # Every other pixel of a grid twice as fine, from an odd one.
    fine = speckle(6, 133, STEP / 2)
    frame, valid = fine[1::2, 1::2], np.ones((66, 66), dtype=bool)
    if np.isfinite(photons):
        frame = np.random.default_rng(0).poisson(frame * photons / frame.sum()).astype(float)
    valid[20:23] = valid[50, 40] = False
    found = to_grid(np.where(valid, frame, 1e9), valid, (32.5, 32.5), STEP, GRID)
    exact = fine[66 - 32 : 66 + 33 : 2, 66 - 32 : 66 + 33 : 2]
    assert found.valid.all()
    apart = np.abs(found.pattern - found.pattern[::-1, ::-1]).sum() / found.pattern.sum()
    nearest = frame[17:50, 17:50]
    assert apart < 0.4 * np.abs(nearest - nearest[::-1, ::-1]).sum() / nearest.sum()
    assert found.pattern.min() >= 0
    if np.isinf(photons):
        speckle_ = exact[GRID.distance() > 5]
        error = (found.pattern - exact)[GRID.distance() > 5]
        assert error.std() < 0.15 * speckle_.std()


def test_a_gap_is_bridged_by_the_other_side_of_an_oblong_frame() -> None:
    # k = 0 at (40.5, 52.5) of 81 × 108 pixels.
    fine = speckle(6, 221, STEP / 2)
    frame = fine[29:191:2, 5::2]
    valid = np.ones(frame.shape, dtype=bool)
    valid[30:33] = False
    place = (40.5, 52.5)
    whole, _ = between_pixels(frame, np.ones(frame.shape, dtype=bool), place, GRID)
    found, known = between_pixels(np.where(valid, frame, 1e9), valid, place, GRID)
    # Of a row between two others, both must have been measured.
    assert np.flatnonzero(~known.any(axis=1)).tolist() == [5, 6, 7, 8]
    # I(k) = I(-k), so the spline is that of the whole frame.
    np.testing.assert_allclose(found[known], whole[known], rtol=1e-9, atol=1e-9 * whole.max())
    assert not found[~known].any()
