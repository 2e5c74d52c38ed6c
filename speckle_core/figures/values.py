"""Values that a model reads against the true ones, with what is left over."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from speckle_core.figures.style import BLUE, MUTED, in_style, new_figure, quiet_frame

#: Patterns drawn at most, evenly spread over the true values.
_MOST = 400


@in_style
def value_scatter(
    truth: ArrayLike, predicted: ArrayLike, intervals: ArrayLike, *, label: str
) -> Figure:
    """Draw predicted against true values with their intervals, and the residuals below.

    Parameters
    ----------
    truth, predicted : array, (N,)
        In the unit of the quantity.
    intervals : array, (N, 2)
        Lower and upper ends; infinite ones are left out.
    label : str
        The quantity with its unit.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (truth, predicted))
    low, high = np.asarray(intervals, dtype=np.float64).T
    order = np.argsort(x, kind="stable")
    order = order[np.unique(np.linspace(0, len(x) - 1, min(_MOST, len(x))).astype(int))]
    figure = new_figure(5.2, 5.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.3))
    ends = min(x.min(), y.min()), max(x.max(), y.max())
    above.plot(ends, ends, color=MUTED, linestyle=":", linewidth=1.2)
    below.axhline(0, color=MUTED, linestyle=":", linewidth=1.2)
    known = order[np.isfinite(high[order] - low[order])]
    for axes, level in ((above, np.zeros(len(x))), (below, x)):
        bars = (low[known] - level[known], high[known] - level[known])
        axes.vlines(x[known], *bars, color=BLUE, alpha=0.25, linewidth=1.0)
        axes.plot(x[order], (y - level)[order], ".", color=BLUE, markersize=4)
        quiet_frame(axes)
    above.set_ylabel(f"predicted {label}")
    below.set_ylabel("predicted − true")
    below.set_xlabel(f"true {label}")
    return figure
