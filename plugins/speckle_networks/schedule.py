"""Learning rate and early stopping, as pure functions of the step and the previous losses.

There is no state, so an interrupted training can resume from its history alone, and all frameworks
behave the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Schedule = Literal["constant", "one-cycle", "cosine", "plateau"]

#: The authors' ReduceLROnPlateau: factor, patience, lowest rate, and Keras' minimum progress.
PLATEAU_FACTOR = math.sqrt(0.1)
PLATEAU_PATIENCE = 5
PLATEAU_LEAST = 0.5e-6
PLATEAU_PROGRESS = 1e-4
#: The authors' EarlyStopping: minimum progress.
STOPPING_PROGRESS = 1e-3


def learning_rate(
    schedule: Schedule, peak: float, step: int, steps: int, losses: Sequence[float]
) -> float:
    """Return the learning rate of one step.

    Parameters
    ----------
    schedule : {"constant", "one-cycle", "cosine", "plateau"}
        ``constant``: `peak` throughout, as in the paper. ``one-cycle``: from peak / 25 up to `peak`
        over the first 30 % of all steps and down to nearly nothing, both along a cosine (Smith and
        Topin, 2019, in the form of torch's OneCycleLR). ``cosine``: from `peak` down to nothing
        along half a cosine, as torch's CosineAnnealingLR. ``plateau``: `peak` times sqrt(0.1)
        after every five epochs without progress, as in the authors' script.
    peak : float
        The highest rate.
    step, steps : int
        The step, from 0, and the total number of steps.
    losses : sequence of float
        The monitored loss of each finished epoch.
    """
    if schedule == "constant":
        return peak
    if schedule == "plateau":
        falls = _waits(losses, PLATEAU_PATIENCE, PLATEAU_PROGRESS)
        rate: float = peak * PLATEAU_FACTOR**falls
        return min(peak, max(rate, PLATEAU_LEAST))
    if schedule == "cosine":
        return _cosine(peak, 0.0, step / steps)
    top = max(0.3 * steps - 1, 0)
    if step < top:
        return _cosine(peak / 25, peak, step / top)
    return _cosine(peak, peak / 25e4, (step - top) / max(steps - 1 - top, 1))


def _cosine(first: float, last: float, done: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * done)) / 2


def stops(losses: Sequence[float], patience: int | None) -> bool:
    """Return whether the last `patience` epochs brought no progress; None never stops."""
    return patience is not None and _waits(losses, patience, STOPPING_PROGRESS) > 0


def _waits(losses: Sequence[float], patience: int, progress: float) -> int:
    """Count the runs of `patience` epochs without `progress` on the lowest loss."""
    least, waited, times = math.inf, 0, 0
    for loss in losses:
        if loss < least - progress:
            least, waited = loss, 0
        else:
            waited += 1
            if waited == patience:
                waited, times = 0, times + 1
    return times
