"""Whether a classifier's probabilities can be believed: the reliability diagram."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from speckle_core.figures.style import BLUE, MUTED, in_style, new_figure, quiet_frame


@in_style
def reliability(confidence: ArrayLike, accuracy: ArrayLike, count: ArrayLike) -> Figure:
    """Draw accuracy against confidence, over the number of patterns of each confidence.

    Parameters
    ----------
    confidence, accuracy : array, (bins,)
        Mean probability of the predicted class and the share that is right; NaN is left out.
    count : array of int, (bins,)
        Patterns of each bin.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (confidence, accuracy))
    many = np.asarray(count)
    known = many > 0
    figure = new_figure(4.6, 4.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot((0, 1), (0, 1), color=MUTED, linestyle=":", linewidth=1.2)
    above.plot(x[known], y[known], color=BLUE, marker="o", markersize=5, linewidth=1.4)
    above.set_ylim(-0.02, 1.04)
    above.set_ylabel("share that is right")
    edges = np.linspace(0, 1, len(many) + 1)
    below.bar(edges[:-1], many, width=np.diff(edges), align="edge", color=BLUE, alpha=0.45)
    below.set_ylabel("patterns")
    below.set_xlim(0, 1)
    below.set_xlabel("probability of the predicted number")
    for axes in (above, below):
        quiet_frame(axes)
    return figure
