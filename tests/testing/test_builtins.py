"""Whatever is installed conforms: the built-ins are held to the kit as anyone's plugin is."""

import attrs
import pytest

from speckle_core import plugin_manager
from speckle_core.plugins.records import missing
from speckle_core.testing import KNOWN_NUMBER, checks_for, run_checks
from tests.warm_kit import asking_warm

INSTALLED = plugin_manager().components()
UNTRAINED = [check for check in checks_for("classifier") if check.id.startswith("component.")]
#: With these a small network learns the kit's patterns.
OPTIONS = {
    "torch-resnet50": {"epochs": 20, "batch_size": 4, "learning_rate": 0.01},
    "torch-specklenet": {"epochs": 20, "batch_size": 8},
}


@pytest.fixture(scope="module", autouse=True)
def at_once(programs):
    with asking_warm(programs):
        yield


def uses(registered, framework):
    return framework in registered.component.requires


def case(registered):
    name = f"{registered.role}-{registered.component.name}"
    return pytest.param(
        registered, id=name, marks=[pytest.mark.framework] * uses(registered, "torch")
    )


def small_network():
    """Return the paper's classifier around a small network: its own answers to the parity tests."""
    from tests.plugins.speckle_torch.tiny_network import Tiny

    return Tiny


@pytest.mark.parametrize("registered", [case(r) for r in INSTALLED if not uses(r, "keras")])
def test_a_built_in_conforms(registered):
    if missing(registered.component):
        pytest.skip(f"{' and '.join(missing(registered.component))} is not installed")
    component = registered.component
    if component.name == "torch-resnet50":
        component = attrs.evolve(component, factory=small_network())
    results = run_checks(registered.role, component, options=OPTIONS.get(component.name))
    assert len(results) == KNOWN_NUMBER[registered.role] + 1
    assert [(r.id, r.outcome, r.message) for r in results if not r.ok] == []


@pytest.mark.parametrize("check", UNTRAINED, ids=str)
def test_the_keras_network_conforms_before_it_is_trained(check):
    """Training it takes a process without torch: plugins/speckle_keras/inside does the rest."""
    check.run(plugin_manager().find("classifier", "keras-resnet50").component)


def test_something_is_installed_to_be_checked():
    assert INSTALLED
