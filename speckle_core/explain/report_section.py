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
    curve = summary["deletion"]
    gap = float(np.mean(np.subtract(curve["random"], curve["most_attributed"])))
    faster = "faster than" if gap > 0.02 else "slower than" if gap < -0.02 else "as slowly as"
    told.append(
        f"With the most attributed pixels replaced accuracy falls {faster} with random ones "
        f"(mean difference {gap:+.2f})."
    )
    return " ".join(told)
