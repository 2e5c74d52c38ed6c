"""Places ellipses one after the other where they touch none of the earlier ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from speckle_core import FloatArray, PackingError

TRIALS = 2000


def axis_vectors(semi_axes: FloatArray, angles: FloatArray) -> FloatArray:
    """Return each ellipse's semi-axes as the columns of a matrix, (n, 2, 2) [length]."""
    cos, sin = np.cos(angles), np.sin(angles)
    turns = np.moveaxis(np.array([[cos, -sin], [sin, cos]]), -1, 0)
    return turns * semi_axes[:, None, :]


def apart(
    center: FloatArray, axes: FloatArray, centers: FloatArray, others: FloatArray
) -> NDArray[np.bool_]:
    """Say of each ellipse in `centers` and `others` whether it lies wholly outside one other.

    Two ellipses are apart if and only if their characteristic polynomial has two distinct positive
    roots (W. Wang, J. Wang and M.-S. Kim, Computer Aided Geometric Design 18 (2001) 531). In the
    frame where the first is a unit circle and the other is {r: |Q (r - d)| = 1}, it reads
    λ³ + pλ² + qλ + r with the coefficients below. One root is always negative, since r > 0; the
    other two are real and distinct if the discriminant is positive, and then share one sign, which
    is plus if a coefficient is negative (Descartes' rule).

    Parameters
    ----------
    center, axes : array, (2,) and (2, 2)
        The one ellipse; see `axis_vectors`.
    centers, others : array, (n, 2) and (n, 2, 2)
        The others.
    """
    between = (centers - center)[..., None]
    squeezed = np.linalg.solve(others, np.broadcast_to(axes, others.shape))
    trace, det = np.sum(squeezed**2, axis=(1, 2)), np.linalg.det(squeezed) ** 2
    p = 1 + trace - np.sum(np.linalg.solve(others, between) ** 2, axis=(1, 2))
    q = trace + det - det * np.sum(np.linalg.solve(axes, between) ** 2, axis=(1, 2))
    r = det
    discriminant = 18 * p * q * r - 4 * p**3 * r + p**2 * q**2 - 4 * q**3 - 27 * r**2
    found: NDArray[np.bool_] = (discriminant > 0) & ((p < 0) | (q < 0))
    return found


def grown(semi_axes: FloatArray, gap: float) -> FloatArray:
    """Return semi-axes of ellipses that hold all points within gap / 2 of the given ones.

    Growing both by t is enough where t (a cos² + b sin²) >= gap / 2 · sqrt(a² cos² + b² sin²) in
    every direction; Kantorovich's inequality gives the smallest such t.
    """
    a, b = semi_axes.T
    growth = gap / 2 * (a + b) / (2 * np.sqrt(a * b))
    larger: FloatArray = semi_axes + growth[:, None]
    return larger


def place(
    semi_axes: FloatArray, angles: FloatArray, *, box: float, gap: float, rng: np.random.Generator
) -> FloatArray:
    """Return centres, (n, 2) [length], of ellipses inside the box and at least `gap` apart."""
    centers = np.empty((len(angles), 2))
    axes = axis_vectors(grown(semi_axes, gap), angles)
    for i, margin in enumerate(semi_axes.max(axis=1)):
        if 2 * margin > box:
            raise PackingError(
                f"an ellipse of length {2 * margin:g} is longer than the box, {box:g}"
            )
        for _ in range(TRIALS):
            centers[i] = rng.uniform(margin, box - margin, 2)
            if apart(centers[i], axes[i], centers[:i], axes[:i]).all():
                break
        else:
            coverage = np.pi * np.sum(np.prod(semi_axes, axis=1)) / box**2
            raise PackingError(
                f"{len(angles)} ellipses, which cover {coverage:.2f} of the box, found no place",
                hint="Use fewer or smaller ones, or a smaller gap.",
            )
    return centers
