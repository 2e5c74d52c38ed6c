"""Checks of scatterers: the amplitude is the sum over bodies of any shape.

They use blobs (`specimens.Blobs`) for which the sum has a closed form. Amplitudes may deviate by
half a per cent of their norm, as those of a raster do. A beam that is finite or partially coherent
(`SupportsModes`) is checked mode by mode, against the sum over bodies as it lights them.
"""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

from typing import Any, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.capabilities import SupportsModes
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import SupportsIntensities
from speckle_core.testing.check import Check, CheckSkipped, Subject, require
from speckle_core.testing.specimens import BOX, GRID, blobs, direct_sum

_TOLERANCE = 5e-3


def _configuration() -> Configuration:
    return Configuration(blobs(5, 1), BOX)


def _require_close(found: NDArray[Any], expected: NDArray[Any], what: str) -> None:
    off = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    require(off <= _TOLERANCE, f"{what}: off by {off:.2g} of the norm")


def _expected(scatterer: Any, configuration: Configuration, grid: KGrid) -> NDArray[Any]:
    """Return the direct sum in each mode of the scatterer's beam, complex (modes, ny, nx)."""
    if not isinstance(scatterer, SupportsModes):
        return direct_sum(configuration, grid)[None]
    positions = np.concatenate([p.centers for p in configuration.particles])
    light = np.asarray(scatterer.illumination(positions, configuration.box))
    shape = (len(positions),)
    require(light.ndim == 2 and light.shape[1:] == shape, f"illumination of shape {light.shape}")
    require(np.isfinite(light).all(), "the illumination is NaN or infinite")
    ends = np.cumsum([len(p) for p in configuration.particles])
    parts = np.split(light, ends[:-1], axis=1)
    modes = []
    for fields in zip(*parts, strict=True):
        lit = [
            attrs.evolve(cast(Any, p), contrast=p.contrast * field)
            for p, field in zip(configuration.particles, fields, strict=True)
        ]
        modes.append(direct_sum(Configuration(tuple(lit), configuration.box), grid))
    return np.array(modes)


def _modes(scatterer: Any, configuration: Configuration, grid: KGrid) -> NDArray[Any]:
    """Return the amplitude of each mode, of which a uniform and coherent beam has one."""
    if isinstance(scatterer, SupportsModes):
        return np.asarray(scatterer.amplitudes(configuration, grid))
    return np.asarray(scatterer.amplitude(configuration, grid))[None]


def _require_direct_sum(subject: Subject, configuration: Configuration, grid: KGrid) -> None:
    scatterer = subject.make()
    expected = _expected(scatterer, configuration, grid)
    found = _modes(scatterer, configuration, grid)
    require(found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}")
    _require_close(found, expected, "the amplitude is not the direct sum")


def finite_and_shaped(subject: Subject) -> None:
    """The amplitude is finite, complex, of the grid's shape; the intensity is its square."""
    scatterer = subject.make()
    for grid in (GRID, KGrid.quadrant(20, 0.003)):
        amplitude = np.asarray(scatterer.amplitude(_configuration(), grid))
        require(amplitude.shape == grid.shape, f"shape {amplitude.shape} on a grid {grid.shape}")
        require(np.iscomplexobj(amplitude), f"amplitudes are {amplitude.dtype}, not complex")
        require(np.isfinite(amplitude).all(), "an amplitude is NaN or infinite")
        intensity = np.asarray(scatterer.intensity(_configuration(), grid))
        require(np.isrealobj(intensity), f"intensities are {intensity.dtype}, not real")
        modes = _modes(scatterer, _configuration(), grid)
        square = (np.abs(modes) ** 2).sum(axis=0)
        require(
            np.allclose(intensity, square, rtol=1e-5, atol=1e-6 * intensity.max()),
            "intensity is not the amplitude's absolute square, summed over the modes of the beam",
        )
        require(np.array_equal(modes[0], amplitude), "the amplitude is not that of the first mode")


def deterministic(subject: Subject) -> None:
    """The same configuration gives the same bits, again and from a new scatterer."""
    scatterer = subject.make()
    first = scatterer.amplitude(_configuration(), GRID)
    for other in (scatterer, subject.make()):
        again = other.amplitude(_configuration(), GRID)
        require(np.array_equal(first, again), "a second call gave another amplitude")


def input_unchanged(subject: Subject) -> None:
    """The configuration is left unchanged."""
    particles = blobs(5, 1)
    configuration = Configuration(particles, BOX)
    before = [np.copy(a) for a in attrs.astuple(particles, recurse=False)]
    subject.make().intensity(configuration, GRID)
    after = attrs.astuple(particles, recurse=False)
    same = configuration.particles == (particles,) and all(
        np.array_equal(a, b) for a, b in zip(before, after, strict=True)
    )
    require(same, "the particles have changed")


def translation_leaves_the_intensity(subject: Subject) -> None:
    """Translating all bodies leaves the intensity unchanged, in a uniform beam."""
    scatterer, particles = subject.make(), blobs(5, 1)
    if isinstance(scatterer, SupportsModes):
        raise CheckSkipped("its beam does not move with the bodies")
    moved = attrs.evolve(particles, centers=particles.centers + np.array([31.3, -47.8]))
    first, second = (
        np.asarray(scatterer.intensity(Configuration(p, BOX), GRID)) for p in (particles, moved)
    )
    _require_close(second, first, "the intensity changed")


def minus_k_is_k(subject: Subject) -> None:
    """For real contrast, I(-k) = I(k) (Friedel's law)."""
    scatterer, configuration = subject.make(), _configuration()
    if isinstance(scatterer, SupportsModes):
        light = scatterer.illumination(blobs(5, 1).centers, BOX)
        if np.iscomplexobj(light) and np.any(np.imag(light)):
            raise CheckSkipped("its beam is curved")
    found = np.asarray(scatterer.intensity(configuration, GRID))
    _require_close(found[::-1, ::-1], found, "I(-k) differs from I(k)")


def works_on_a_strange_shape(subject: Subject) -> None:
    """A shape unknown to any plugin gives the direct sum over its form factors."""
    _require_direct_sum(subject, _configuration(), GRID)


def works_on_a_quadrant(subject: Subject) -> None:
    """On a quadrant grid, too, the amplitude is the direct sum."""
    _require_direct_sum(subject, _configuration(), KGrid.quadrant(20, 0.003))


def contrast_counts(subject: Subject) -> None:
    """Bodies are weighted by their complex contrast."""
    contrast = np.array([1.0, -0.6, 0.3 + 0.7j, 2.0j])
    _require_direct_sum(subject, Configuration(blobs(4, 2, contrast=contrast), BOX), GRID)


def shapes_mix(subject: Subject) -> None:
    """A configuration of several particle classes gives the sum over all."""
    mixed = (blobs(3, 3), blobs(2, 4, width=60.0))
    _require_direct_sum(subject, Configuration(mixed, BOX), GRID)


def many_at_once_is_one_by_one(subject: Subject) -> None:
    """If it has `intensities`, these equal the intensities computed one by one."""
    scatterer = subject.make()
    if not isinstance(scatterer, SupportsIntensities):
        raise CheckSkipped("it does not have the optional method intensities")
    one_by_one: Any = scatterer
    several = [Configuration(blobs(n, n), BOX) for n in (4, 1, 6)]
    found = scatterer.intensities(several, GRID)
    expected = np.array([one_by_one.intensity(c, GRID) for c in several])
    require(found.dtype == np.float32, f"intensities are {found.dtype}, not float32")
    require(found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}")
    for one, other in zip(found, expected, strict=True):
        off = float(np.linalg.norm(one - other) / np.linalg.norm(other))
        require(off <= 1e-5, f"they differ from single intensities by {off:.2g} of the norm")


CHECKS = (
    Check("scatterer.finite-and-shaped", finite_and_shaped),
    Check("scatterer.deterministic", deterministic),
    Check("scatterer.input-unchanged", input_unchanged),
    Check("scatterer.translation-leaves-the-intensity", translation_leaves_the_intensity),
    Check("scatterer.minus-k-is-k", minus_k_is_k),
    Check("scatterer.works-on-a-strange-shape", works_on_a_strange_shape),
    Check("scatterer.works-on-a-quadrant", works_on_a_quadrant),
    Check("scatterer.contrast-counts", contrast_counts),
    Check("scatterer.shapes-mix", shapes_mix),
    Check("scatterer.many-at-once-is-one-by-one", many_at_once_is_one_by_one),
)
