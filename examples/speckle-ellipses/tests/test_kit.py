"""Every component of this package against everything that its role demands."""

import pytest
from speckle_core.testing import checks_for

from speckle_ellipses import plugin

COMPONENTS = [
    *(("sampler", component) for component in plugin.speckle_samplers()),
    *(("classifier", component) for component in plugin.speckle_classifiers()),
    *(("explainer", component) for component in plugin.speckle_explainers()),
]
CASES = [
    pytest.param(component, check, id=f"{component.name}-{check}")
    for role, component in COMPONENTS
    for check in checks_for(role)
]


@pytest.mark.parametrize(("component", "check"), CASES)
def test_it_fulfils_its_role(component, check):
    check.run(component)
