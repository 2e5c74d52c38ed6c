"""``speckle plugins list``: every component, and every plugin that was left out."""

from __future__ import annotations

from typing import Annotated

import typer

from speckle_core.cli.options import Json


def list_components(
    as_json: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 1 if a plugin is broken.")
    ] = False,
) -> None:
    """List what all plugins offer, by role, and the plugins that are broken.

    A broken plugin is left out and costs nothing else; it is listed with its version and the
    cause. A component whose packages are not installed is listed with what to install.

    For example:

      speckle plugins list
      speckle plugins list --strict --json
    """
    from collections import Counter

    import attrs

    from speckle_core.cli.output import print_json, print_table
    from speckle_core.cli.plugins.find import described, everything, remedy
    from speckle_core.plugins.manager import plugin_manager

    entries, failures = everything(plugin_manager())
    if as_json:
        broken = [attrs.asdict(f.provider) | {"cause": f.cause} for f in failures]
        print_json({"components": [described(e) for e in entries], "broken": broken})
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
        print_table(("role", "name", "what it does", "from"), rows)
        for title, lines in (
            ("Not ready:", [remedy(e) for e in entries if remedy(e)]),
            ("Broken, and left out:", [f"{f.provider}: {f.cause}" for f in failures]),
        ):
            if lines:
                typer.echo("\n" + "\n  ".join([title, *lines]))
    if strict and failures:
        raise typer.Exit(1)
