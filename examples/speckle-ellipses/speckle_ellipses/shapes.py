"""Ellipses, and circles to mix them with: all that speckle-core needs to know of a shape."""

from __future__ import annotations

import attrs
import numpy as np
from scipy.special import j1


def airy(q):
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

    centers: np.ndarray
    semi_axes: np.ndarray = attrs.field(metadata={"units": "length"})
    angles: np.ndarray = attrs.field(metadata={"units": "rad"})
    contrast: np.ndarray = attrs.field()

    @contrast.default
    def _one_each(self):
        return np.ones(len(self.centers))

    def __len__(self):
        return len(self.centers)

    @property
    def bounding_radii(self):
        return self.semi_axes.max(axis=1)

    def form_factors(self, kx, ky):
        """Return F(k) = 2π a b J1(q) / q with q = |(a kx', b ky')|, k' along the axes [area].

        An ellipse is a stretched circle, so its transform is the circle's, squeezed (Bracewell,
        The Fourier Transform and Its Applications, similarity theorem).
        """
        one_each = (-1, *(1,) * np.ndim(kx))
        a, b, angle = (v.reshape(one_each) for v in (*self.semi_axes.T, self.angles))
        cos, sin = np.cos(angle), np.sin(angle)
        q = np.hypot(a * (cos * kx + sin * ky), b * (cos * ky - sin * kx))
        return np.pi * a * b * airy(q)

    def density(self, i, x, y):
        dx, dy = x - self.centers[i, 0], y - self.centers[i, 1]
        cos, sin = np.cos(self.angles[i]), np.sin(self.angles[i])
        a, b = self.semi_axes[i]
        inside = ((cos * dx + sin * dy) / a) ** 2 + ((cos * dy - sin * dx) / b) ** 2 <= 1
        return inside.astype(float)


@attrs.frozen(eq=False)
class Circles:
    """n circles; they also offer the optional power of round shapes, which makes them quick."""

    centers: np.ndarray
    radii: np.ndarray
    contrast: np.ndarray = attrs.field()

    @contrast.default
    def _one_each(self):
        return np.ones(len(self.centers))

    def __len__(self):
        return len(self.centers)

    @property
    def bounding_radii(self):
        return self.radii

    def form_factors(self, kx, ky):
        return np.stack([self.radial_form_factor(i, np.hypot(kx, ky)) for i in range(len(self))])

    def density(self, i, x, y):
        return (np.hypot(x - self.centers[i, 0], y - self.centers[i, 1]) <= self.radii[i]).astype(
            float
        )

    def shape_keys(self):
        return self.radii.tolist()

    def radial_form_factor(self, i, k):
        return np.pi * self.radii[i] ** 2 * airy(k * self.radii[i])
