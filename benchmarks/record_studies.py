"""From the tables of studies to docs/results/studies.csv, and the pictures of docs/studies.md.

    python benchmarks/record_studies.py photons=studies/photons jitter=studies/jitter

A row replaces that of the same study, value and classifier. Without a study only the pictures are
drawn again; each holds the SHA-256 of the rows that it shows.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from speckle_core.experiment.presets import parse_setting
from speckle_core.figures import accuracy_curves, raster
from speckle_core.figures.dark import darken
from speckle_core.files import write_bytes, write_text

DOCS = Path(__file__).parents[1] / "docs"
RESULTS, PICTURES = DOCS / "results" / "studies.csv", DOCS / "images" / "studies"
#: Key in the text of a picture.
SEAL = "rows"
#: The order of columns and curves: rules, networks, the solver.
READERS = ("radial-lda", "pair-peaks", "torch-specklenet", "specklenet-poly")
READERS += ("specklenet-poly-realistic", "solve")
#: What the first axis of a picture says.
AXES = {
    "beamstop": "side of the blocked square (pixels)",
    "counts": "numbers of disks to tell apart",
    "dispersion": "standard deviation of the radii / mean",
    "jitter": "standard deviation of the centre (pixels)",
    "krange": "pixels along one axis",
    "mask": "what is masked",
    "patterns": "training patterns",
    "photons": "photons in a pattern",
}
_SHARES = tuple(f"{n}{end}" for n in ("accuracy", "within_1") for end in ("", "_low", "_high"))
COLUMNS = ("study", "varied", "value", "classifier", "patterns", "trained_on", *_SHARES)
COLUMNS += ("mean_absolute_error", "seconds_to_train", "seconds_to_read", "far", "error")
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """Return the rows of a table."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def of_study(name: str, folder: Path) -> list[Row]:
    """Return the rows of a study of one key as docs/results/studies.csv has them."""
    found = []
    for row in read(folder / "study.csv"):
        (varied, value), *rest = row.items()
        found.append({"study": name, "varied": varied, "value": value, **dict(rest)})
    return found


def merged(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """Return all rows, the new ones in the place of old ones, by study, value and classifier."""
    rows = {(r["study"], r["value"], r["classifier"]): r for r in [*old, *new]}
    values = list(dict.fromkeys(value for _, value, _ in rows))
    return sorted(
        rows.values(),
        key=lambda r: (
            r["study"],
            parsed(r["value"]) if is_number(r["value"]) else float("-inf"),
            values.index(r["value"]),
            READERS.index(r["classifier"]),
        ),
    )


def parsed(value: str) -> object:
    """Return a value as an experiment has it."""
    return parse_setting(f"value={value}")[1]


def is_number(value: str) -> bool:
    """Return whether a value is a number."""
    return isinstance(parsed(value), (int, float))


def written(rows: Sequence[Row]) -> str:
    """Return the table; what a row lacks is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def seal(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of what a picture shows of its rows."""
    shown = ("value", "classifier", "accuracy", "accuracy_low", "accuracy_high")
    plain = [[row[name] for name in shown] for row in rows]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def draw(name: str, rows: Sequence[Row]) -> tuple[bytes, bytes]:
    """Return the picture of one study for light and for dark pages, with few colours."""
    values = list(dict.fromkeys(row["value"] for row in rows))
    curves: dict[str, list[tuple[float, float, float]]] = {}
    for reader in dict.fromkeys(row["classifier"] for row in rows):
        of = {row["value"]: row for row in rows if row["classifier"] == reader}
        curves[reader] = [_share(of.get(value)) for value in values]
    figure = accuracy_curves(AXES[name], [parsed(value) for value in values], {"": curves})
    drawn, boxes = raster(figure)
    light = np.ascontiguousarray(drawn[..., :3])
    return _sealed(light, rows), _sealed(darken(light, boxes), rows)


def _share(row: Row | None) -> tuple[float, float, float]:
    names = ("accuracy", "accuracy_low", "accuracy_high")
    low, value, high = (float(row[n]) if row and row[n] else np.nan for n in names)
    return low, value, high


def _sealed(pixels: NDArray[np.uint8], rows: Sequence[Row]) -> bytes:
    """Return a picture of 64 colours that says which rows it shows."""
    said, target = PngInfo(), io.BytesIO()
    said.add_text(SEAL, seal(rows))
    picture = Image.fromarray(pixels).quantize(64)
    picture.save(target, "png", optimize=True, pnginfo=said)
    return target.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", metavar="NAME=DIR")
    given = parser.parse_args(arguments)
    new = [row for one in given.studies for row in of_study(*_named(one))]
    rows = merged(read(RESULTS), new)
    write_text(RESULTS, written(rows))
    PICTURES.mkdir(exist_ok=True)
    for name in dict.fromkeys(row["study"] for row in rows):
        pictures = draw(name, [row for row in rows if row["study"] == name])
        for ending, picture in zip(("", "-dark"), pictures, strict=True):
            write_bytes(PICTURES / f"{name}{ending}.png", picture)


def _named(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    return name, Path(folder)


if __name__ == "__main__":
    main()
