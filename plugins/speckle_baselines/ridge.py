"""A linear rule from features to a value, with the spread that it expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np

from speckle_baselines.rules import Floats, units


@attrs.frozen(eq=False)
class Ridge:
    """Bayesian ridge regression (MacKay 1992, doi:10.1162/neco.1992.4.3.415), as plain arrays.

    How strongly weights are kept small follows from the data. The spread grows where features lie
    far from those of the training.

    Parameters
    ----------
    shift, scale : array, (F,)
        Features enter as ``(feature - shift) / scale``.
    weights : array, (F,)
    covariance : array, (F, F)
        Of the weights.
    level : array, (3,)
        The value at the mean features, and variance and unit of the values that are left.
    """

    kind: ClassVar[str] = "ridge"
    shift: Floats
    scale: Floats
    weights: Floats
    covariance: Floats
    level: Floats

    @classmethod
    def learn(cls, features: Floats, values: Floats, mean: float, spread: float) -> Ridge:
        """Return the rule fitted on features (N, F) and values (N,) of that mean and spread."""
        from sklearn.linear_model import BayesianRidge

        shift, scale = units(features)
        fitted = BayesianRidge().fit((features - shift) / scale, (values - mean) / spread)
        level = np.array([mean + spread * fitted.intercept_, 1 / fitted.alpha_, spread])
        return cls(shift, scale, fitted.coef_.copy(), np.ascontiguousarray(fitted.sigma_), level)

    def values(self, features: Floats) -> Floats:
        """Return value and spread, (B, 2)."""
        standard = (features - self.shift) / self.scale
        # Not a BLAS product, whose last bits would depend on the number of patterns.
        away = np.einsum("bf,f->b", standard, self.weights)
        variance = np.array([one @ self.covariance @ one for one in standard]) + self.level[1]
        found = np.stack([self.level[0] + self.level[2] * away, self.level[2] * np.sqrt(variance)])
        return np.ascontiguousarray(found.T)

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays from which `of` recreates this rule."""
        return attrs.asdict(self)

    @classmethod
    def of(cls, arrays: Mapping[str, Floats], features: int) -> Ridge:
        """Return the rule that `arrays` describe.

        Raises
        ------
        ValueError
            When they are inconsistent, or contain NaN or infinity.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "shift": (features,),
            "scale": (features,),
            "weights": (features,),
            "covariance": (features, features),
            "level": (3,),
        }
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ValueError("the arrays do not match these features")
        if not all(a.dtype == np.float64 and np.isfinite(a).all() for a in arrays.values()):
            raise ValueError("an array is not float64, or contains NaN or infinity")
        if not (np.all(arrays["scale"] > 0) and np.all(arrays["level"][1:] > 0)):
            raise ValueError("a scale or a variance is not positive")
        return cls(**arrays)
