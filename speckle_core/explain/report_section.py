"""What a report shows of the explanations that lie in a folder: pictures, a table and plain words.

`explaining` writes the folder; this module reads no more than its summary and its pictures.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.analysis.lattice import Lattice
from speckle_core.report.blocks import Section, Table

SUMMARY = "summary.json"


def sections(folder: Path) -> list[Section]:
    """Return what a report shows of the explanations in `folder`: one section per explainer."""
    found = []
    for name, summary in json.loads((folder / SUMMARY).read_text("utf-8")).items():
        # Not by a glob: those of "cam" would take in "cam-2-00007.png".
        own = re.compile(re.escape(name) + r"-\d+\.png")
        panels = sorted(path for path in folder.iterdir() if own.fullmatch(path.name))
        pictures = [
            (
                f"{name}: where in k the maps lie (blue; 1 is even), beside the network with "
                "random weights (dashed) and over the mean intensity (grey, log scale); dotted: "
                "the zeros of the form factor, the first being the edge of the central lobe.",
                (folder / f"{name}-profiles.png").read_bytes(),
            ),
            (
                f"{name}: accuracy as the most attributed pixels are replaced by their ring's "
                "mean, and as random ones are. Maps that say what the network uses fall first.",
                (folder / f"{name}-deletion.png").read_bytes(),
            ),
            *(
                (f"{name}: pattern, map, overlay and class probabilities.", p.read_bytes())
                for p in panels[:: max(1, len(panels) // 3)][:3]
            ),
        ]
        columns = ("classes", "edge", "share", "area", "agreement")
        rows = zip(*(summary[key] for key in columns), strict=True)
        table = Table(
            f"{name}: share of attribution inside the central lobe, against the share of pixels "
            "there, and the rank correlation of maps with those of random weights.",
            ("n", "lobe ends at k", "attribution inside", "pixels inside", "agreement"),
            [(row[0], *map(_spell, row[1:])) for row in rows if row[2] is not None],
        )
        found.append(
            Section(f"What the network looks at: {name}", _told(summary), pictures, [table])
        )
    return found


def _spell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _told(summary: dict[str, Any]) -> str:
    """Say in plain words what the numbers of one explainer amount to."""

    def mean(key: str) -> float:
        return float(np.mean([v for v in summary[key] if v is not None] or [math.nan]))

    share, area, agreement = mean("share"), mean("area"), mean("agreement")
    told = []
    if math.isfinite(share):
        told.append(
            f"On average {share:.0%} of the attribution lies inside the central lobe, which holds "
            f"{area:.0%} of the pixels that are read."
        )
    if math.isfinite(agreement):
        alike = (
            "much alike, so that these maps say little of what was learned"
            if agreement > 0.5
            else "different, so that these maps depend on what was learned"
        )
        told.append(
            f"Maps of the same network with random weights are {alike} (rank correlation "
            f"{agreement:.2f})."
        )
    else:
        told.append("This classifier gives no network with random weights to compare with.")
    told += tell_lattice(summary.get("lattice"))
    curve = summary["deletion"]
    gap = float(np.mean(np.subtract(curve["random"], curve["most_attributed"])))
    faster = "faster than" if gap > 0.02 else "slower than" if gap < -0.02 else "as slowly as"
    told.append(
        f"With the most attributed pixels replaced accuracy falls {faster} with random ones "
        f"(mean difference {gap:+.2f})."
    )
    return " ".join(told)


def tell_lattice(found: dict[str, list[float | None]] | None) -> list[str]:
    """Say whether the mean map repeats with the strides of the network; nothing if it does not."""
    if found is None:
        return []
    numbers = {key: np.array([math.nan if v is None else v for v in found[key]]) for key in found}
    lattice = Lattice(**numbers)
    at = lattice.strongest
    if at is None:
        return []
    share, even, control = lattice.share[at], lattice.even[at], lattice.control[at]
    period = int(lattice.period[at])
    if share < max(3 * even, 0.05):
        return ["The mean map shows no lattice of the network's strides."]
    told = (
        f"The mean map repeats every {period} pixels along both axes: {share:.0%} of its fine "
        f"structure lies at the frequencies of that lattice, where an even map has {even:.1%}"
    )
    if math.isfinite(control):
        told += f", and {control:.0%} with random weights"
    return [
        f"{told}. Such a lattice comes from the network's strides, not from the sample: do not "
        "read single pixels off these maps. smooth-saliency averages over shifts."
    ]
