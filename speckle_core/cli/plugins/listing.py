"""``speckle plugins list``: all components, and the plugins that failed to load."""

from __future__ import annotations

from typing import Annotated

import typer

from speckle_core.cli.options import Json
from speckle_core.cli.output import echo


def list_components(
    as_json: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", metavar="", help="Exit with status 1 if a plugin is broken.")
    ] = False,
) -> None:
    """List the components of all plugins by role, and broken plugins.

    A broken plugin is left out and affects nothing else; it is listed with its version and the
    cause. Components with missing packages are listed with what to install.

    For example:

      speckle plugins list
      speckle plugins list --strict --json
    """
    from collections import Counter

    import attrs

    from speckle_core.cli.output import print_json, print_table
    from speckle_core.cli.plugins.find import all_components, describe, install_hint
    from speckle_core.plugins.manager import plugin_manager

    entries, failures = all_components(plugin_manager())
    if as_json:
        broken = [attrs.asdict(f.provider) | {"cause": f.cause} for f in failures]
        print_json({"components": [describe(e) for e in entries], "broken": broken})
    else:
        times = Counter((e.role, e.component.name) for e in entries)
        rows = [
            (
                e.role,
                e.component.name if times[e.role, e.component.name] == 1 else e.qualified,
                e.component.summary,
                e.provider,
            )
            for e in entries
        ]
        print_table(("role", "name", "summary", "from"), rows)
        for title, lines in (
            ("Not ready:", [install_hint(e) for e in entries if install_hint(e)]),
            ("Broken and left out:", [f"{f.provider}: {f.cause}" for f in failures]),
        ):
            if lines:
                echo("\n" + "\n  ".join([title, *lines]))
    if strict and failures:
        raise typer.Exit(1)
