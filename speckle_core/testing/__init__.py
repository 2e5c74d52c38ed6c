"""The conformance kit: what each role demands of a component, as plain functions with stable ids.

It is used by ``speckle plugins check NAME``, by the tests of plugins, and by the project on its own
built-ins. It imports no pytest and installs no pytest plugin: `checks_for` gives a tuple that
``pytest.mark.parametrize`` takes as it is.
"""

from __future__ import annotations

from speckle_core.testing.check import Check, CheckFailed, CheckResult, CheckSkipped
from speckle_core.testing.runner import KNOWN_NUMBER, checks_for, run_checks

__all__ = [
    "KNOWN_NUMBER",
    "Check",
    "CheckFailed",
    "CheckResult",
    "CheckSkipped",
    "checks_for",
    "run_checks",
]
