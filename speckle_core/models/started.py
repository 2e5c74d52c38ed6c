"""The file that marks a folder as that of a training, from its start until the model is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from speckle_core.errors import ExperimentError, OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import empty, require_regular
from speckle_core.models.folder import read_record
from speckle_core.notes import read_json, write_json

STARTED = "training.json"


def origin_of(start: Path) -> dict[str, str]:
    """Return the name and the fingerprint of a model that a training starts from."""
    read_record(start)
    digest = hashlib.sha256()
    for path in sorted((start / "classifier").iterdir()):
        require_regular(path)
        digest.update(path.name.encode() + path.read_bytes())
    return {"model": start.resolve().name, "sha256": digest.hexdigest()}


def mark_started(folder: Path, experiment: Experiment, origin: dict[str, str] | None) -> None:
    """Write the mark."""
    begun = {"experiment": experiment.to_dict()} | ({"from": origin} if origin else {})
    write_json(folder / STARTED, begun)


def is_ours(folder: Path, experiment: Experiment, origin: dict[str, str] | None) -> bool:
    """Say whether `folder` is this training's already; False when it may become so.

    Raises
    ------
    OutputError
        When it is something else's.
    """
    mark = folder / STARTED
    if mark.is_file():
        begun, earlier = _read_mark(mark)
        found = experiment.departures(begun)
        if earlier != origin:
            found.append("the model that it starts from (--from)")
        if found:
            raise OutputError(
                f"contains the training of another experiment; they differ in {', '.join(found)}",
                where=str(folder),
                hint="Choose another folder for -o.",
            )
        return True
    if not empty(folder):
        raise OutputError(
            "is not empty and contains no speckle training",
            where=str(folder),
            hint="Choose another folder for -o.",
        )
    return False


def _read_mark(mark: Path) -> tuple[Experiment, Any]:
    try:
        said = read_json(mark)
        return Experiment.from_dict(said["experiment"], str(mark)), said.get("from")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ExperimentError) as error:
        raise OutputError(
            f"is not a valid training record: {error}",
            where=str(mark),
            hint="Choose another folder for -o.",
        ) from error
