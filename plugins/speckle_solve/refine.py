"""Damped Gauss-Newton (Levenberg 1944, Marquardt 1963) over a batch of candidate structures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import RefinableShape
from speckle_solve.amplitudes import Linear, Table, linearize
from speckle_solve.pixels import Pixels

Floats = NDArray[np.floating[Any]]

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-9, 1e6
# No step moves a size by more than this share of itself, nor a body by more than its size.
_LONGEST = 0.4


@attrs.frozen(eq=False)
class Candidates:
    """C structures, padded to n bodies; absent bodies have all parameters 0.

    Parameters
    ----------
    centers : array, (C, n, 2)
        Positions [length], in no particular gauge.
    parameters : array, (C, n, p)
        Of the shape.
    misfit : array, (C,)
        R², see `amplitudes.Linear`; infinite before any was computed.
    scale : array, (C,)
        c of c|A| ≈ √I.
    """

    centers: Floats
    parameters: Floats
    misfit: Floats
    scale: Floats

    def __len__(self) -> int:
        """Return the number of candidates C."""
        return len(self.centers)

    def take(self, chosen: Any) -> Candidates:
        """Return the `chosen` candidates, in that order."""
        return Candidates(*(v[chosen] for v in attrs.astuple(self, recurse=False)))

    @classmethod
    def of(cls, centers: Floats, parameters: Floats) -> Candidates:
        """Return a single candidate of bodies `centers` (n, 2) and `parameters` (n, p)."""
        return cls(centers[None], parameters[None], np.full(1, np.inf), np.ones(1))

    def bodies(self, number: int = 0) -> tuple[Floats, Floats]:
        """Return centres (n, 2) and parameters (n, p) of one candidate without absent bodies."""
        there = np.any(self.parameters[number] != 0, axis=-1)
        return self.centers[number][there], self.parameters[number][there]


def refine(
    candidates: Candidates,
    shape: RefinableShape,
    table: Table | None,
    pixels: Pixels,
    *,
    iterations: int,
    tolerance: float = 1e-3,
    patience: int = 2,
) -> Candidates:
    """Return `candidates` after at most `iterations` steps each towards the least R² on `pixels`.

    A candidate rests when `patience` steps in a row lower R by less than `tolerance` of itself.
    """

    def evaluate(centers: Floats, parameters: Floats) -> Linear:
        return linearize(shape, table, centers, parameters, pixels)

    return descend(
        candidates,
        shape,
        evaluate,
        dtype=pixels.kx.dtype,
        iterations=iterations,
        tolerance=2 * tolerance,
        patience=patience,
    )


def descend(
    candidates: Candidates,
    shape: RefinableShape,
    evaluate: Callable[[Floats, Floats], Linear],
    *,
    dtype: Any,
    iterations: int,
    tolerance: float,
    patience: int = 2,
) -> Candidates:
    """Return `candidates` after damped steps that lower the misfit `evaluate` returns.

    `evaluate` gets centres (C, n, 2) and parameters (C, n, p) as `dtype`. A candidate rests when
    `patience` steps in a row lower its misfit by less than `tolerance` of itself.
    """
    centers = candidates.centers.astype(np.float64)
    parameters = candidates.parameters.astype(np.float64)
    count, _, several = parameters.shape
    damping = np.full(count, _FIRST_DAMPING)
    state = evaluate(centers.astype(dtype), parameters.astype(dtype))
    misfit, scale = state.misfit.astype(np.float64), state.scale.astype(np.float64)
    hessian, gradient = state.hessian, state.gradient
    active = np.arange(count)
    tired = np.zeros(count, dtype=np.intp)
    for _ in range(iterations):
        step = _steps(hessian[active], gradient[active], damping[active])
        shift, change = _bounded(step, parameters[active], shape, several)
        moved = centers[active] + shift
        changed = np.clip(
            parameters[active] + change,
            [low for low, _ in shape.bounds],
            [high for _, high in shape.bounds],
        )
        tried = evaluate(moved.astype(dtype), changed.astype(dtype))
        better = tried.misfit < misfit[active]
        gain = np.where(better, 1 - tried.misfit / np.maximum(misfit[active], 1e-300), 0.0)
        won = active[better]
        centers[won], parameters[won] = moved[better], changed[better]
        misfit[won], scale[won] = tried.misfit[better], tried.scale[better]
        hessian[won], gradient[won] = tried.hessian[better], tried.gradient[better]
        damping[won] = np.maximum(damping[won] * 0.15, _LEAST_DAMPING)
        lost = active[~better]
        damping[lost] *= 8
        tired[active] = np.where(gain < tolerance, tired[active] + 1, 0)
        # A lost step may only have been too long; several in a row without gain are the end.
        active = active[(tired[active] < patience) & (damping[active] < _MOST_DAMPING)]
        if len(active) == 0:
            break
    return Candidates(centers, parameters, misfit, scale)


def _steps(hessian: Floats, gradient: Floats, damping: Floats) -> Floats:
    """Return the damped steps (C, m), scaled by the diagonal as Marquardt has it."""
    diagonal = np.einsum("cmm->cm", hessian)
    # Translations of everything, and bodies that are not there, have no curvature at all.
    least = 1e-9 * np.abs(diagonal).max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    root = np.sqrt(np.maximum(diagonal, least))
    scaled = hessian / root[:, :, None] / root[:, None, :]
    index = np.arange(scaled.shape[1])
    scaled[:, index, index] += damping[:, None] + 1e-12
    right = -(gradient / root)[..., None]
    solution: Floats = np.linalg.solve(scaled, right)[..., 0] / root
    return solution


def _bounded(
    step: Floats, parameters: Floats, shape: RefinableShape, several: int
) -> tuple[Floats, Floats]:
    """Return the shift (C, n, 2) and change (C, n, p), each body's kept within reason."""
    count, bodies, _ = parameters.shape
    parts = step.reshape(count, 2 + several, bodies).transpose(0, 2, 1)
    shift, change = parts[..., :2], parts[..., 2:]
    size = shape.sizes(parameters)[..., None]
    long = np.sqrt(np.sum(shift**2, axis=-1, keepdims=True)) / np.maximum(size, 1e-9)
    shift = shift / np.maximum(long, 1.0)
    large = np.max(np.abs(change), axis=-1, keepdims=True) / np.maximum(_LONGEST * size, 1e-9)
    return shift, change / np.maximum(large, 1.0)
