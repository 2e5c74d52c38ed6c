"""The Gaussian Schell-model beam against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from speckle_core import Configuration, KGrid, OptionError, create
from speckle_disks.disks import Disks

BOX = 2000.0
GRID = KGrid.centered(65, np.pi / BOX)


def disks(centers, radius=10.0):
    centers = np.asarray(centers, dtype=float)
    count = len(centers)
    return Configuration(
        Disks(centers=centers, radii=np.full(count, radius), contrast=np.ones(count)), BOX
    )


def beam(**options):
    return create("scatterer", "gaussian-schell", **options)


def test_without_limits_it_is_the_uniform_coherent_beam() -> None:
    drawn = create("sampler", "polydisperse").sample(7, np.random.default_rng(0))
    uniform = create("scatterer", "analytic")
    wide = beam(beam=None)
    assert np.array_equal(wide.amplitude(drawn, GRID), uniform.amplitude(drawn, GRID))
    nearly, exact = (s.intensity(drawn, GRID) for s in (beam(beam=1e6, coherence=1e6), uniform))
    assert np.linalg.norm(nearly - exact) < 1e-4 * np.linalg.norm(exact)


def test_one_body_is_as_bright_as_the_beam_where_it_lies() -> None:
    middle, aside = disks([[1000, 1000]]), disks([[1300, 600]])
    source = beam(beam=400.0, coherence=100.0)
    ratio = source.intensity(aside, GRID) / source.intensity(middle, GRID)
    expected = math.exp(-(300**2 + 400**2) / (2 * 400**2))
    np.testing.assert_allclose(ratio[20:45, 20:45], expected, rtol=1e-9)


@pytest.mark.parametrize("coherence", [100.0, 250.0, None])
@pytest.mark.parametrize("size", [200.0, None])
def test_the_fringes_of_two_bodies_have_the_visibility_of_young_s(coherence, size) -> None:
    # Zernike: visibility = 2 sqrt(S1 S2) / (S1 + S2) · |μ|.
    places = np.array([[900.0, 1000.0], [1200.0, 1000.0]])
    found = beam(beam=size, coherence=coherence).intensity(disks(places), GRID)
    alone = create("scatterer", "analytic").intensity(disks([[0.0, 0.0]]), GRID)
    fringes = (found / alone)[GRID.origin]
    one, two = (1.0, 1.0) if size is None else (np.exp(-(x**2) / (2 * size**2)) for x in (100, 200))
    mu = 1.0 if coherence is None else math.exp(-(300**2) / (2 * coherence**2))
    expected = one + two + 2 * math.sqrt(one * two) * mu * np.cos(GRID.axis * 300)
    np.testing.assert_allclose(fringes, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_the_modes_of_a_row_of_places_have_the_weights_of_the_closed_form(ratio: float) -> None:
    # Starikov and Wolf 1982: weights of one dimension go as κ^j.
    size = 150.0
    along = np.linspace(0, BOX, 201)
    light = beam(beam=size, coherence=ratio * size).illumination(
        np.stack([along, np.full(201, BOX / 2)], axis=1), BOX
    )
    weights = (light**2).sum(axis=1)
    a, b = 1 / (4 * size**2), 1 / (2 * (ratio * size) ** 2)
    kappa = b / (a + b + math.sqrt(a**2 + 2 * a * b))
    np.testing.assert_allclose(weights[:6] / weights[0], kappa ** np.arange(6), rtol=1e-6)
    degree = (weights**2).sum() / weights.sum() ** 2
    assert degree == pytest.approx(ratio / math.sqrt(4 + ratio**2), rel=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_speckle_of_many_bodies_has_the_contrast_of_so_many_modes(ratio: float) -> None:
    # A contrast of 1 / M for M modes: ζ² along both axes. Bodies are small, and k steps are wider
    # than a speckle, so that pixels are independent.
    rng = np.random.default_rng(1)
    grid = KGrid.centered(17, 0.1)
    source = beam(beam=250.0, coherence=ratio * 250.0)
    outside = np.hypot(*np.meshgrid(grid.axis, grid.axis)) > 0.2
    found = []
    for _ in range(8):
        bodies = disks(rng.uniform(0, BOX, (300, 2)), 0.2)
        speckle = source.intensity(bodies, grid)[outside]
        found.append(speckle.var() / speckle.mean() ** 2)
    assert np.mean(found) == pytest.approx(ratio**2 / (4 + ratio**2), rel=0.1)


@pytest.mark.parametrize("option", ["beam", "coherence"])
def test_a_length_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match="positive and finite"):
        beam(**{option: -1.0})
