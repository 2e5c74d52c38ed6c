"""Explanations as files: a picture of each map, and all numbers in one HDF5 file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from speckle_core import __version__, figures
from speckle_core.atomic import make_folder, write_bytes
from speckle_core.dataset.nexus import field, group
from speckle_core.gather import hidden, rectangle
from speckle_core.patterns import PatternSet

NUMBERS = "explanations.h5"


def write_maps(
    found: dict[str, Any], whole: PatternSet, folder: Path, about: Mapping[str, str]
) -> list[str]:
    """Write a picture of every map, and one file of all numbers; return the names of the files.

    Parameters
    ----------
    found : dict
        ``maps`` by explainer, and arrays beside them: one row a pattern, but for the classes.
    whole : PatternSet
        The set that was explained, for its grid and its beamstop.
    folder : Path
        Where to write.
    about : mapping of str to str
        Attributes of the file of numbers: the recipe.

    Raises
    ------
    OutputError
        When a file cannot be written; those already there are whole.
    """
    make_folder(folder)
    blocked = rectangle(hidden(whole.steps, whole.grid))
    files = []
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        names = list(found["maps"])
        file.attrs.update({**about, "default": "maps", "creator": f"speckle-core {__version__}"})
        home = group(file, "maps", "NXdata", signal=names[0], auxiliary_signals=names[1:])
        for name, maps in found.pop("maps").items():
            field(home, name, maps, long_name=f"{name} of the class in targets")
            for row, place in enumerate(found["index"].tolist()):
                files.append(f"{name}-{place:05d}.png")
                figure = figures.explanation_panel(
                    found["patterns"][row],
                    maps[row],
                    found["probabilities"][row],
                    found["classes"],
                    grid=whole.grid,
                    target=int(found["targets"][row]),
                    truth=int(found["labels"][row]),
                    blocked=blocked,
                    title=f"{name}, pattern {place}",
                )
                figures.save(figure, folder / files[-1])
        for name, values in found.items():
            field(file, name, values)
    write_bytes(folder / NUMBERS, memory.getvalue())
    return [*files, NUMBERS]
