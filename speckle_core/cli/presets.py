"""``speckle presets``: the experiments that come with speckle-core."""

from __future__ import annotations

from speckle_core.cli.options import Json


def presets(as_json: Json = False) -> None:
    """List the experiments that come with speckle-core.

    Each is a TOML file; --json prints their full content.

    For example:

      speckle presets
      speckle run quickstart
    """
    import tomllib

    from speckle_core.cli.output import print_json, print_table
    from speckle_core.experiment.presets import presets as texts

    found = {name: tomllib.loads(text) for name, text in texts().items()}
    if as_json:
        print_json(found)
        return
    print_table(
        ("preset", "description"),
        [(name, data.get("description", "")) for name, data in found.items()],
    )
