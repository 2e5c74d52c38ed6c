"""``speckle plugins show``: one component with its options."""

from __future__ import annotations

import textwrap

from speckle_core.cli.options import Json
from speckle_core.cli.output import echo
from speckle_core.cli.plugins.find import Name


def show_component(name: Name, as_json: Json = False) -> None:
    """Show a component: its summary, its plugin, and its options with their defaults.

    Options are set beside the component's name in an experiment file, or with --set.

    For example:

      speckle plugins show monodisperse
      speckle run quickstart --set structure.sampler.gap=4.0
    """
    import json
    from typing import Any

    from speckle_core.cli.output import print_json, print_table
    from speckle_core.cli.plugins.find import describe, find, install_hint
    from speckle_core.experiment.schema import plain
    from speckle_core.plugins.component import Option, options_of
    from speckle_core.plugins.manager import plugin_manager
    from speckle_core.plugins.meanings import meanings_of

    manager = plugin_manager()
    found: list[dict[str, Any]] = []
    for entry in find(manager, name):
        factory = manager.factory(entry.role, entry.qualified)
        told = meanings_of(factory)
        options = [
            {"name": option.name, "type": option.type_name, "meaning": told.get(option.name, "")}
            | ({} if option.default is Option.required else {"default": plain(option.default)})
            for option in options_of(factory)
        ]
        found.append(describe(entry) | {"options": options})
        if as_json:
            continue
        component = entry.component
        echo(f"{entry.role} {component.name}, from {entry.provider}")
        echo(f"  {component.summary}")
        for line in (
            component.reference and f"Reference: {component.reference}.",
            install_hint(entry),
        ):
            if line:
                echo(f"  {line}")
        echo("\nNo options." if not options else "")
        if options:
            rows = [
                (
                    o["name"],
                    o["type"],
                    json.dumps(o["default"]) if "default" in o else "required",
                )
                for o in options
            ]
            print_table(("option", "type", "default"), rows)
            echo()
            for option in options:
                echo(explained(option["name"], option["meaning"]))
    if as_json:
        print_json({"components": found})


def explained(name: str, meaning: str) -> str:
    """Return an option with its meaning, wrapped and without the marks of a page."""
    text = meaning.replace("``", "").replace("`", "") or "(its plugin does not say)"
    return textwrap.fill(f"{name}: {text}", 78, subsequent_indent="    ")
