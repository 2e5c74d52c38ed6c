"""A scikit-learn estimator as a classifier: every pixel of a prepared pattern is a feature.

For trying things in a notebook. To keep such a model in a folder, write a plugin around it, which
says how it is saved without a pickle.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Epoch, OnEpoch
from speckle_core.errors import ModelError, PluginError


def as_classifier(thing: Any) -> Any:
    """Return `thing`, or an `EstimatorClassifier` around it if it is a scikit-learn estimator.

    Raises
    ------
    PluginError
        For an estimator that gives no probabilities.
    """
    if not hasattr(thing, "get_params") or hasattr(thing, "load"):
        return thing
    if not hasattr(thing, "predict_proba"):
        raise PluginError(
            f"the estimator {type(thing).__name__} gives no probabilities",
            hint="Take one with predict_proba, such as LogisticRegression.",
        )
    return EstimatorClassifier(thing)


@attrs.define(eq=False)
class EstimatorClassifier:
    """A classifier made of an estimator with `fit`, `predict_proba` and `classes_`.

    Parameters
    ----------
    estimator : object
        The estimator; it is fitted in place, as in scikit-learn.
    """

    estimator: Any

    @property
    def classes(self) -> IntArray:
        """The numbers of particles that it was fitted on, ascending, (classes,)."""
        found = getattr(self.estimator, "classes_", None)
        if found is None:
            raise ModelError("the estimator is not fitted yet", hint="Call fit first.")
        return np.asarray(found, dtype=np.int64)

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Fit it on all pixels of `train`; return one epoch with its accuracy on both sets.

        An estimator that has a ``random_state`` of None gets `seed`.
        """
        begun = time.perf_counter()
        if self.estimator.get_params().get("random_state", seed) is None:
            self.estimator.set_params(random_state=seed % 2**32)
        patterns, labels = train.batch(np.arange(len(train)))
        self.estimator.fit(patterns.reshape(len(patterns), -1), labels)
        (loss, accuracy), (valid_loss, valid_accuracy) = map(self._score, (train, valid))
        seconds = time.perf_counter() - begun
        epoch = Epoch(1, 1, loss, accuracy, valid_loss, valid_accuracy, seconds, 0.0)
        if on_epoch is not None:
            on_epoch(epoch)
        return [epoch]

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes)."""
        flat = np.asarray(patterns).reshape(len(patterns), -1)
        return np.asarray(self.estimator.predict_proba(flat), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Refuse, since an estimator is saved as a pickle or not at all."""
        raise ModelError(
            f"a {type(self.estimator).__name__} given as an object cannot be saved",
            where=str(folder),
            hint="Write a plugin: speckle plugins new my-classifier --role classifier.",
        )

    def load(self, folder: Path) -> None:
        """Refuse, as `save` does."""
        self.save(folder)

    def _score(self, patterns: PatternSet) -> tuple[float, float]:
        if not len(patterns):
            return float("nan"), float("nan")
        values, labels = patterns.batch(np.arange(len(patterns)))
        rates = self.predict_proba(values)
        columns = np.searchsorted(self.classes, labels)
        own = np.maximum(rates[np.arange(len(rates)), columns], 1e-300)
        right = self.classes[rates.argmax(axis=1)] == labels
        return float(-np.log(own).mean()), float(right.mean())
