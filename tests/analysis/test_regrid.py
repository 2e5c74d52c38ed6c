from __future__ import annotations

import numpy as np
import pytest

from speckle_core import KGrid, PatternError
from speckle_core.analysis.regrid import rebin, to_grid
from tests.analysis.frames import STEP, speckle, whole

GRID = KGrid.centered(33, STEP)


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


@pytest.mark.parametrize("ratio", [1, 2])
def test_an_oblong_frame_lands_where_rows_and_columns_say(ratio: int) -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(1, 100, (90, 120)).astype(float)
    valid = rng.random(frame.shape) > 0.3
    grid = KGrid.centered(33, STEP)
    # For two pixels to one, k = 0 lies between four of them.
    center = (42 + (ratio - 1) / 2, 70 + (ratio - 1) / 2)
    found = to_grid(frame, valid, center, STEP / ratio, grid)
    ratios = np.add.outer(np.arange(33) * ratio, np.arange(ratio))
    rows, columns = 42 - 16 * ratio + ratios, 70 - 16 * ratio + ratios
    for y in range(33):
        for x in range(33):
            block = np.ix_(rows[y], columns[x])
            share = valid[block].mean()
            assert found.measured[y, x] == (share > 0.5)
            if share > 0.5:
                assert found.pattern[y, x] == pytest.approx((frame * valid)[block].sum() / share)


@pytest.mark.parametrize("center", [(4.7, 12.3), (11.2, 5.1), (14.4, 16.8)])
def test_a_pixel_of_the_grid_takes_the_share_of_each_pixel_that_it_covers(
    center: tuple[float, float],
) -> None:
    """Also where the grid ends beyond one border of the frame, and rows and columns differ."""
    rng = np.random.default_rng(2)
    frame = rng.integers(1, 100, (18, 23)).astype(float)
    valid = rng.random(frame.shape) > 0.2
    ratio, grid = 1.7, KGrid.centered(9, STEP)

    def share(middle: float, pixel: int) -> float:
        low, high = middle - ratio / 2, middle + ratio / 2
        return max(0.0, min(high, pixel + 0.5) - max(low, pixel - 0.5))

    found = to_grid(frame, valid, center, STEP / ratio, grid)
    for y in range(9):
        for x in range(9):
            rows = [share(center[0] + (y - 4) * ratio, i) for i in range(18)]
            columns = [share(center[1] + (x - 4) * ratio, i) for i in range(23)]
            area = np.outer(rows, columns)
            covered = (area * valid).sum() / ratio**2
            assert found.measured[y, x] == (covered > 0.5)
            if covered > 0.5:
                light = (area * frame * valid).sum()
                assert found.pattern[y, x] == pytest.approx(light / covered)


def test_a_frame_that_ends_within_the_grid_is_placed_by_its_own_borders() -> None:
    full = speckle(4, 33)
    rows, columns = np.s_[0:30], np.s_[2:33]
    found = to_grid(full[rows, columns], whole(full[rows, columns]), (16, 14), STEP, GRID)
    expected = np.zeros(full.shape, dtype=bool)
    expected[rows, columns] = True
    np.testing.assert_array_equal(found.measured, expected)
    np.testing.assert_array_equal(found.pattern[expected], full[expected])


def test_too_coarse_and_too_narrow_are_refused_with_numbers() -> None:
    frame = speckle(4, 33)
    with pytest.raises(PatternError, match=r"1\.50 times the model's"):
        to_grid(frame, whole(frame), (16, 16), 1.5 * STEP, GRID)
    with pytest.raises(PatternError, match="the frame has 33 × 33 pixels"):
        to_grid(frame, whole(frame), (16, 16), 0.5 * STEP, GRID)


def test_binning_sums_and_counts_half_filled_blocks() -> None:
    valid = np.array([[1, 1, 1, 0, 0, 1], [1, 1, 0, 0, 1, 1]], dtype=bool)
    counts = np.array([[1, 2, 5, 9, 9, 6], [3, 4, 9, 9, 7, 8]], dtype=np.uint8)
    total, known = rebin(counts, valid, 2)
    assert known.tolist() == [[True, False, True]]
    # Of three pixels of four: as much as their mean in the fourth.
    assert total.tolist() == [[10, 0, 28]]
    full, _ = rebin(np.full((2, 2), 200, dtype=np.uint8), np.ones((2, 2), dtype=bool), 2)
    assert full.tolist() == [[800]]
