"""A shape that the solver was not written for: ellipses, with two semi-axes and an angle."""

import attrs
import numpy as np
from scipy.special import j0, j1


@attrs.frozen(eq=False)
class Ellipses:
    centers: np.ndarray
    semi_axes: np.ndarray
    angles: np.ndarray

    @property
    def bounding_radii(self):
        return self.semi_axes.max(axis=1)

    @property
    def contrast(self):
        return np.ones(len(self))

    def __len__(self):
        return len(self.centers)

    def form_factors(self, kx, ky):
        parameters = np.column_stack([self.semi_axes, self.angles])
        return (
            EllipseShape()
            .form_factors(parameters, kx.ravel(), ky.ravel())[0]
            .reshape(len(self), *kx.shape)
        )

    def density(self, i, x, y):
        raise NotImplementedError

    @classmethod
    def refinement(cls):
        return EllipseShape()


@attrs.frozen
class EllipseShape:
    """F = 2πab J1(q)/q with q² = (a u)² + (b v)², u and v the components of k along the axes."""

    names: tuple = ("a", "b", "angle")
    bounds: tuple = ((0.0, np.inf), (0.0, np.inf), (-np.inf, np.inf))

    def start(self, radius):
        # A circle has no angle, and no way to find one: start a little longer than wide.
        radius = np.asarray(radius)
        return np.stack([1.05 * radius, 0.95 * radius, 0 * radius + 0.7], axis=-1)

    def sizes(self, parameters):
        return parameters[..., :2].max(axis=-1)

    def form_factors(self, parameters, kx, ky):
        a, b, angle = np.moveaxis(np.asarray(parameters)[..., None], -2, 0)
        cos, sin = np.cos(angle), np.sin(angle)
        u, v = cos * kx + sin * ky, cos * ky - sin * kx
        q = np.sqrt((a * u) ** 2 + (b * v) ** 2)
        safe = np.where(q == 0, 1.0, q)
        airy = np.where(q == 0, 1.0, 2 * j1(safe) / safe)
        # d(airy)/dq / q
        bend = np.where(q < 1e-4, -0.25, 2 * (safe * j0(safe) - 2 * j1(safe)) / safe**3)
        area = np.pi * a * b
        by_a = np.pi * b * airy + area * bend * a * u**2
        by_b = np.pi * a * airy + area * bend * b * v**2
        by_angle = area * bend * (a**2 - b**2) * u * v
        return area * airy, np.stack([by_a, by_b, by_angle], axis=-2)

    def build(self, centers, parameters):
        return Ellipses(centers, parameters[:, :2], parameters[:, 2])
