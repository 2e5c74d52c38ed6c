"""``speckle models list``: names and descriptions."""

from __future__ import annotations

from typing import Any

from speckle_core.cli.options import Json


def list_models(as_json: Json = False) -> None:
    """List the trained models that come with speckle-core.

    Their names stand for their folders wherever a command takes a model.

    For example:

      speckle models list
      speckle predict specklenet-poly pattern.h5
    """
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.models.folder import read_record
    from speckle_core.models.shipped import shipped_models

    found: dict[str, dict[str, Any]] = {}
    for name, folder in shipped_models().items():
        record = read_record(folder)
        found[name] = {
            "classifier": record.classifier.name,
            "classes": list(record.classes),
            "size": record.grid.size,
            "description": record.experiment.description,
            "folder": str(folder),
        }
    if as_json:
        print_json(found)
        return
    print_table(
        ("model", "n", "pixels", "trained on"),
        [
            (
                name,
                f"{about['classes'][0]} to {about['classes'][-1]}",
                f"{about['size']} × {about['size']}",
                about["description"],
            )
            for name, about in found.items()
        ],
    )
