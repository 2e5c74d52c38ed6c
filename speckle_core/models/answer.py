"""What a model says of one pattern, with what speaks for and against believing it."""

from __future__ import annotations

import math

import attrs

from speckle_core.analysis.quantities import QuantityName, title_of
from speckle_core.analysis.value_evaluation import spell_with_interval


@attrs.frozen
class Answer:
    """What a model says of one pattern, and what speaks for and against believing it.

    Parameters
    ----------
    number : int
        Most probable number of particles.
    probability : float
        Its probability, as the classifier gives it; it is calibrated only where the report says so.
    calibrated : float or None
        The same, divided by the temperature that the validation patterns told; None where the
        model has learned none.
    sets : dict of float to tuple of int
        By stated coverage, the numbers that hold the true one in at least that share of patterns
        drawn as the validation patterns were; without coverages that they were too few for.
    second, second_probability
        The next probable number, and its probability.
    baselines : dict of str to int
        What the simple rules that are stored with the model read, without those that cannot, and,
        for more than four patterns at once, without those that take seconds each.
    distance : float
        From the training data: 1 is as far as its farthest pattern, NaN when it cannot be told.
    far : bool or None
        Whether that is so far that the answer means little; None if it is not, as far as was
        measured, but something was not.
    not_measured : tuple of str
        What was not: ``profile``, ``centre`` or ``k step``.
    why : str
        In what the pattern departs most from the training data; empty unless it is far.
    asymmetry : float
        How much worse than there k and -k agree, see `TrainingProfiles.asymmetry`.
    probabilities : tuple of float
        Of every class, in the order of the model's `classes`.
    """

    number: int
    probability: float
    second: int
    second_probability: float
    baselines: dict[str, int]
    distance: float
    far: bool | None
    why: str
    probabilities: tuple[float, ...] = attrs.field(default=(), repr=False)
    asymmetry: float = float("nan")
    not_measured: tuple[str, ...] = ()
    calibrated: float | None = None
    sets: dict[float, tuple[int, ...]] = attrs.field(factory=dict, repr=False)

    @property
    def told(self) -> str:
        """The answer in words: ``n = 7 (0.981), or else 8 (0.015)``."""
        second = f"{self.second} ({self.second_probability:.3f})"
        return f"n = {self.number} ({self.probability:.3f}), or else {second}"


@attrs.frozen
class ValueAnswer:
    """What a model of a value says of one pattern; fields that are not named are as in `Answer`.

    Parameters
    ----------
    quantity : str
        What the value is, as in `Target`.
    value : float
        In the unit of the quantity.
    spread : float
        How far off the classifier expects to be, up to a factor.
    low, high : float
        Ends of the interval; infinite where too few validation patterns told.
    stated : float
        The share of true values that such intervals hold, for patterns drawn as the validation
        patterns were.
    outside : bool
        Whether the value lies outside of those of the training patterns.
    baselines : dict of str to float
        What the simple rules that are stored with the model read, without those that cannot.
    """

    quantity: QuantityName
    value: float
    spread: float
    low: float
    high: float
    stated: float
    outside: bool
    baselines: dict[str, float]
    distance: float
    far: bool | None
    not_measured: tuple[str, ...]
    why: str
    asymmetry: float

    @property
    def told(self) -> str:
        """Value, interval and stated coverage in words: ``coverage 0.31 [0.28, 0.35] (90 %)``."""
        said = spell_with_interval(self.value, self.low, self.high)
        if not math.isfinite(self.high - self.low):
            return f"{title_of(self.quantity)} {said}, without an interval"
        return f"{title_of(self.quantity)} {said} ({100 * self.stated:g} %)"
