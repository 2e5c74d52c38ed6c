"""Write a result with its recipe: command, experiment, seed and versions.

Files contain no paths of this machine, so the same command gives the same file elsewhere.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.provenance import versions
from speckle_core.figures import encode
from speckle_core.files import make_folder, write_bytes, write_text


def command_line() -> str:
    """Return the command line; absolute paths are reduced to file names."""
    words = [Path(w).name if Path(w).is_absolute() else w for w in sys.argv[1:]]
    return shlex.join(["python", f"examples/paper/{Path(sys.argv[0]).name}", *words])


def rounded(value: Any, digits: int = 6) -> Any:
    """Return nested plain values with `digits` significant digits in every float."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def write_json(path: Path, experiment: Experiment | None, **numbers: Any) -> None:
    """Write `numbers` with their recipe; `experiment` is the one that made the patterns."""
    about: dict[str, Any] = {"command": command_line(), "versions": versions()}
    if experiment is not None:
        recipe = experiment.data_recipe()
        about |= {
            "experiment": experiment.name,
            "seed": experiment.seed,
            # The step is not rounded, since it determines the patterns.
            "data": {key: recipe[key] for key in ("structure", "grid", "scattering")},
            "versions": versions(experiment),
        }
    make_folder(path.parent)
    write_text(path, json.dumps(about | rounded(numbers), indent=1, allow_nan=False) + "\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, floats to six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([rounded(cell) for cell in row] for row in rows)
    make_folder(path.parent)
    write_text(path, text.getvalue())


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def save_picture(figure: Figure, path: Path, *, largest: int = 120_000) -> None:
    """Write `figure` as a PNG of at most `largest` bytes, with the highest possible resolution.

    Speckle does not compress, and these pictures are kept in the repository.
    """
    image = Image.open(io.BytesIO(encode(figure))).convert("RGB")
    while True:
        packed = io.BytesIO()
        # This method keeps the rare bright end of a colour map.
        few = image.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(packed, "png", optimize=True)
        if packed.tell() <= largest:
            return write_bytes(path, packed.getvalue())
        image = image.resize([int(0.9 * side) for side in image.size], Image.Resampling.LANCZOS)
