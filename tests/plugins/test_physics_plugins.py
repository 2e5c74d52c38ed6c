"""What the three plugins say of themselves."""

import subprocess
import sys

import pytest

import speckle_disks.plugin
import speckle_prepare.plugin
import speckle_scatter.plugin
from speckle_core.plugins.component import options_of

COMPONENTS = [
    *speckle_disks.plugin.speckle_samplers(),
    *speckle_scatter.plugin.speckle_scatterers(),
    *speckle_prepare.plugin.speckle_preprocessors(),
]


def test_the_plugins_offer_the_names_that_are_fixed():
    assert [component.name for component in COMPONENTS] == [
        "monodisperse",
        "polydisperse",
        "analytic",
        "fft",
        "nufft",
        "gaussian-schell",
        "block-center",
        "standardize",
        "min-max",
        "log",
    ]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.name)
def test_a_component_builds_with_defaults_and_prints_as_it_can_be_built(component):
    factory = component.resolve()
    made = factory()
    assert eval(repr(made), {factory.__name__: factory}) == made
    assert component.summary.endswith(".")
    assert component.reference


OPTIONS = {
    "monodisperse": {"box": 2000.0, "radius": None, "gap": 2.0, "exclusion": "own"},
    "polydisperse": {
        "box": 2000.0,
        "dispersion": 1 / 3,
        "of": "radius",
        "radii_per": "configuration",
        "total_area": None,
        "gap": 2.0,
        "exclusion": "own",
        "sizes_seed": 0,
    },
    "analytic": {},
    "nufft": {},
    "fft": {"pixels": 2001},
    "gaussian-schell": {"beam": 500.0, "coherence": None},
    "block-center": {"size": 11},
    "standardize": {"window": None},
    "min-max": {},
    "log": {"scale": 1.0},
}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.name)
def test_options_and_their_defaults_are_those_promised(component):
    options = options_of(component.resolve())
    assert {option.name: option.default for option in options} == OPTIONS[component.name]


def test_listing_the_plugins_imports_no_numerical_library():
    script = (
        "import sys, speckle_disks.plugin as d, speckle_scatter.plugin as s, "
        "speckle_prepare.plugin as p\n"
        "[*d.speckle_samplers(), *s.speckle_scatterers(), *p.speckle_preprocessors()]\n"
        "print([m for m in ('numpy', 'scipy', 'h5py', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
