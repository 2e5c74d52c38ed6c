"""Numbers of torch-specklenet: scores, speed, and what each part of its evidence is worth."""

from __future__ import annotations

import json
from typing import Any

from results.files import RESULTS, markdown_table

FOLDER = RESULTS / "specklenet"
TITLES = {
    "poly": "different sizes",
    "poly-fresh": "different sizes, trained on 2,280 new patterns in each of six epochs",
    "fixed": "one radius for every n",
    "poly-realistic-1e6": "different sizes, 10⁶ photons, gaps, unsteady centre",
    "poly-realistic-1e5": "the same, 10⁵ photons",
    "poly-realistic-1e4": "the same, 10⁴ photons",
    "fixed-realistic-1e6": "one radius, 10⁶ photons, gaps, unsteady centre",
    "fixed-realistic-1e5": "the same, 10⁵ photons",
    "fixed-realistic-1e4": "the same, 10⁴ photons",
}
CLASSIFIERS = ("torch-specklenet", "pair-peaks", "radial-lda", "solve")


def _found(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def specklenet_scores() -> str:
    """Return accuracy and within one of every classifier on every set of fresh patterns.

    Sure are answers with a calibrated probability of at least 0.9.
    """
    lines = []
    for name, rows in sorted(
        _found("scores").items(), key=lambda row: [*TITLES].index(row[0])
    ):
        for classifier in (c for c in CLASSIFIERS if c in rows):
            row = rows[classifier]
            cells = (
                "{:.4f} [{:.4f}, {:.4f}]".format(*row[key])
                for key in ("accuracy", "within_1")
            )
            sure = row.get("sure")
            surest = (
                "{:.3f} of {}".format(sure["accuracy"][0], sure["patterns"])
                if sure
                else ""
            )
            lines.append(
                (
                    TITLES[name],
                    f"`{classifier}`",
                    str(row["patterns"]),
                    *cells,
                    surest,
                )
            )
    return markdown_table(
        (
            "patterns",
            "classifier",
            "how many",
            "accuracy",
            "within one",
            "accuracy of the sure",
        ),
        lines,
    )


def specklenet_speed() -> str:
    """Return milliseconds a pattern of the models and of ResNet-50."""
    header = (
        "model",
        "ms",
        "ResNet-50, float32",
        "times",
        "ResNet-50, bfloat16",
        "times",
    )
    keys = (
        "ms",
        "resnet50_float32_ms",
        "times_faster_float32",
        "resnet50_bfloat16_ms",
    )
    lines = [
        (f"`{name}`", *(str(row[key]) for key in (*keys, "times_faster_bfloat16")))
        for name, row in _found("speed").items()
    ]
    return markdown_table(header, lines)


def specklenet_ablation_table() -> str:
    """Return the scores of the network on parts of its evidence."""
    lines = [
        (
            row["case"],
            f"{row['accuracy']:.4f}",
            f"{row['within_1']:.4f}",
            ", ".join(map(str, row["each"])),
        )
        for row in _found("ablation")["cases"]
    ]
    return markdown_table(("evidence", "accuracy", "within one", "each seed"), lines)


def specklenet_ablation(key: str) -> str:
    """Return how many patterns the ablation had to ``train`` or to ``valid``."""
    return f"{_found('ablation')[key]:,}"
