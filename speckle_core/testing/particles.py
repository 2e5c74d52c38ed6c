"""Checks of particles: form factor and density must describe the same body.

Integrals are sums over a fine raster of `density`; nothing is assumed about the shape except that
it fits into its bounding radius. A body ends where its density falls below one per cent of its
peak, so that soft bodies can be checked too.
"""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Particles, SupportsChords
from speckle_core.testing.check import Check, Subject, require

#: Fraction of the peak density that counts as the edge of a body.
EDGE = 0.01
_TOLERANCE = 0.01
_COARSE, _FINE = 160, 480


@attrs.frozen(eq=False)
class Raster:
    """The density of one body on a raster about its centre."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    density: NDArray[np.float64]
    cell: float

    @property
    def area(self) -> float:
        """The integral of the density [area]."""
        return float(self.density.sum() * self.cell)


def raster(particles: Particles, i: int) -> Raster:
    """Return body `i` on a fine raster of the part of its bounding square that it occupies."""
    radius = float(particles.bounding_radii[i])
    coarse = _raster(particles, i, (-radius, radius), (-radius, radius), _COARSE)
    filled = coarse.density > EDGE * EDGE * coarse.density.max()
    require(filled.any(), f"the density of body {i} is 0 within its bounding radius")
    margin = 2 * radius / _COARSE
    sides = [
        (max(a[filled].min() - margin, -radius), min(a[filled].max() + margin, radius))
        for a in (coarse.x, coarse.y)
    ]
    return _raster(particles, i, sides[0], sides[1], _FINE)


def _raster(
    particles: Particles, i: int, x: tuple[float, float], y: tuple[float, float], points: int
) -> Raster:
    midpoints = (np.arange(points) + 0.5) / points
    dx, dy = np.meshgrid(x[0] + midpoints * (x[1] - x[0]), y[0] + midpoints * (y[1] - y[0]))
    cx, cy = (float(c) for c in particles.centers[i])
    density = np.asarray(particles.density(i, dx + cx, dy + cy), dtype=np.float64)
    return Raster(dx, dy, density, (x[1] - x[0]) * (y[1] - y[0]) / points**2)


def arrays_fit_together(particles: Particles) -> None:
    """Centres, bounding radii, contrast and form factors have the shapes for n bodies."""
    n = len(particles)
    for name, shape in (("centers", (n, 2)), ("bounding_radii", (n,)), ("contrast", (n,))):
        found = np.asarray(getattr(particles, name))
        require(found.shape == shape, f"{name} has shape {found.shape}, not {shape}")
        require(np.isfinite(found).all(), f"{name} contains NaN or infinity")
    require((np.asarray(particles.bounding_radii) > 0).all(), "a bounding radius is not positive")
    for shape in ((3,), (2, 5)):
        k = np.linspace(-0.1, 0.1, int(np.prod(shape))).reshape(shape)
        found = np.asarray(particles.form_factors(k, k[::-1]))
        require(
            found.shape == (n, *shape),
            f"form_factors returned shape {found.shape} for k of shape {shape}, not {(n, *shape)}",
        )
        require(np.isfinite(found).all(), "form_factors returned NaN or infinity")


def forward_form_factor_is_the_area(particles: Particles) -> None:
    """The form factor at k = 0 is the integral of the density, the area for contrast 1."""
    forward = np.asarray(particles.form_factors(np.zeros(1), np.zeros(1)))[:, 0]
    for i in _bodies(particles):
        area = raster(particles, i).area
        require(
            abs(forward[i] - area) <= _TOLERANCE * area,
            f"F(0) of body {i} is {forward[i]:.6g}, but the integral of its density is {area:.6g}",
        )


def form_factor_is_the_transform(particles: Particles) -> None:
    """The form factor agrees with the numerical Fourier transform of the density."""
    for i in _bodies(particles):
        body = raster(particles, i)
        spread = np.sum(body.density * (body.x**2 + body.y**2)) / body.density.sum()
        # From the flat top of the central lobe to beyond the first zero, in all directions.
        angle = np.array([0.3, 1.9, 3.6, 5.2, 0.9, 2.6])
        size = np.array([0.5, 1.1, 1.7, 2.4, 3.4, 1.4]) / np.sqrt(spread)
        kx, ky = size * np.cos(angle), size * np.sin(angle)
        given = np.asarray(particles.form_factors(kx, ky))[i]
        for x, y, found in zip(kx, ky, given, strict=True):
            expected = np.sum(body.density * np.exp(-1j * (x * body.x + y * body.y))) * body.cell
            require(
                abs(found - expected) <= _TOLERANCE * body.area,
                f"F({x:.4g}, {y:.4g}) of body {i} is {found:.6g}, "
                f"but the transform of its density is {expected:.6g}",
            )


def chords_are_the_form_factor(particles: Particles) -> None:
    """The chords of a body, if it has any, add up to its form factor."""
    if not isinstance(particles, SupportsChords):
        return
    bodies = np.array(list(_bodies(particles)), dtype=np.int64)
    k_max = 12.0 / float(np.max(particles.bounding_radii, initial=1e-300))
    angle, size = np.array([0.0, 0.4, 1.1, 1.5708]), np.array([0.2, 1.0, 0.6, 0.9]) * k_max
    kx, ky = size * np.cos(angle), size * np.sin(angle)
    owner, half_length, offset, weight = (np.asarray(a) for a in particles.chords(bodies, k_max))
    # sin(kx a) / kx; NumPy's sinc has the right limit at 0.
    along = half_length * np.sinc(np.multiply.outer(kx, half_length) / np.pi)
    terms = weight * along * np.cos(np.multiply.outer(ky, offset))
    expected = np.asarray(particles.form_factors(kx, ky))
    area = np.abs(np.asarray(particles.form_factors(np.zeros(1), np.zeros(1)))[:, 0])
    for place, i in enumerate(bodies):
        error = np.abs(terms[:, owner == place].sum(axis=1) - expected[i]).max()
        require(
            error <= 1e-9 * area[i],
            f"the chords of body {i} differ from its form factor by {error / area[i]:.2g} of F(0)",
        )


def bounding_radii_bound(particles: Particles) -> None:
    """No part of a body is outside its bounding radius."""
    for i in _bodies(particles):
        radius = float(particles.bounding_radii[i])
        around = _raster(particles, i, (-2 * radius, 2 * radius), (-2 * radius, 2 * radius), _FINE)
        outside = np.hypot(around.x, around.y) > radius * (1 + 1e-9)
        reach = around.density[outside].max()
        require(
            reach <= EDGE * around.density.max(),
            f"body {i} extends beyond its bounding radius {radius:.6g}",
        )


def _bodies(particles: Particles) -> Iterator[int]:
    """Iterate over a few representative bodies: the first, the smallest and the largest."""
    radii = np.asarray(particles.bounding_radii)
    yield from sorted({0, int(radii.argmin()), int(radii.argmax())} if len(radii) else set())


_REQUIREMENTS: tuple[tuple[str, Callable[[Particles], None]], ...] = (
    ("particles.arrays-fit-together", arrays_fit_together),
    ("particles.forward-form-factor-is-the-area", forward_form_factor_is_the_area),
    ("particles.form-factor-is-the-transform", form_factor_is_the_transform),
    ("particles.chords-are-the-form-factor", chords_are_the_form_factor),
    ("particles.bounding-radii-bound", bounding_radii_bound),
)


def particle_checks(sample: Callable[[Subject], tuple[Particles, ...]]) -> tuple[Check, ...]:
    """Return the checks of particles; `sample` returns the particles of a subject."""

    def apply_to_all(check: Callable[[Particles], None]) -> Callable[[Subject], None]:
        def run(subject: Subject) -> None:
            for particles in sample(subject):
                check(particles)

        run.__doc__ = check.__doc__
        return run

    return tuple(Check(name, apply_to_all(check)) for name, check in _REQUIREMENTS)


def own_checks() -> tuple[Check, ...]:
    """Return the checks of a function that returns particles, without a sampler."""
    return particle_checks(lambda subject: (subject.make(),))


def overlap(first: Particles, i: int, second: Particles, j: int) -> bool:
    """Return whether two bodies overlap, judged by their densities."""
    (ax, ay), (bx, by) = first.centers[i], second.centers[j]
    a, b = float(first.bounding_radii[i]), float(second.bounding_radii[j])
    if np.hypot(ax - bx, ay - by) >= a + b:
        return False
    x = _between(max(ax - a, bx - b), min(ax + a, bx + b))
    y = _between(max(ay - a, by - b), min(ay + a, by + b))
    places = np.meshgrid(x, y)
    return bool((_inside(first, i, *places) & _inside(second, j, *places)).any())


def reaches_outside(particles: Particles, i: int, box: float) -> bool:
    """Return whether body `i` extends beyond the box, judged by its density."""
    (x, y), radius = particles.centers[i], float(particles.bounding_radii[i])
    if min(x, y) >= radius and max(x, y) <= box - radius:
        return False
    px, py = np.meshgrid(_between(x - radius, x + radius), _between(y - radius, y + radius))
    outside = (np.minimum(px, py) < 0) | (np.maximum(px, py) > box)
    return bool((_inside(particles, i, px, py) & outside).any())


def _between(low: float, high: float) -> NDArray[np.float64]:
    return np.linspace(low, high, _COARSE)


def _inside(particles: Particles, i: int, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    centre = particles.centers[i]
    radius = float(particles.bounding_radii[i])
    px, py = np.meshgrid(
        _between(centre[0] - radius, centre[0] + radius),
        _between(centre[1] - radius, centre[1] + radius),
    )
    found: NDArray[np.bool_] = (
        particles.density(i, x, y) > EDGE * particles.density(i, px, py).max()
    )
    return found
