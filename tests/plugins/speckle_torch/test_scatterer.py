"""`torch-analytic` against `analytic`, on the CPU."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from speckle_core import Configuration, KGrid, OptionError, create
from speckle_core.testing import run_checks
from speckle_torch.scatterer import TorchAnalytic


def systems(kind: str) -> list[Configuration]:
    """Return configurations of different numbers of disks, equal or not, spheres, or both."""
    disks = create("sampler", "polydisperse" if kind == "unequal" else "monodisperse")
    made = [disks.sample(n, np.random.default_rng(n)) for n in (2, 20, 5, 40)]
    if kind == "complex":
        phase = np.exp(1j * np.arange(40))
        return [
            Configuration(
                attrs.evolve(c.particles[0], contrast=phase[: len(c.particles[0])]), c.box
            )
            for c in made
        ]
    if kind == "with spheres":
        from speckle_disks.spheres import Spheres

        balls = Spheres([[900.0, 300.0], [400.0, 1500.0]], [50.0, 80.0], [2.0, -1.0])
        return [Configuration((*c.particles, balls), c.box) for c in made]
    return made


@pytest.mark.parametrize("layout", ["centered", "quadrant"])
@pytest.mark.parametrize("kind", ["equal", "unequal", "complex", "with spheres"])
def test_patterns_are_those_of_analytic(kind: str, layout: str) -> None:
    grid = KGrid(layout, 257, np.pi / 2000)
    made = systems(kind)
    exact = create("scatterer", "analytic").intensities(made, grid)
    found = create("scatterer", "torch-analytic", device="cpu").intensities(made, grid)
    assert found.dtype == np.float32
    for one, other in zip(found, exact, strict=True):
        assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(other)
        rim = np.s_[-20:, -20:]
        assert np.linalg.norm((one - other)[rim]) < 1e-4 * np.linalg.norm(other[rim])


def test_it_passes_the_kit_and_refuses_a_device_that_is_not_there() -> None:
    for result in run_checks("scatterer", TorchAnalytic):
        assert result.outcome != "failed", result
    with pytest.raises(OptionError, match="device"):
        create("scatterer", "torch-analytic", device="tpu").amplitude(
            systems("equal")[0], KGrid.centered(9, 0.1)
        )
