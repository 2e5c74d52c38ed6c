"""Disks and spheres: form factors against quadrature, and what a solver is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import j0

from speckle_core import RefinableShape, SupportsRadialFormFactors, SupportsRefinement
from speckle_core.contracts.refinement import SupportsScaledProfile
from speckle_core.testing import checks_for
from speckle_disks.disks import Disks
from speckle_disks.spheres import Spheres

KINDS = pytest.mark.parametrize("kind", [Disks, Spheres])
CENTERS = np.array([[700.0, 900.0], [1200.0, 1100.0]])
RADII = np.array([60.0, 35.0])


def test_a_sphere_scatters_as_the_transform_of_its_thickness() -> None:
    """F(k) = ∫ 2√(R² - r²) J0(kr) 2πr dr, by quadrature."""
    spheres = Spheres(CENTERS, RADII)
    for k in (0.0, 1e-5, 4e-4, 6e-4, 0.02, 0.11):
        for i, radius in enumerate(RADII.tolist()):
            expected, _ = quad(
                lambda r, k=k, radius=radius: 4 * np.pi * r * np.sqrt(radius**2 - r**2) * j0(k * r),
                0,
                radius,
                epsabs=1e-3,
                limit=200,
            )
            found = spheres.radial_form_factor(i, np.array([k]))[0]
            assert found == pytest.approx(expected, rel=1e-8, abs=1e-2)


@KINDS
@pytest.mark.parametrize("check", checks_for("particles"), ids=str)
def test_round_bodies_are_particles_as_the_kit_demands(kind: Any, check: Any) -> None:
    check.run(lambda: kind(CENTERS, RADII))


@KINDS
def test_round_bodies_offer_the_optional_capabilities(kind: Any) -> None:
    assert isinstance(kind(CENTERS, RADII), SupportsRadialFormFactors)
    assert isinstance(kind, SupportsRefinement)
    assert isinstance(kind.refinement(), RefinableShape)
    assert isinstance(kind.refinement(), SupportsScaledProfile)


@KINDS
def test_refined_form_factors_are_those_of_the_bodies_and_derivatives_their_differences(
    kind: Any,
) -> None:
    shape = kind.refinement()
    kx, ky = np.append(np.random.default_rng(0).uniform(-0.1, 0.1, (2, 30)), np.zeros((2, 1)), 1)
    parameters = shape.start(RADII)
    values, slopes = shape.form_factors(parameters, kx, ky)
    built = shape.build(CENTERS, parameters)
    np.testing.assert_allclose(built.form_factors(kx, ky), values, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(shape.sizes(parameters), built.bounding_radii)
    step = 1e-4
    up, down = (shape.form_factors(parameters + s * step, kx, ky)[0] for s in (1, -1))
    np.testing.assert_allclose(slopes[:, 0], (up - down) / (2 * step), rtol=1e-5, atol=1e-2)
