from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from speckle_core import KGrid, PatternError, create
from speckle_core.analysis.beam_center import beam_center
from speckle_core.analysis.regrid import rebin, to_grid

STEP = np.pi / 2000
GRID = KGrid.centered(33, STEP)


def speckle(n: int, size: int, step: float = STEP, seed: int = 0) -> NDArray[np.float64]:
    system = create("sampler", "monodisperse").sample(n, np.random.default_rng([n, seed]))
    found = create("scatterer", "analytic").intensity(system, KGrid.centered(size, step))
    return np.asarray(found, dtype=np.float64)


def whole(frame: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(frame.shape, dtype=bool)


def test_the_pixels_about_k_0_are_cut_out_unchanged() -> None:
    frame = speckle(5, 65)
    found = to_grid(frame, whole(frame), (32, 32), STEP, GRID)
    np.testing.assert_array_equal(found.pattern, frame[16:49, 16:49])
    assert found.valid.all()


@pytest.mark.parametrize("ratio", [1.3, 2.0, 3.0])
def test_resampling_keeps_the_sum_of_counts(ratio: float) -> None:
    frame = np.random.default_rng(0).poisson(3.0, (141, 141)).astype(float)
    grid = KGrid.centered(33, 1.0)
    found = to_grid(frame, whole(frame), (70, 70), 1 / ratio, grid)
    # The pixels that the grid lies on, those on its border by the share that it covers.
    reach = 16.5 * ratio
    along = np.clip(reach - np.abs(np.arange(141) - 70) + 0.5, 0, 1)
    assert found.pattern.sum() == pytest.approx(along @ frame @ along)


def test_what_a_mask_leaves_out_is_taken_from_the_other_side_and_then_from_the_ring() -> None:
    frame = speckle(4, 33)
    valid = whole(frame)
    valid[3, 4] = valid[10, 20] = valid[22, 12] = False
    spoilt = np.where(valid, frame, 1e9)
    found = to_grid(spoilt, valid, (16, 16), STEP, GRID)
    assert found.pattern[3, 4] == frame[29, 28]
    # Both of a pair are missing: the mean of what is left of the ring.
    ring = np.rint(GRID.distance()) == np.rint(np.hypot(6, 4))
    assert found.pattern[10, 20] == pytest.approx(frame[ring & valid].mean())
    assert np.argwhere(~found.valid).tolist() == [[10, 20], [22, 12]]
    assert not found.measured[3, 4]


def test_half_a_frame_is_completed() -> None:
    frame = speckle(6, 33)
    found = to_grid(frame[16:], whole(frame[16:]), (0, 16), STEP, GRID)
    np.testing.assert_allclose(found.pattern, frame, rtol=1e-6)


def test_too_coarse_and_too_narrow_are_refused_with_numbers() -> None:
    frame = speckle(4, 33)
    with pytest.raises(PatternError, match=r"1\.50 times the model's"):
        to_grid(frame, whole(frame), (16, 16), 1.5 * STEP, GRID)
    with pytest.raises(PatternError, match="the frame has 33 × 33 pixels"):
        to_grid(frame, whole(frame), (16, 16), 0.5 * STEP, GRID)


def test_binning_sums_and_counts_half_filled_blocks() -> None:
    valid = np.array([[True, True, True, False], [True, True, False, False]])
    total, known = rebin(np.array([[1, 2, 5, 9], [3, 4, 9, 9]]), valid, 2)
    assert known.tolist() == [[True, False]]
    assert total[0, 0] == 10


@pytest.mark.parametrize("photons", [None, 1e5, 1e4])
@pytest.mark.parametrize("center", [(32, 32), (28.5, 37), (40, 25.5)])
def test_the_centre_is_found_within_half_a_pixel(
    photons: float | None, center: tuple[float, float]
) -> None:
    for n in (3, 6, 10):
        # Half a pixel: every second pixel of a pattern of half the step.
        fine = speckle(n, 301, STEP / 2)
        rows, columns = (150 + 2 * np.arange(65) - int(2 * c) for c in center)
        frame = fine[np.ix_(rows, columns)]
        if photons is not None:
            frame = np.random.default_rng(n).poisson(frame * photons / frame.sum()).astype(float)
        valid = whole(frame)
        valid[44:47] = False
        assert np.abs(np.subtract(beam_center(frame, valid), center)).max() <= 0.5


def test_noise_has_no_centre() -> None:
    frame = np.random.default_rng(0).poisson(5.0, (65, 65))
    with pytest.raises(PatternError, match="no centre was found"):
        beam_center(frame, np.ones(frame.shape, dtype=bool))


@pytest.mark.parametrize("count", [2, 5, 12])
@pytest.mark.parametrize("part", [np.s_[48:, :], np.s_[48:, 48:]])
def test_half_a_pattern_has_no_centre_but_a_little_more_has_one(count: int, part: Any) -> None:
    full = speckle(count, 97)
    with pytest.raises(PatternError, match="no centre was found"):
        beam_center(full[part], whole(full[part]))
    more = full[30:]
    assert beam_center(more, whole(more)) == (18, 48)


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
