"""Curves: training over epochs, intensity over k, first moment over the number of particles."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.roles import Epoch
from speckle_core.errors import DataError
from speckle_core.figures.style import (
    BLUE,
    INK,
    MUTED,
    in_style,
    new_figure,
    panel_letter,
    quiet_frame,
)

_TRAIN: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": "-", "label": "training"}
_VALID: dict[str, Any] = {
    "color": "#b35900",
    "marker": "s",
    "markerfacecolor": "white",
    "linestyle": "--",
    "label": "validation",
}
_PUBLISHED: dict[str, Any] = {
    "color": "#b35900",
    "marker": "s",
    "markersize": 4.5,
    "markerfacecolor": "none",
    "linestyle": "none",
    "label": "published",
}


@in_style
def training_curves(history: Sequence[Epoch], *, score: str = "accuracy") -> Figure:
    """Draw loss and accuracy over epochs, training and validation, beside the learning rate.

    The validation curve is left out if there is none (NaN). `score` is what the accuracies are
    called, where a value was learned.

    Raises
    ------
    DataError
        For an empty history.
    """
    if not history:
        raise DataError("there are no epochs to draw", where="history")
    epochs = [epoch.number for epoch in history]
    figure = new_figure(9.6, 3.1)
    loss, accuracy, rate = figure.subplots(1, 3, width_ratios=[5, 5, 3])
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        for style, prefix in ((_TRAIN, ""), (_VALID, "valid_")):
            values = [getattr(epoch, prefix + name) for epoch in history]
            if np.isfinite(values).any():
                markersize = 4.0 if len(history) <= 60 else 0.0
                axes.plot(epochs, values, linewidth=1.4, markersize=markersize, **style)
    if loss.lines:
        loss.legend()
    loss.set_title("loss (mean per pattern)", loc="left")
    losses = np.array([(epoch.loss, epoch.valid_loss) for epoch in history])
    losses = losses[np.isfinite(losses)]
    if losses.size and losses.min() > 0 and losses.max() > 30 * losses.min():
        loss.set_yscale("log")
    accuracy.set_title(score, loc="left")
    accuracy.set_ylim(-0.02, 1.02)
    rates = [epoch.learning_rate for epoch in history]
    rate.plot(epochs, rates, color=MUTED, linewidth=1.0, marker="" if len(history) > 1 else ".")
    rate.set_title("learning rate", loc="left", color=MUTED)
    rate.set_ylim(bottom=0)
    rate.yaxis.set_major_locator(MaxNLocator(nbins=4))
    rate.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
    rate.tick_params(axis="y", colors=MUTED)
    for axes in (loss, accuracy, rate):
        axes.set_xlim(epochs[0] - 0.7, epochs[-1] + 0.7)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        axes.grid(axis="y")
        quiet_frame(axes)
    return figure


@in_style
def azimuthal_profiles(profiles: Mapping[int, FloatArray], k: FloatArray) -> Figure:
    """Draw the azimuthal mean intensity of each class over k.

    Parameters
    ----------
    profiles : mapping of int to array, (nk,)
        Class value → azimuthal mean [area²]; values that are not positive leave a gap.
    k : array, (nk,)
        The k of each ring [1/length].
    """
    figure = new_figure(6.4, 3.9)
    axes = figure.add_subplot()
    classes = sorted(profiles)
    colors = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.92, len(classes)))
    dashes = itertools.cycle(["-", "--", "-.", ":"])
    for color, number, dash in zip(colors, classes, dashes, strict=False):
        profile = np.asarray(profiles[number], dtype=np.float64)
        axes.plot(
            k,
            np.where(profile > 0, profile, np.nan),
            color=color,
            linestyle=dash,
            linewidth=1.3,
            label=str(number),
        )
    axes.set_yscale("log")
    axes.set_xlabel("k (1 / unit of length)")
    axes.set_ylabel("azimuthal mean intensity (area²)")
    axes.grid()
    quiet_frame(axes)
    figure.legend(
        title="particles",
        loc="outside right upper",
        handlelength=2.6,
        ncols=1 if len(classes) <= 14 else 2,
    )
    return figure


@in_style
def first_moment(
    counts: ArrayLike,
    moments: Mapping[str, FloatArray],
    *,
    published: Mapping[str, Mapping[int, float]] | None = None,
    unit: str = "pixels",
) -> Figure:
    """Draw first moments against the number of particles, like the paper's figure 6 (a)–(h).

    Parameters
    ----------
    counts : array of int, (N,)
        Number of particles of each pattern.
    moments : mapping of str to array, (N,)
        Definition → first moment of each pattern. Each has a row of two panels: the patterns, and
        the mean of each number of particles with its standard error.
    published : mapping of str to mapping of int to float, optional
        Definition → number of particles → a mean found elsewhere, drawn beside ours.
    unit : str
        Unit of the moments.
    """
    numbers = np.asarray(counts)
    distinct = np.unique(numbers)
    figure = new_figure(7.2, 2.1 * len(moments) + 0.3)
    panels = figure.subplots(len(moments), 2, squeeze=False, sharex=True)
    for row, (definition, values) in enumerate(moments.items()):
        values = np.asarray(values, dtype=np.float64)
        groups = [values[numbers == n] for n in distinct]
        scatter, mean = panels[row]
        scatter.scatter(numbers, values, s=14, facecolors="none", edgecolors=BLUE, linewidths=0.8)
        error = [g.std(ddof=1) / np.sqrt(g.size) if g.size > 1 else 0.0 for g in groups]
        mean.errorbar(
            distinct,
            [g.mean() for g in groups],
            yerr=error,
            color=INK,
            marker="o",
            markersize=3.5,
            linewidth=1.0,
            capsize=2,
            label="here",
        )
        theirs = (published or {}).get(definition)
        if theirs:
            mean.plot(*zip(*theirs.items(), strict=True), **_PUBLISHED)
            mean.legend()
        scatter.set_ylabel(f"first moment\n({unit})")
        for column, (axes, what) in enumerate(((scatter, "single patterns"), (mean, "mean"))):
            axes.set_title(f"{panel_letter(2 * row + column)}  {definition}: {what}", loc="left")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid()
            quiet_frame(axes)
    for axes in panels[-1]:
        axes.set_xlabel("number of particles")
    figure.align_ylabels(panels[:, 0])
    return figure
