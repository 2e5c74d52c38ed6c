"""Rules from features to class probabilities, stored as plain arrays.

scikit-learn fits the rules; only the fitted arrays are kept. So loading a model runs no code, needs
no scikit-learn, and does not depend on its version.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Targets = NDArray[np.integer[Any]]

#: Logit of a class without training patterns: probability 0, but a finite number.
_NEVER = -1e30


def _log_share(patterns: NDArray[np.integer[Any]]) -> Floats:
    """Return the logarithm of each class's share over its mean; 0 for a class without patterns."""
    present = patterns > 0
    share = np.where(present, patterns, 1) / patterns.sum() * np.count_nonzero(present)
    return np.asarray(np.where(present, np.log(share), 0.0))


def _in_order(arrays: Iterable[Floats]) -> tuple[Floats, ...]:
    # The same product in another memory order would differ in its last bits.
    return tuple(np.ascontiguousarray(array) for array in arrays)


class Rule(Protocol):
    """Maps features (B, F) to logits (B, classes); its parameters are named arrays."""

    kind: ClassVar[str]

    def logits(self, features: Floats) -> Floats:
        """Return the logarithms of the class probabilities up to a constant, (B, classes)."""
        ...

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays from which `rule_from` recreates this rule."""
        ...

    def balanced(self, patterns: NDArray[np.integer[Any]]) -> Rule:
        """Return the rule for equally frequent classes, fitted on so many `patterns` of each."""
        ...


@attrs.frozen(eq=False)
class Gaussian:
    """One normal density per class and feature, weighted with the class's frequency.

    Parameters
    ----------
    mean, variance : array, (classes, F)
        Of the features of each class.
    prior : array, (classes,)
        Logarithm of the frequency of each class in the training set.
    """

    kind: ClassVar[str] = "gaussian"
    mean: Floats
    variance: Floats
    prior: Floats

    @classmethod
    def learn(cls, features: Floats, targets: Targets, count: int) -> Gaussian:
        """Return the densities of `count` classes (Gaussian naive Bayes)."""
        from sklearn.naive_bayes import GaussianNB

        # A class of identical patterns would have zero variance.
        fitted = GaussianNB(var_smoothing=1e-6).fit(features, targets)
        present = fitted.classes_
        return cls(
            mean=_spread(fitted.theta_, present, count, 0.0),
            variance=_spread(fitted.var_, present, count, 1.0),
            prior=_spread(np.log(fitted.class_prior_), present, count, _NEVER),
        )

    def logits(self, features: Floats) -> Floats:
        """Return the logarithms of prior times density, (B, classes)."""
        away = (features[:, None, :] - self.mean) ** 2 / self.variance
        found: Floats = self.prior - 0.5 * np.sum(away + np.log(self.variance), axis=-1)
        return found

    def balanced(self, patterns: NDArray[np.integer[Any]]) -> Gaussian:
        """Return the densities with equal priors."""
        return attrs.evolve(self, prior=self.prior - _log_share(patterns))

    def arrays(self) -> dict[str, Floats]:
        """Return mean, variance and prior."""
        return {"mean": self.mean, "variance": self.variance, "prior": self.prior}


@attrs.frozen(eq=False)
class Layers:
    """Dense layers with ReLU between them; a single layer is a linear rule.

    Parameters
    ----------
    shift, scale : array, (F,)
        Features enter as ``(feature - shift) / scale``.
    weights : tuple of array, (in, out)
    biases : tuple of array, (out,)
    """

    kind: ClassVar[str] = "layers"
    shift: Floats
    scale: Floats
    weights: tuple[Floats, ...] = attrs.field(converter=_in_order)
    biases: tuple[Floats, ...]

    @classmethod
    def linear(cls, features: Floats, targets: Targets, count: int) -> Layers:
        """Return a linear discriminant analysis with Ledoit-Wolf shrinkage.

        The shrinkage (J. Multivar. Anal. 88, 365 (2004)) keeps the covariance usable when there are
        fewer patterns than features. It is estimated from all patterns around their class mean;
        scikit-learn's discriminant shrinks each class separately, which needs far more patterns.
        """
        from sklearn.covariance import ledoit_wolf

        shift, scale = units(features)
        present, column = np.unique(targets, return_inverse=True)
        standard = (features - shift) / scale
        means = np.stack(
            [standard[column == number].mean(axis=0) for number in range(len(present))]
        )
        away = standard - means[column]
        _, within = units(away)
        covariance, _ = ledoit_wolf(away / within, assume_centered=True)
        weights = np.linalg.solve(covariance, (means / within).T) / within[:, None]
        bias = np.log(np.bincount(column) / len(column)) - 0.5 * np.sum(weights.T * means, axis=1)
        return cls(shift, scale, *_last(([weights], [bias]), present, count))

    @classmethod
    def perceptron(cls, features: Floats, targets: Targets, count: int, seed: int) -> Layers:
        """Return a multi-layer perceptron with hidden layers of 256, 128 and 64 units.

        Layers and weight decay were chosen on 1900 validation patterns of fresh sizes, after
        training on 15,200; with less decay a perceptron overfits.
        """
        from sklearn.neural_network import MLPClassifier

        shift, scale = units(features)
        fitted = MLPClassifier(
            (256, 128, 64),
            alpha=4.0,
            batch_size=min(500, len(features)),
            max_iter=60,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converging within 60 passes is intended
            fitted.fit((features - shift) / scale, targets)
        *weights, last = fitted.coefs_
        *biases, bias = fitted.intercepts_
        last, bias = _both(last, bias)
        return cls(
            shift, scale, *_last(([*weights, last], [*biases, bias]), fitted.classes_, count)
        )

    def logits(self, features: Floats) -> Floats:
        """Return the last layer's outputs, (B, classes)."""
        out = (features - self.shift) / self.scale
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                out = np.maximum(out, 0.0)
            # Not a BLAS product, whose last bits would depend on the number of patterns.
            out = np.einsum("bi,io->bo", out, weights) + bias
        return out

    def balanced(self, patterns: NDArray[np.integer[Any]]) -> Layers:
        """Return the layers without the share of each class, which the last biases hold."""
        *biases, last = self.biases
        return attrs.evolve(self, biases=(*biases, last - _log_share(patterns)))

    def arrays(self) -> dict[str, Floats]:
        """Return shift, scale and the layers, numbered from 0."""
        found = {"shift": self.shift, "scale": self.scale}
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found |= {f"weights.{number}": weights, f"bias.{number}": bias}
        return found


def rule_from(kind: str, arrays: Mapping[str, Floats], features: int, classes: int) -> Rule:
    """Return the rule that `arrays` describe.

    Raises
    ------
    ValueError
        When they are inconsistent, or contain NaN or infinity.
    """
    left = dict(arrays)
    if not all(array.dtype == np.float64 and np.isfinite(array).all() for array in left.values()):
        raise ValueError("an array is not float64, or contains NaN or infinity")
    try:
        if kind == Gaussian.kind:
            mean, variance, prior = left.pop("mean"), left.pop("variance"), left.pop("prior")
            whole = mean.shape == variance.shape == (classes, features)
            if left or not whole or prior.shape != (classes,) or not np.all(variance > 0):
                raise ValueError("the arrays do not match these classes")
            return Gaussian(mean, variance, prior)
        if kind != Layers.kind:
            raise ValueError(f"unknown rule {kind!r}")
        shift, scale = left.pop("shift"), left.pop("scale")
        numbers = range(len(left) // 2)
        weights = tuple(left.pop(f"weights.{number}") for number in numbers)
        biases = tuple(left.pop(f"bias.{number}") for number in numbers)
    except KeyError as error:
        raise ValueError(f"the array {error} is missing") from None
    sizes = [features, *(bias.size for bias in biases)]
    shapes = list(itertools.pairwise(sizes))
    whole = [array.shape for array in weights] == shapes and sizes[-1] == classes
    whole &= [array.shape for array in biases] == [(size,) for size in sizes[1:]]
    if left or not numbers or not whole or shift.shape != scale.shape or shift.shape != (features,):
        raise ValueError("the arrays do not match these features and classes")
    if not np.all(scale > 0):
        raise ValueError("a scale is not positive")
    return Layers(shift, scale, weights, biases)


def units(features: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each feature (N, F); 1 where it does not vary."""
    spread = features.std(axis=0)
    return features.mean(axis=0), np.where(spread > 0, spread, 1.0)


def _both(weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """Return two columns; for two classes scikit-learn has only that of the second."""
    if weights.shape[1] > 1:
        return weights, bias
    return np.column_stack([np.zeros_like(weights), weights]), np.append(0.0, bias)


def _last(
    layers: tuple[list[Floats], list[Floats]], present: Targets, count: int
) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Return the layers with a column for each of `count` classes, `present` or not."""
    *weights, last = layers[0]
    *biases, bias = layers[1]
    return (
        (*weights, _spread(last.T, present, count, 0.0).T),
        (*biases, _spread(bias, present, count, _NEVER)),
    )


def _spread(rows: Floats, present: Targets, count: int, other: float) -> Floats:
    out = np.full((count, *rows.shape[1:]), other, dtype=np.float64)
    out[np.asarray(present)] = rows
    return out
