"""Report sections about the explanations in a folder: pictures, a table and a summary.

The folder is written by `speckle_core.explain.folder`; only its summary and pictures are read.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.analysis.lattice import Lattice
from speckle_core.notes import read_json
from speckle_core.report.blocks import Section, Table, aligned

SUMMARY = "summary.json"


def summaries(folder: Path) -> dict[str, str]:
    """Return what the numbers in `folder` say, in sentences, for each explainer."""
    found = read_json(folder / SUMMARY)
    return {name: _summarize(summary) for name, summary in found.items()}


def sections(folder: Path) -> list[Section]:
    """Return one report section per explainer for the explanations in `folder`."""
    found = []
    for name, summary in read_json(folder / SUMMARY).items():
        # Not by a glob: that for "cam" would match "cam-2-00007.png".
        own = re.compile(re.escape(name) + r"-\d+\.png")
        panels = sorted(path for path in folder.iterdir() if own.fullmatch(path.name))
        pictures = [
            (
                f"{name}: attribution against k (blue; 1 for a flat map), for the classifier with "
                "random weights (dashed), and the mean intensity (grey, log scale). Dotted lines: "
                "zeros of the form factor; the first is the edge of the central lobe.",
                (folder / f"{name}-profiles.png").read_bytes(),
            ),
            (
                f"{name}: accuracy as pixels are replaced by the mean of their ring, most "
                "attributed first or in random order. If the map shows what the classifier uses, "
                "the first curve falls sooner.",
                (folder / f"{name}-deletion.png").read_bytes(),
            ),
            *(
                (f"{name}: pattern, map, overlay and class probabilities.", p.read_bytes())
                for p in panels[:: max(1, len(panels) // 3)][:3]
            ),
        ]
        columns = ("classes", "edge", "share", "area", "agreement")
        kept = [i for i, value in enumerate(summary["share"]) if value is not None]
        numbers = [aligned([summary[key][i] for i in kept]) for key in columns[1:]]
        classes = [summary["classes"][i] for i in kept]
        table = Table(
            f"{name}: fraction of the attribution and of the pixels inside the central lobe, and "
            "rank correlation of the maps with those of random weights.",
            ("n", "lobe ends at k", "attribution inside", "pixels inside", "agreement"),
            list(zip(classes, *numbers, strict=True)),
        )
        found.append(
            Section(f"What the classifier looks at: {name}", _summarize(summary), pictures, [table])
        )
    return found


def _summarize(summary: dict[str, Any]) -> str:
    """Summarize the numbers of one explainer in sentences."""

    def mean(key: str) -> float:
        return float(np.mean([v for v in summary[key] if v is not None] or [math.nan]))

    share, area, agreement = mean("share"), mean("area"), mean("agreement")
    told = []
    if math.isfinite(share):
        told.append(
            f"On average {share:.0%} of the attribution is inside the central lobe, which contains "
            f"{area:.0%} of the pixels that are read."
        )
    if math.isfinite(agreement):
        alike = (
            "similar, so these maps say little about what was learned"
            if agreement > 0.5
            else "different, so these maps depend on what was learned"
        )
        told.append(
            f"Maps of the same network with random weights are {alike} (rank correlation "
            f"{agreement:.2f})."
        )
    else:
        told.append("This classifier has no version with random weights to compare with.")
    told += describe_lattice(summary.get("lattice"))
    curve = summary["deletion"]
    gap = float(np.mean(np.subtract(curve["random"], curve["most_attributed"])))
    faster = "faster than" if gap > 0.02 else "slower than" if gap < -0.02 else "as slowly as"
    told.append(
        f"With the most attributed pixels replaced, accuracy falls {faster} with random ones "
        f"(mean difference {gap:+.2f})."
    )
    return " ".join(told)


def describe_lattice(found: dict[str, list[float | None]] | None) -> list[str]:
    """Return sentences on whether the mean map repeats with the strides of the network."""
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
        return ["The mean map shows no lattice from the network's strides."]
    told = (
        f"The mean map repeats every {period} pixels along both axes: {share:.0%} of its fine "
        f"structure is at the frequencies of that lattice, against {even:.1%} for a flat map"
    )
    if math.isfinite(control):
        told += f" and {control:.0%} with random weights"
    # Shifts run through every place of a period once in as many samples.
    cure = "shift=16" if period <= 16 else f"shift={period} and samples={period}"
    return [
        f"{told}. Such a lattice comes from the network's strides, not from the sample: do not "
        f"interpret single pixels of these maps. smooth-saliency with {cure} evens it out."
    ]
