"""List and run the checks of a role.

The number of checks of each role is written down here, since a kit without checks would pass
everything.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

from speckle_core.contracts.roles import Role
from speckle_core.errors import ExperimentError, SpeckleError, nearest
from speckle_core.testing import (
    capabilities,
    classifier,
    detector,
    explainer,
    particles,
    preprocessor,
    reader,
    sampler,
    scatterer,
    solver,
    values,
)
from speckle_core.testing.check import (
    Check,
    CheckFailed,
    CheckResult,
    CheckSkipped,
    Factory,
    Outcome,
    Subject,
)
from speckle_core.testing.common import common_checks

Subjects = Role | Literal["particles"]

#: Number of checks of each role; a kit with fewer is broken.
KNOWN_NUMBER: Mapping[Subjects, int] = {
    "sampler": 17,
    "particles": 5,
    "scatterer": 16,
    "preprocessor": 10,
    "classifier": 24,
    "explainer": 14,
    "solver": 14,
    "reader": 11,
    "detector": 11,
}
COMPLETE = "kit.complete"


def _collect(role: Subjects) -> tuple[Check, ...]:
    if role == "particles":
        return particles.own_checks()
    modules = {
        "sampler": sampler,
        "scatterer": scatterer,
        "preprocessor": preprocessor,
        "classifier": classifier,
        "explainer": explainer,
        "solver": solver,
        "reader": reader,
        "detector": detector,
    }
    more = (*capabilities.CHECKS, *values.CHECKS) if role == "classifier" else ()
    return (*common_checks(role), *modules[role].CHECKS, *more)


def checks_for(role: Subjects) -> tuple[Check, ...]:
    """Return all checks of a role, in the order in which they run.

    Parameters
    ----------
    role : str
        A role, or ``"particles"`` for a function without arguments that returns particles.

    Raises
    ------
    CheckFailed
        When there are fewer checks than expected: the kit itself is then broken.

    Examples
    --------
    In a plugin's own tests::

        @pytest.mark.parametrize("check", checks_for("sampler"), ids=str)
        def test_my_sampler_conforms(check):
            check.run(MySampler)
    """
    found = _collect(role)
    if len(found) < KNOWN_NUMBER[role]:
        raise CheckFailed(
            f"the kit has {len(found)} checks for the role {role!r}, not {KNOWN_NUMBER[role]}",
            where=COMPLETE,
            hint="This installation of speckle-core is damaged; reinstall it.",
        )
    return found


def run_checks(
    role: Subjects,
    component: Factory,
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Run every check of `role` on a component and return the results.

    Parameters
    ----------
    role : str
        The role, or ``"particles"``.
    component : Component or callable
        The component as registered by a plugin, or its class.
    options : mapping, optional
        Options to create it with, such as few `epochs`.
    expected_failures : mapping, optional
        Ids of checks that are known to fail → the reason. If one passes, that is an unexpected
        pass.
    on_result : callable, optional
        Called with each result.

    Returns
    -------
    list of CheckResult
        One per check, and finally ``kit.complete``, which fails if fewer checks ran than the role
        has, or if none passed.

    Raises
    ------
    ExperimentError
        When `expected_failures` has an unknown check or an empty reason.
    """
    expected = dict(expected_failures or {})
    checks = _collect(role)
    _check_expected_failures(expected, [check.id for check in checks])
    subject = Subject(component, options or {})
    results = []
    for check in checks:
        results.append(_result(check, subject, expected.get(check.id)))
        if on_result is not None:
            on_result(results[-1])
    results.append(_check_complete(results, KNOWN_NUMBER[role]))
    if on_result is not None:
        on_result(results[-1])
    return results


def _check_expected_failures(expected: Mapping[str, str], known: list[str]) -> None:
    for name, reason in expected.items():
        if name not in known:
            near = nearest(name, known)
            raise ExperimentError(
                f"unknown check {name!r}",
                where="expected_failures",
                hint=f"Did you mean {near[0]!r}?" if near else f"Checks: {', '.join(known)}.",
            )
        if not reason.strip():
            raise ExperimentError("has no reason", where=f"expected_failures.{name}")


def _result(check: Check, subject: Subject, reason: str | None) -> CheckResult:
    start = time.perf_counter()
    outcome: Outcome = "passed"
    message = ""
    try:
        check.run(subject)
    except CheckSkipped as skipped:
        outcome, message = "skipped", skipped.what
    except SpeckleError as error:
        outcome, message = "failed", _message(error)
    except Exception as error:
        outcome, message = "failed", f"it raised {type(error).__name__}: {error}"
    if reason is not None and outcome == "failed":
        outcome, message = "expected-failure", f"{reason} ({message})"
    elif reason is not None and outcome == "passed":
        outcome, message = "unexpected-pass", f"it passes, but was expected to fail: {reason}"
    return CheckResult(check.id, outcome, message, time.perf_counter() - start)


def _message(error: SpeckleError) -> str:
    return f"{error.what}. {error.hint}" if error.hint else error.what


def _check_complete(results: list[CheckResult], known: int) -> CheckResult:
    """Return the check of the kit itself: skipped checks count, a missing check is a failure."""
    count = Counter(result.outcome for result in results)
    message = f"{len(results)} of {known} checks: " + ", ".join(
        f"{number} {outcome}" for outcome, number in count.items()
    )
    complete = len(results) >= known and count["passed"] > 0
    return CheckResult(COMPLETE, "passed" if complete else "failed", message, 0.0)
