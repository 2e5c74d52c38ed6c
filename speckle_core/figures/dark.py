"""The same picture for a dark page: ink becomes light, paper dark, images keep their colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

#: As in the report's style sheet.
PAPER, LIGHT = "#14191f", "#e4e7eb"


def darken(values: NDArray[np.uint8], boxes: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """Return pixels (ny, nx, 3) with lightness turned over (`PAPER` to `LIGHT`), hues kept.

    What lies in `boxes` (left, top, right, bottom) [pixel] stays as it is; where a fifth number is
    there and not 0, all but white does.
    """
    red, green, blue = (values[..., i].astype(np.float32) for i in range(3))
    ends = np.maximum(np.maximum(red, green), blue) + np.minimum(np.minimum(red, green), blue)
    shown = np.empty_like(values)
    for i, colour in enumerate((red, green, blue)):
        low, high = to_rgb(PAPER)[i], to_rgb(LIGHT)[i]
        turned = (colour + 255 - ends) * np.float32(high - low) + np.float32(255 * low)
        shown[..., i] = np.rint(turned)
    for left, top, right, bottom, *paper in boxes:
        place = np.s_[top:bottom, left:right]
        kept = np.any(values[place] < 255, axis=-1) if any(paper) else ...
        shown[place][kept] = values[place][kept]
    return shown
