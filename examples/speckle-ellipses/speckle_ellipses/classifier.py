"""A small classifier: the pattern averaged over coarse cells, and logistic regression on those."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from speckle_core import (
    Epoch,
    FloatArray,
    IntArray,
    ModelError,
    OnEpoch,
    PatternError,
    PatternSet,
)

FILE = "coarse-logistic.npz"
LEARNED = ("classes_", "mean_", "scale_", "coef_", "intercept_")


@attrs.define(kw_only=True)
class CoarseLogistic:
    """Multinomial logistic regression on a pattern averaged over `cells` × `cells` cells.

    Parameters
    ----------
    cells : int
        Cells along each side.
    strength : float
        Inverse strength of the L2 penalty, C of scikit-learn's LogisticRegression.
    """

    cells: int = 8
    strength: float = 1.0
    _learned: dict[str, NDArray[Any]] = attrs.field(init=False, factory=dict, repr=False, eq=False)

    @property
    def classes(self) -> IntArray:
        if not self._learned:
            raise ModelError("is not fitted yet", where="coarse-logistic")
        return self._learned["classes_"]

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        begun = time.perf_counter()
        scaler = StandardScaler()
        cells = scaler.fit_transform(
            np.concatenate([self._average(p) for p, _ in train.batches(64)])
        )
        rule = LogisticRegression(C=self.strength, max_iter=2000, random_state=seed)
        rule.fit(cells, train.labels)
        self._learned = {
            "classes_": rule.classes_,
            "mean_": scaler.mean_,
            "scale_": scaler.scale_,
            "coef_": rule.coef_,
            "intercept_": rule.intercept_,
        }
        seconds = time.perf_counter() - begun
        epoch = Epoch(1, 1, *self._reading(train), *self._reading(valid), seconds, float("nan"))
        if on_epoch is not None:
            on_epoch(epoch)
        return [epoch]

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        columns = len(self.classes)
        _, mean, scale, coef, intercept = (self._learned[name] for name in LEARNED)
        scores = (self._average(patterns) - mean) / scale @ coef.T + intercept
        if columns == 2:  # scikit-learn then keeps the second class's score alone
            scores = np.hstack([np.zeros_like(scores), scores])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: FloatArray = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def save(self, folder: Path) -> None:
        np.savez(folder / FILE, allow_pickle=False, **self._learned)

    def load(self, folder: Path) -> None:
        try:
            with np.load(folder / FILE, allow_pickle=False) as arrays:
                learned = {name: arrays[name] for name in LEARNED}
        except Exception as error:
            raise ModelError(f"cannot be read: {error}", where=str(folder / FILE)) from error
        if learned["coef_"].shape[-1:] != (self.cells**2,):
            raise ModelError(f"was not saved with cells = {self.cells}", where=str(folder / FILE))
        self._learned = learned

    def _average(self, patterns: FloatArray) -> FloatArray:
        """Return the mean of each cell, (B, cells²); a pattern may have any size."""
        sides = patterns.shape[1:]
        if min(sides) < self.cells:
            raise PatternError(f"{sides} pixels cannot be averaged over {self.cells}² cells")
        out = np.asarray(patterns, dtype=float)
        for axis, side in enumerate(sides, start=1):
            edges = np.linspace(0, side, self.cells + 1).astype(int)
            sizes = np.diff(edges).reshape([-1 if a == axis else 1 for a in range(3)])
            out = np.add.reduceat(out, edges[:-1], axis=axis) / sizes
        return out.reshape(len(out), -1)

    def _reading(self, patterns: PatternSet) -> tuple[float, float]:
        """Return (mean loss, accuracy); nan without any pattern."""
        if not len(patterns):
            return float("nan"), float("nan")
        answers = np.concatenate([self.predict_proba(p) for p, _ in patterns.batches(64)])
        columns = np.searchsorted(self.classes, patterns.labels)
        right = answers[np.arange(len(answers)), columns]
        return float(-np.log(right).mean()), float((answers.argmax(axis=1) == columns).mean())
