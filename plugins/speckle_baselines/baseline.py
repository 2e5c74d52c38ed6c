"""Base class of the five baselines: features of patterns, a rule on them, and its files.

A subclass defines the features and the kind of rule. Patterns are read in batches, so memory does
not grow with their number.
"""
# No `from __future__ import annotations`: options are read from the constructor.

import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
import numpy as np
import tomli_w
from numpy.typing import NDArray

from speckle_baselines.azimuthal import Floats, Rings
from speckle_baselines.ridge import Ridge
from speckle_baselines.rules import Gaussian, Rule, Targets, rule_from
from speckle_core import (
    DataError,
    Epoch,
    ExperimentError,
    FloatArray,
    IntArray,
    KGrid,
    ModelError,
    OnEpoch,
    OptionError,
    PatternSet,
    check_safetensors,
    read_toml,
    write_bytes,
    write_text,
)

FORMAT = "speckle-baseline-1"
_STATE, _ARRAYS = "state.toml", "rule.safetensors"
_BATCH = 64
#: Far above the size of any rule; a larger file is rejected.
_LARGEST = 2**28


@attrs.frozen(eq=False, kw_only=True)
class Lesson:
    """Training data of a rule.

    Parameters
    ----------
    features, valid_features : array, (N, F)
        Features of the training and the validation patterns; the latter may be empty.
    targets, valid_targets : array of int, (N,)
        Column of each pattern's class.
    classes : int
        Number of classes; some may have no patterns.
    seed : int
        For rules with random initial values.
    """

    features: Floats
    targets: Targets
    valid_features: Floats
    valid_targets: Targets
    classes: int
    seed: int


@attrs.define(kw_only=True, eq=False, slots=False)
class Baseline:
    """A classifier on a few features of each pattern, defined by subclasses.

    Where a value is to be learned in place of a class, it is a Bayesian ridge regression on the
    same features; options of the rule and of classes then have no effect.

    Parameters
    ----------
    class_weights : {"none", "balanced"}
        ``balanced``: rare classes count as much as frequent ones, by equal priors.
    """

    #: Its name in a model folder.
    name: ClassVar[str]
    class_weights: Literal["none", "balanced"] = attrs.field(
        default="none", validator=attrs.validators.in_(("none", "balanced"))
    )
    rings_: Rings | None = attrs.field(init=False, default=None, repr=False)
    rule_: Rule | Ridge | None = attrs.field(init=False, default=None, repr=False)
    classes_: IntArray | None = attrs.field(init=False, default=None, repr=False)

    def measure(self, rings: Rings, intensities: Floats) -> Floats:
        """Return the features of intensities (B, open pixels), as (B, F)."""
        raise NotImplementedError

    def learn(self, lesson: Lesson) -> Rule:
        """Fit and return the rule; by default one normal density per class."""
        return Gaussian.learn(lesson.features, lesson.targets, lesson.classes)

    @property
    def classes(self) -> IntArray:
        """The class values in the order of the columns, (classes,); none where it reads a value."""
        return self._fitted()[2]

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Fit on `train`; `valid` is evaluated, and decides if there is a choice of rules.

        Returns
        -------
        list of Epoch
            A single epoch, with learning rate 0.

        Raises
        ------
        DataError
            When there are fewer than two classes with at least two patterns each, or `valid`
            contains a class that `train` does not.
        """
        from threadpoolctl import threadpool_limits

        begun = time.perf_counter()
        if train.values is not None:
            return self._fit_values(train, valid, on_epoch, begun)
        counts = np.bincount(train.targets, minlength=len(train.classes))
        if np.sum(counts > 1) < 2:
            raise DataError(
                "at least two classes with two patterns each are needed",
                where="training set",
            )
        if not np.isin(valid.labels, train.classes).all():
            raise DataError(
                "contains classes that the training set does not", where="validation set"
            )
        rings = Rings.of(train)
        lesson = Lesson(
            features=self._read(rings, train),
            targets=train.targets,
            valid_features=self._read(rings, valid),
            valid_targets=np.searchsorted(train.classes, valid.labels),
            classes=len(train.classes),
            seed=seed,
        )
        # The number of BLAS threads changes the last bits, which 60 passes of a perceptron amplify.
        with threadpool_limits(1):
            rule = self.learn(lesson)
        if self.class_weights == "balanced":
            rule = rule.balanced(counts)
        self.rings_, self.classes_, self.rule_ = rings, train.classes, rule
        loss, accuracy = _score(rule, lesson.features, lesson.targets)
        valid_loss, valid_accuracy = _score(rule, lesson.valid_features, lesson.valid_targets)
        return _told((loss, accuracy), (valid_loss, valid_accuracy), begun, on_epoch)

    def _fit_values(
        self, train: PatternSet, valid: PatternSet, on_epoch: OnEpoch | None, begun: float
    ) -> list[Epoch]:
        from threadpoolctl import threadpool_limits

        if self.class_weights != "none":
            raise OptionError(
                "weighs classes, and a value has none", where="class_weights", hint="Leave it out."
            )
        mean, spread = train.value_scale()
        rings = Rings.of(train)
        features = self._read(rings, train)
        with threadpool_limits(1):
            rule = Ridge.learn(features, np.asarray(train.values), mean, spread)
        self.rings_, self.classes_, self.rule_ = rings, train.classes[:0], rule
        learned = _value_score(rule, features, train.values)
        tried = _value_score(rule, self._read(rings, valid), valid.values)
        return _told(learned, tried, begun, on_epoch)

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes).

        Patterns may be larger than the training patterns, with the same step and layout; they are
        then cut to the same k range.

        Raises
        ------
        PatternError
            For smaller patterns, or one without intensity.
        """
        rings, rule, _ = self._fitted()
        if isinstance(rule, Ridge):
            raise ModelError("has learned a value", where=self.name, hint="Call predict_values.")
        return np.exp(_log_softmax(rule.logits(self.measure(rings, rings.intensities(patterns)))))

    def predict_values(self, patterns: FloatArray) -> FloatArray:
        """Return value and spread, (B, 2), of patterns as `predict_proba` takes them.

        Raises
        ------
        PatternError
            As `predict_proba`.
        ModelError
            When it was fitted on classes.
        """
        rings, rule, _ = self._fitted()
        if not isinstance(rule, Ridge):
            raise ModelError("has learned classes", where=self.name, hint="Call predict_proba.")
        return rule.values(self.measure(rings, rings.intensities(patterns)))

    def save(self, folder: Path) -> None:
        """Write `state.toml` and `rule.safetensors` to `folder`."""
        from safetensors.numpy import save

        rings, rule, classes = self._fitted()
        arrays = {name: np.ascontiguousarray(array) for name, array in rule.arrays().items()}
        write_bytes(folder / _ARRAYS, save({"blocked": rings.blocked, **arrays}))
        state = {
            "format": FORMAT,
            "component": self.name,
            "rule": rule.kind,
            "classes": classes.tolist(),
            "grid": attrs.asdict(rings.grid),
        }
        write_text(folder / _STATE, tomli_w.dumps(state))

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote.

        Raises
        ------
        ModelError
            When a file is missing, damaged, of another component, or made with other options.
        """
        state, arrays = _read_state(folder / _STATE), _read_arrays(folder / _ARRAYS)
        try:
            if state["format"] != FORMAT or state["component"] != self.name:
                raise ValueError(f"it contains {state['component']!r} as {state['format']!r}")
            classes = np.array(state["classes"], dtype=np.int64)
            few = len(classes) > 0 if state["rule"] == Ridge.kind else len(classes) < 2
            if classes.ndim != 1 or few or np.any(np.diff(classes) <= 0):
                raise ValueError("its classes are not ascending whole numbers")
            grid = KGrid(**state["grid"])
            blocked = arrays.pop("blocked")
            if blocked.dtype != np.bool_ or blocked.shape != grid.shape or blocked.all():
                raise ValueError("its blocked pixels do not match its grid")
            rings = Rings(grid, blocked)
            features = self.measure(rings, 1 / (1 + rings.distance[None])).shape[1]
            if state["rule"] == Ridge.kind:
                rule: Rule | Ridge = Ridge.of(arrays, features)
            else:
                rule = rule_from(state["rule"], arrays, features, len(classes))
        except (KeyError, TypeError, ValueError, OverflowError, ExperimentError) as error:
            raise ModelError(
                f"is not a model of {self.name} with these options: {error}", where=str(folder)
            ) from error
        self.rings_, self.rule_, self.classes_ = rings, rule, classes

    def features(self, patterns: FloatArray) -> Floats:
        """Return the features of each pattern, (B, F)."""
        rings = self._fitted()[0]
        return self.measure(rings, rings.intensities(patterns))

    def _fitted(self) -> tuple[Rings, Rule | Ridge, IntArray]:
        if self.rings_ is None or self.rule_ is None or self.classes_ is None:
            raise ModelError("is not fitted yet", where=self.name, hint="Call fit or load first.")
        return self.rings_, self.rule_, self.classes_

    def _read(self, rings: Rings, patterns: PatternSet) -> Floats:
        parts = [
            self.measure(rings, rings.intensities(batch)) for batch, _ in patterns.batches(_BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def _score(rule: Rule, features: Floats, targets: Targets) -> tuple[float, float]:
    """Return the mean loss and the accuracy, or NaN without patterns."""
    if not len(targets):
        return float("nan"), float("nan")
    logs = _log_softmax(rule.logits(features))
    rows = np.arange(len(targets))
    return float(-logs[rows, targets].mean()), float(np.mean(logs.argmax(axis=1) == targets))


def _value_score(rule: Ridge, features: Floats, values: Floats | None) -> tuple[float, float]:
    """Return, in units of the training values, the loss of a network and 1 − mean squared error."""
    if values is None or not len(values):
        return float("nan"), float("nan")
    found = rule.values(features)
    away, spreads = (values - found[:, 0]) / rule.level[2], found[:, 1] / rule.level[2]
    loss = np.log(spreads) + 0.5 * (away / spreads) ** 2
    return float(loss.mean()), float(1 - np.mean(away**2))


def _told(
    learned: tuple[float, float],
    tried: tuple[float, float],
    begun: float,
    on_epoch: OnEpoch | None,
) -> list[Epoch]:
    """Return the only epoch, of loss and accuracy on training and validation patterns."""
    seconds = time.perf_counter() - begun
    epoch = Epoch(1, 1, *learned, *tried, seconds=seconds, learning_rate=0.0)
    if on_epoch is not None:
        on_epoch(epoch)
    return [epoch]


def _read_state(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise ModelError("the file is missing", where=str(path)) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"the file cannot be read: {error}", where=str(path)) from error


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    check_safetensors(path, _LARGEST)
    try:
        arrays: dict[str, NDArray[Any]] = load(path.read_bytes())
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"the file is damaged or not a safetensors file: {error}", where=str(path)
        ) from error
    return arrays
