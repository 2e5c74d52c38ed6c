"""The history of a training in its model folder: one row per epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from speckle_core.contracts.roles import Epoch
from speckle_core.errors import ModelError
from speckle_core.files import write_text
from speckle_core.models.folder import HISTORY
from speckle_core.notes import read_text


def write_history(folder: Path, history: Iterable[Epoch]) -> None:
    """Write the epochs of a training to a model folder."""
    text = io.StringIO()
    fields = [field.name for field in attrs.fields(Epoch)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([getattr(epoch, name) for name in fields] for epoch in history)
    write_text(folder / HISTORY, text.getvalue())


def read_history(folder: Path) -> list[Epoch]:
    """Return the epochs recorded in a model folder.

    Raises
    ------
    ModelError
        When the file is missing or damaged.
    """
    path = folder / HISTORY
    try:
        rows = csv.DictReader(io.StringIO(read_text(path)))
        return [Epoch(**{k: _field_type(k)(v) for k, v in row.items()}) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"is not a training history: {error}", where=str(path)) from error


def _field_type(field: str) -> Any:
    return int if field in ("number", "of") else float
