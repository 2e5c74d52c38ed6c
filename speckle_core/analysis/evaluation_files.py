"""The two files of an evaluation: metrics.json with a checksum, and predictions.csv."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from speckle_core.errors import DataError
from speckle_core.files import make_folder, sweep, write_text
from speckle_core.notes import digests, find_damage, read_json, read_text, write_json

_METRICS, _PREDICTIONS = "metrics.json", "predictions.csv"
_LARGEST = 2**26


def write_evaluation(
    folder: Path, metrics: Mapping[str, Any], header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write metrics.json and predictions.csv to `folder`, each atomically.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    sweep(make_folder(folder))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(folder / _PREDICTIONS, text.getvalue())
    files = {"files": digests(folder, [_PREDICTIONS])}
    write_json(folder / _METRICS, {**metrics, **files})


@contextlib.contextmanager
def read_evaluation(folder: Path) -> Iterator[tuple[dict[str, Any], list[str], list[list[str]]]]:
    """Provide the metrics, and header and rows of the predictions, that `write_evaluation` wrote.

    Raises
    ------
    DataError
        When a file is missing or damaged, or the block finds that the content is wrong.
    """
    try:
        metrics = read_json(folder / _METRICS)
        for name, what in find_damage(folder, metrics.get("files", {})).items():
            raise ValueError(f"{name} {what}")
        text = read_text(folder / _PREDICTIONS, largest=_LARGEST)
        header, *rows = csv.reader(io.StringIO(text))
        yield metrics, header, rows
    except (OSError, ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
        raise DataError(
            f"is not a complete evaluation ({error})",
            where=str(folder),
            hint="Run the evaluation again.",
        ) from error
