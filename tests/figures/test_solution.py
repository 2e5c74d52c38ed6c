from __future__ import annotations

import attrs
import numpy as np
import pytest
from matplotlib.image import AxesImage

from speckle_core import Configuration, KGrid, Solution
from speckle_core.figures import solution_panel
from speckle_core.testing.specimens import blobs, direct_sum

GRID = KGrid.centered(33, 0.004)
TRUTH = Configuration(blobs(3, 1), 2000.0)
MOVED = Configuration(attrs.evolve(blobs(3, 1), centers=1950.0 - blobs(3, 1).centers), 2000.0)
PATTERN = 5.0 * np.abs(direct_sum(TRUTH, GRID)) ** 2 - 2.0
FOUND = Solution(MOVED, 5.0, 1e-12, 1e-16, True, offset=-2.0)


def shown(axes: object) -> np.ma.MaskedArray:
    (image,) = (i for i in axes.get_images() if isinstance(i, AxesImage))  # type: ignore[attr-defined]
    return image.get_array()


def test_measured_and_computed_share_their_scale_and_differ_by_rounding() -> None:
    panels = solution_panel(PATTERN, FOUND, GRID, truth=TRUTH).axes[:4]
    first, second = (panel.get_images()[0] for panel in panels[:2])
    assert first.get_clim() == second.get_clim()
    np.testing.assert_allclose(shown(panels[0]), shown(panels[1]), rtol=1e-6)
    assert np.abs(shown(panels[2])).max() < 1e-9
    assert panels[3].get_title(loc="left").endswith("n = 3 of 3, solved")


def test_masked_pixels_are_left_blank_where_something_was_measured() -> None:
    mask = np.ones(GRID.shape, dtype=bool)
    mask[10:13] = False
    panels = solution_panel(np.where(mask, PATTERN, np.nan), FOUND, GRID, mask=mask).axes[:4]
    for panel, blank in zip(panels[:3], (True, False, True), strict=True):
        assert np.isnan(np.ma.filled(shown(panel), np.nan)[11]).all() == blank


@pytest.mark.parametrize("truth", [None, TRUTH])
def test_found_bodies_lie_on_the_true_ones_after_inversion(truth: Configuration | None) -> None:
    axes = solution_panel(PATTERN, FOUND, GRID, truth=truth).axes[3]
    image = np.ma.filled(shown(axes), np.nan) == 1
    left, right, bottom, top = axes.get_images()[0].get_extent()
    rows, columns = np.nonzero(image)
    middle = np.array(
        [
            left + (right - left) * (columns.mean() + 0.5) / image.shape[1],
            bottom + (top - bottom) * (rows.mean() + 0.5) / image.shape[0],
        ]
    )
    expected = blobs(3, 1).centers if truth else MOVED.particles[0].centers
    sizes = blobs(3, 1).bounding_radii ** 2
    if truth:
        assert np.abs(middle - np.average(expected, axis=0, weights=sizes)).max() < 60
    assert axes.get_legend().get_texts()[-1].get_text() == ("true" if truth else "found")
