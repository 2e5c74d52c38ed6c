"""``speckle plugins check``: the conformance kit, run on one component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from speckle_core.cli.options import Json
from speckle_core.cli.output import echo
from speckle_core.cli.plugins.find import Name

if TYPE_CHECKING:
    from speckle_core.testing import CheckResult


def check_component(name: Name, as_json: Json = False) -> None:
    """Check that a component fulfils its role; the exit status is 1 if it does not.

    The same checks can be run in a plugin's own tests: see speckle_core.testing.

    For example:

      speckle plugins check monodisperse
      speckle plugins check my-plugin/ellipses --json
    """
    import attrs

    from speckle_core.cli.failure import say
    from speckle_core.cli.output import print_json
    from speckle_core.cli.plugins.find import find
    from speckle_core.plugins.manager import plugin_manager
    from speckle_core.plugins.records import require
    from speckle_core.testing import run_checks

    def show(result: CheckResult) -> None:
        if not as_json:
            why = "" if result.outcome == "passed" else f": {result.message}"
            echo(f"  {result.outcome:<8} {result.id}{why}")

    found = []
    for entry in find(plugin_manager(), name):
        require(entry)
        say(f"checking the {entry.role} {entry.component.name}, from {entry.provider}")
        results = run_checks(entry.role, entry.component, on_result=show)
        found.append((entry, results))
    ok = all(result.ok for _, results in found for result in results)
    if as_json:
        checked = [
            {
                "role": entry.role,
                "name": entry.qualified,
                "ok": all(result.ok for result in results),
                "checks": [attrs.asdict(result) for result in results],
            }
            for entry, results in found
        ]
        print_json({"ok": ok, "components": checked})
    if not ok:
        raise typer.Exit(1)
