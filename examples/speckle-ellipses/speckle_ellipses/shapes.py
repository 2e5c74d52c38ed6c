"""Ellipses, and circles to mix them with: all that speckle-core needs to know of a shape."""

from __future__ import annotations

import attrs
import numpy as np
from scipy.special import j1, jv
from speckle_core import FloatArray


def airy(q: FloatArray) -> FloatArray:
    """Return 2 J1(q) / q, which is 1 at q = 0."""
    out = np.ones_like(q)
    np.divide(2 * j1(q), q, out=out, where=q != 0)
    return out


@attrs.frozen(eq=False)
class Ellipses:
    """n ellipses.

    Parameters
    ----------
    centers : array, (n, 2)
        Centres as (x, y) [length].
    semi_axes : array, (n, 2)
        Semi-axes a and b [length].
    angles : array, (n,)
        Angle from the x axis to the axis of a [rad].
    contrast : array, (n,), optional
        1 unless given.
    """

    centers: FloatArray
    semi_axes: FloatArray = attrs.field(metadata={"units": "length"})
    angles: FloatArray = attrs.field(metadata={"units": "rad"})
    contrast: FloatArray = attrs.field()

    @contrast.default
    def _one_each(self) -> FloatArray:
        return np.ones(len(self.centers))

    def __len__(self) -> int:
        return len(self.centers)

    @property
    def bounding_radii(self) -> FloatArray:
        longer: FloatArray = self.semi_axes.max(axis=1)
        return longer

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> FloatArray:
        """Return F(k) = 2π a b J1(q) / q with q = |(a kx', b ky')|, k' along the axes [area].

        An ellipse is a stretched circle, so its transform is the circle's, squeezed (Bracewell,
        The Fourier Transform and Its Applications, similarity theorem).
        """
        one_each = (-1, *(1,) * np.ndim(kx))
        a, b, angle = (v.reshape(one_each) for v in (*self.semi_axes.T, self.angles))
        cos, sin = np.cos(angle), np.sin(angle)
        q = np.hypot(a * (cos * kx + sin * ky), b * (cos * ky - sin * kx))
        factors: FloatArray = np.pi * a * b * airy(q)
        return factors

    def density(self, i: int, x: FloatArray, y: FloatArray) -> FloatArray:
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        cos, sin = np.cos(self.angles[i]), np.sin(self.angles[i])
        a, b = self.semi_axes[i]
        inside = ((cos * dx + sin * dy) / a) ** 2 + ((cos * dy - sin * dx) / b) ** 2 <= 1
        return np.where(inside, 1.0, 0.0)

    @classmethod
    def refinement(cls) -> EllipseShape:
        """Return how a solver refines ellipses: the optional capability `SupportsRefinement`."""
        return EllipseShape()


class EllipseShape:
    """Ellipses with parameters that know no special case, not even a circle.

    Two axes and an angle would fail at a circle, where no angle is defined. So the parameters are
    the triangle L of Cholesky's decomposition: q = |Lᵀk|, where L Lᵀ has the squares of the
    semi-axes as eigenvalues and the axes as eigenvectors.
    """

    names = ("l11", "l21", "l22")
    bounds = ((0.0, np.inf), (-np.inf, np.inf), (0.0, np.inf))

    def start(self, radius: FloatArray) -> FloatArray:
        round_ones = np.asarray(radius)
        return np.stack([round_ones, np.zeros_like(round_ones), round_ones], axis=-1)

    def sizes(self, parameters: FloatArray) -> FloatArray:
        longer: FloatArray = np.sqrt(np.linalg.eigvalsh(_squares(parameters))[..., -1])
        return longer

    def form_factors(
        self, parameters: FloatArray, kx: FloatArray, ky: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return F = 2π det(L) J1(q)/q and its derivatives, by d(J1(q)/q)/dq = -J2(q)/q."""
        l11, l21, l22 = (parameters[..., i, None] for i in range(3))
        u, v = l11 * kx + l21 * ky, l22 * ky
        q = np.hypot(u, v)
        safe = np.where(q == 0, 1.0, q)
        g = np.where(q == 0, 0.5, j1(safe) / safe)
        h = np.where(q == 0, 0.125, jv(2, safe) / safe**2)
        by_l11, by_l21 = l22 * (g - l11 * h * u * kx), -l11 * l22 * h * u * ky
        slopes = np.stack([by_l11, by_l21, l11 * (g - l22 * h * v * ky)], axis=-2)
        return 2 * np.pi * l11 * l22 * g, 2 * np.pi * slopes

    def build(self, centers: FloatArray, parameters: FloatArray) -> Ellipses:
        squares, axes = np.linalg.eigh(_squares(parameters))
        angles = np.arctan2(axes[:, 1, 1], axes[:, 0, 1]) % np.pi
        return Ellipses(np.asarray(centers), np.sqrt(squares[:, ::-1]), angles)


def _squares(parameters: FloatArray) -> FloatArray:
    """Return L Lᵀ, (..., 2, 2)."""
    l11, l21, l22 = np.moveaxis(np.asarray(parameters), -1, 0)
    rows = [l11**2, l11 * l21, l11 * l21, l21**2 + l22**2]
    return np.stack(rows, axis=-1).reshape(*l11.shape, 2, 2)


@attrs.frozen(eq=False)
class Circles:
    """n circles, with the optional capability of round shapes, which makes them fast."""

    centers: FloatArray
    radii: FloatArray
    contrast: FloatArray = attrs.field()

    @contrast.default
    def _one_each(self) -> FloatArray:
        return np.ones(len(self.centers))

    def __len__(self) -> int:
        return len(self.centers)

    @property
    def bounding_radii(self) -> FloatArray:
        return self.radii

    def form_factors(self, kx: FloatArray, ky: FloatArray) -> FloatArray:
        return np.stack([self.radial_form_factor(i, np.hypot(kx, ky)) for i in range(len(self))])

    def density(self, i: int, x: FloatArray, y: FloatArray) -> FloatArray:
        distance = np.hypot(x - self.centers[i, 0], y - self.centers[i, 1])
        return np.where(distance <= self.radii[i], 1.0, 0.0)

    def shape_keys(self) -> list[float]:
        return [float(radius) for radius in self.radii]

    def radial_form_factor(self, i: int, k: FloatArray) -> FloatArray:
        factor: FloatArray = np.pi * self.radii[i] ** 2 * airy(k * self.radii[i])
        return factor
