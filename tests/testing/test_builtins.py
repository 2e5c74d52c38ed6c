"""Whatever is installed conforms: the built-ins are held to the kit as anyone's plugin is."""

import pytest

from speckle_core import plugin_manager
from speckle_core.plugins.records import missing
from speckle_core.testing import KNOWN_NUMBER, checks_for, run_checks

INSTALLED = plugin_manager().components()
UNTRAINED = [check for check in checks_for("classifier") if check.id.startswith("component.")]
#: The paper's network has learnt the kit's patterns after two epochs; each takes half a second.
OPTIONS = {"torch-resnet50": {"epochs": 6}}


def uses(registered, framework):
    return framework in registered.component.requires


def case(registered):
    name = f"{registered.role}-{registered.component.name}"
    return pytest.param(
        registered, id=name, marks=[pytest.mark.framework] * uses(registered, "torch")
    )


@pytest.mark.parametrize("registered", [case(r) for r in INSTALLED if not uses(r, "keras")])
def test_a_built_in_conforms(registered):
    if missing(registered.component):
        pytest.skip(f"{' and '.join(missing(registered.component))} is not installed")
    name = registered.component.name
    results = run_checks(registered.role, registered.component, options=OPTIONS.get(name))
    assert len(results) == KNOWN_NUMBER[registered.role] + 1
    assert [(r.id, r.outcome, r.message) for r in results if not r.ok] == []


@pytest.mark.parametrize("check", UNTRAINED, ids=str)
def test_the_keras_network_conforms_before_it_is_trained(check):
    """Training it takes a process without torch: plugins/speckle_keras/inside does the rest."""
    check.run(plugin_manager().find("classifier", "keras-resnet50").component)


def test_something_is_installed_to_be_checked():
    assert INSTALLED
