"""The conformance kit: what each role requires of a component, as plain functions with stable ids.

It is used by ``speckle plugins check NAME``, by the tests of plugins, and by this project on its
built-ins. It does not import pytest: `checks_for` returns a tuple that can be passed to
``pytest.mark.parametrize``.
"""

from __future__ import annotations

from speckle_core.testing.check import Check, CheckFailed, CheckResult, CheckSkipped, Subject
from speckle_core.testing.runner import KNOWN_NUMBER, checks_for, run_checks

__all__ = [
    "KNOWN_NUMBER",
    "Check",
    "CheckFailed",
    "CheckResult",
    "CheckSkipped",
    "Subject",
    "checks_for",
    "run_checks",
]
