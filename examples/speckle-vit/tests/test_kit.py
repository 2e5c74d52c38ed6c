"""The component against everything that its role demands."""

import pytest
from speckle_core.testing import Subject, checks_for

from speckle_vit.plugin import speckle_classifiers

(COMPONENT,) = speckle_classifiers()
SUBJECT = Subject(COMPONENT, {"width": 16, "depth": 2})


@pytest.mark.parametrize("check", checks_for("classifier"), ids=str)
def test_it_fulfils_its_role(check):
    check.run(SUBJECT)
