"""Amplitudes of many candidate structures at once, with their derivatives.

Candidates are rows of arrays padded to one number of bodies; a body that is not there has all
parameters 0 and so scatters nothing. Early on a round shape comes from a table in float32.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from speckle_core import RefinableShape, SupportsScaledProfile
from speckle_solve.pixels import Pixels

Floats = NDArray[np.floating[Any]]

# Entries of a table per unit of kR: the nearest entry is wrong by less than 2e-5 of F(0), and
# tables up to kR of 30 stay in the second cache.
_FINENESS = 4096
# Least count that a model may expect of a pixel.
_EMPTY = np.float32(1e-9)


@attrs.frozen(eq=False)
class Table:
    """Profile and slope of a round shape at kR = i / fineness, float32."""

    profile: NDArray[np.float32]
    slope: NDArray[np.float32]
    dimension: int

    @classmethod
    def of(cls, shape: SupportsScaledProfile, reach: float) -> Table:
        """Tabulate `shape` up to kR = `reach`; beyond, the last entry stands."""
        x = np.arange(int(np.ceil(reach * _FINENESS)) + 2) / _FINENESS
        return cls(
            shape.profile(x).astype(np.float32),
            shape.slope(x).astype(np.float32),
            shape.dimension,
        )

    def form_factors(self, parameters: Floats, k: Floats) -> tuple[Floats, Floats]:
        """Return F (..., P) and ∂F/∂R (..., P)."""
        radius = parameters[..., 0][..., None]
        index = ((radius * np.float32(_FINENESS)) * k + np.float32(0.5)).astype(np.int32)
        power = radius ** np.float32(self.dimension - 1)
        value = self.profile.take(index, mode="clip")
        value *= power * radius
        derivative = self.slope.take(index, mode="clip")
        derivative *= power
        return value, derivative


def form_factors(
    shape: RefinableShape, table: Table | None, parameters: Floats, pixels: Pixels
) -> tuple[Floats, Floats]:
    """Return F (..., n, P) and its derivatives (..., n, p, P) for parameters (..., n, p)."""
    if table is not None and pixels.kx.dtype == np.float32:
        value, derivative = table.form_factors(parameters, np.hypot(pixels.kx, pixels.ky))
        return value, derivative[..., None, :]
    value, derivative = shape.form_factors(parameters, pixels.kx, pixels.ky)
    return value.astype(pixels.kx.dtype), derivative.astype(pixels.kx.dtype)


def waves(centers: Floats, pixels: Pixels) -> tuple[Floats, Floats]:
    """Return cos and sin of k·r for centres (..., n, 2), (..., n, P)."""
    phase = centers[..., 0][..., None] * pixels.kx
    phase += centers[..., 1][..., None] * pixels.ky
    return np.cos(phase), np.sin(phase)


@attrs.frozen(eq=False)
class Linear:
    """What a damped step needs: the normal equations with the scale projected out.

    Parameters
    ----------
    hessian, gradient : array, (C, m, m) and (C, m)
        JᵀJ and Jᵀr of the residuals w (c|A| - root) over the m = n (2 + p) parameters, ordered
        [x of all, y of all, then each shape parameter of all].
    misfit : array, (C,)
        R² = Σ w² (c|A| - root)² / Σ w² root², or the deviance.
    scale : array, (C,)
        The best c.
    """

    hessian: Floats
    gradient: Floats
    misfit: Floats
    scale: Floats


def misfits(
    shape: RefinableShape,
    table: Table | None,
    centers: Floats,
    parameters: Floats,
    pixels: Pixels,
) -> tuple[Floats, Floats]:
    """Return R² and the best scale c of every candidate, (C,) each."""
    value, _ = form_factors(shape, table, parameters, pixels)
    cos, sin = waves(centers, pixels)
    real, imaginary = np.einsum("cnp,cnp->cp", value, cos), np.einsum("cnp,cnp->cp", value, sin)
    size = np.hypot(real, imaginary) * pixels.weight
    return _projected(size, pixels.root * pixels.weight)


def _projected(size: Floats, measured: Floats) -> tuple[Floats, Floats]:
    squared = np.einsum("cp,cp->c", size, size).astype(np.float64)
    scale = (size @ measured) / np.maximum(squared, np.finfo(np.float32).tiny)
    rest = scale[:, None].astype(size.dtype) * size - measured
    misfit = np.einsum("cp,cp->c", rest, rest) / (measured @ measured)
    return misfit, scale


def linearize(
    shape: RefinableShape,
    table: Table | None,
    centers: Floats,
    parameters: Floats,
    pixels: Pixels,
) -> Linear:
    """Return the normal equations for `centers` (C, n, 2) and `parameters` (C, n, p).

    The scale is linear and is projected out (Golub and Pereyra 1973, in Kaufman's form).
    """
    terms = _Terms.of(shape, table, centers, parameters, pixels)
    weighted = terms.size * pixels.weight
    measured = pixels.root * pixels.weight
    misfit, scale = _projected(weighted, measured)
    factor = scale[:, None].astype(weighted.dtype)
    jacobian = terms.jacobian(pixels.weight * factor, pixels)
    return _normal(jacobian, factor * weighted - measured, weighted, misfit, scale)


def fisher(
    shape: RefinableShape,
    table: Table | None,
    centers: Floats,
    parameters: Floats,
    pixels: Pixels,
    counts: Floats,
    exposure: Floats,
) -> Linear:
    """Return the same for counts (P,) under their Poisson likelihood; `misfit` is the deviance.

    With μ = exposure · c²|A|² the best scale makes Σ μ the number of counts; the expected
    curvature is that of residuals (μ - N)/√μ (Fisher scoring).
    """
    terms = _Terms.of(shape, table, centers, parameters, pixels)
    bright = exposure * terms.size**2
    photons = float(counts.sum(dtype=np.float64))
    square = photons / np.maximum(bright.sum(axis=1, dtype=np.float64), 1e-300)
    # Far below one count in the whole pattern nothing is told apart any more.
    mu = np.maximum(bright * square[:, None].astype(bright.dtype), _EMPTY)
    logs = xlogy(counts, mu / np.maximum(counts, 1))
    deviance = 2 * (np.sum(mu - logs, axis=1, dtype=np.float64) - photons)
    root = np.sqrt(mu)
    scale = np.sqrt(square)
    factor = 2 * np.sqrt(exposure) * scale[:, None].astype(bright.dtype)
    jacobian = terms.jacobian(factor, pixels)
    return _normal(jacobian, (mu - counts) / root, 2 * root, np.asarray(deviance), scale)


@attrs.frozen(eq=False)
class _Terms:
    """Each body's share of the amplitude, and the whole.

    A* = real + i imaginary, since the terms of A are F exp(-i k·r).
    """

    value: Floats
    derivative: Floats
    cos: Floats
    sin: Floats
    real: Floats
    imaginary: Floats
    size: Floats

    @classmethod
    def of(
        cls,
        shape: RefinableShape,
        table: Table | None,
        centers: Floats,
        parameters: Floats,
        pixels: Pixels,
    ) -> _Terms:
        value, derivative = form_factors(shape, table, parameters, pixels)
        cos, sin = waves(centers, pixels)
        real = np.einsum("cnp,cnp->cp", value, cos)
        imaginary = np.einsum("cnp,cnp->cp", value, sin)
        return cls(value, derivative, cos, sin, real, imaginary, np.hypot(real, imaginary))

    def jacobian(self, factor: Floats, pixels: Pixels) -> Floats:
        """Return factor · ∂|A|, (C, m, P), and spoil the waves: ∂|A| = Re(u ∂A), u = A*/|A|."""
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.where(self.size > 0, factor / self.size, 0)
        u_real, u_imaginary = (self.real * turn)[:, None], (self.imaginary * turn)[:, None]
        along = u_real * self.cos
        along += u_imaginary * self.sin
        across = self.cos
        across *= u_imaginary
        self.sin[...] *= u_real
        across -= self.sin
        across *= self.value
        count, bodies, several = self.derivative.shape[:3]
        out = np.empty((count, (2 + several) * bodies, len(pixels)), dtype=self.value.dtype)
        np.multiply(across, pixels.kx, out=out[:, :bodies])
        np.multiply(across, pixels.ky, out=out[:, bodies : 2 * bodies])
        for number in range(several):
            first = (2 + number) * bodies
            np.multiply(self.derivative[:, :, number], along, out=out[:, first : first + bodies])
        return out


def _normal(
    jacobian: Floats, rest: Floats, along_scale: Floats, misfit: Floats, scale: Floats
) -> Linear:
    """Return the normal equations, the scale's own column `along_scale` (C, P) projected out."""
    hessian = (jacobian @ jacobian.transpose(0, 2, 1)).astype(np.float64)
    gradient = (jacobian @ rest[..., None])[..., 0].astype(np.float64)
    to_scale = (jacobian @ along_scale[..., None])[..., 0].astype(np.float64)
    squared = np.einsum("cp,cp->c", along_scale, along_scale).astype(np.float64)
    squared = np.maximum(squared, np.finfo(np.float32).tiny)
    hessian -= to_scale[:, :, None] * (to_scale / squared[:, None])[:, None, :]
    return Linear(hessian, gradient, misfit, scale)
