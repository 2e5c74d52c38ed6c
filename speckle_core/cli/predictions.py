"""Predictions as a table on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from speckle_core.cli.output import print_table

if TYPE_CHECKING:
    from speckle_core.models.answer import Answer

#: Coverage of the set that the table shows; JSON has all.
_SHOWN = "0.95"


def print_predictions(found: list[dict[str, Any]]) -> None:
    """Print one line per pattern; what no pattern has gets no column."""
    columns = {
        "file": [f["file"] for f in found],
        "pattern": [f["pattern"] for f in found],
        "class": [f["class"] for f in found],
        "probability": [f"{f['probability']:.3f}" for f in found],
    }
    if found[0]["calibrated"] is not None:
        columns["calibrated"] = [f"{f['calibrated']:.3f}" for f in found]
    if _SHOWN in found[0]["sets"]:
        columns[f"{float(_SHOWN):.0%} set"] = [_spans(f["sets"][_SHOWN]) for f in found]
    columns["or else"] = [f"{f['second']} ({f['second_probability']:.3f})" for f in found]
    columns["simple rules say"] = [
        ", ".join(f"{name} {n}" for name, n in f["baselines"].items()) for f in found
    ]
    columns[""] = [remark(f) for f in found]
    print_table(list(columns), list(zip(*columns.values(), strict=True)))


def answer_json(answer: Answer, classes: list[int]) -> dict[str, Any]:
    """Return what a model reads in one pattern as plain values."""
    return {
        "class": answer.number,
        "probability": answer.probability,
        "calibrated": answer.calibrated,
        "sets": {str(c): list(numbers) for c, numbers in answer.sets.items()},
        "second": answer.second,
        "second_probability": answer.second_probability,
        "baselines": answer.baselines,
        "far_from_training": answer.far,
        "not_measured": list(answer.not_measured),
        "why": answer.why,
        "probabilities": dict(zip(map(str, classes), answer.probabilities, strict=True)),
    }


def _spans(numbers: list[int]) -> str:
    """Return ascending numbers for people: ``3, 5-8``; ``none`` if there are none."""
    spans: list[list[int]] = []
    for n in numbers:
        if spans and n == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], n]
        else:
            spans.append([n])
    return ", ".join("-".join(map(str, span)) for span in spans) or "none"


def remark(found: dict[str, Any]) -> str:
    """Return what speaks against believing an answer, in words; empty if nothing does."""
    if found["far_from_training"]:
        return f"far from the training data: {found['why']}"
    if found["far_from_training"] is None:
        return "not measured: " + ", ".join(found["not_measured"])
    return ""
