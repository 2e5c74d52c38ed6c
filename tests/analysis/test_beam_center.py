from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from speckle_core import PatternError
from speckle_core.analysis.beam_center import beam_center
from tests.analysis.frames import STEP, speckle, whole


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


@pytest.mark.parametrize("center", [(300, 421), (431, 150.5)])
def test_a_large_frame_is_searched_coarsely_and_then_finely(center: tuple[float, float]) -> None:
    # Four pixels to a speckle along each axis, so that half as many tell them apart.
    fine = speckle(5, 1301, STEP / 8)
    rows, columns = (
        650 + 2 * np.arange(n) - int(2 * c) for n, c in zip((561, 601), center, strict=True)
    )
    inside = np.ix_((rows >= 0) & (rows < 1301), (columns >= 0) & (columns < 1301))
    frame, valid = np.zeros((561, 601)), np.zeros((561, 601), dtype=bool)
    valid[inside] = True
    frame[inside] = fine[
        np.ix_(rows[(rows >= 0) & (rows < 1301)], columns[(columns >= 0) & (columns < 1301)])
    ]
    valid[290:310] = False
    assert beam_center(frame, valid) == center


@pytest.mark.parametrize("valid", [0, 1], ids=["nothing valid", "nothing there"])
def test_an_empty_frame_has_no_centre(valid: int) -> None:
    frame = np.full((65, 65), 7)
    with pytest.raises(PatternError, match=r"correlates with itself by 0\.00"):
        beam_center(frame, np.full(frame.shape, bool(valid)))
