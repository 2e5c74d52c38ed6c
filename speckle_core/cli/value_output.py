"""Values of a model, and their evaluations, as text or JSON on stdout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from speckle_core.cli.output import echo, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from speckle_core.analysis.value_evaluation import ValueEvaluation
    from speckle_core.models.answer import ValueAnswer


def print_value_evaluations(evaluations: Mapping[str, ValueEvaluation]) -> None:
    """Print one line per classifier, the model first, and what its intervals are worth."""
    from speckle_core.analysis.quantities import title_with_unit
    from speckle_core.analysis.value_evaluation import compare_values, value_sentences
    from speckle_core.words import counted

    first = next(iter(evaluations.values()))
    echo(f"{counted(len(first), 'test pattern')}: {title_with_unit(first.quantity)}\n")
    rows = [
        (
            name,
            f"{found.mean_absolute_error:.3g}",
            f"{found.root_mean_square_error:.3g}",
            "-" if found.explained is None else f"{found.explained:.3f}",
            f"{found.covered:.3f}" if found.known else "-",
            f"{found.mean_width:.3g}" if found.known else "-",
        )
        for name, found in evaluations.items()
    ]
    covered = f"in {100 * first.stated:g} % interval"
    print_table(("classifier", "MAE", "RMSE", "R²", covered, "mean width"), rows)
    for sentence in (compare_values(evaluations), *value_sentences(first)):
        echo(f"\n{sentence}")


def value_evaluations_json(evaluations: Mapping[str, ValueEvaluation]) -> dict[str, Any]:
    """Return evaluations and verdict as plain values."""
    from speckle_core.analysis.value_evaluation import compare_values

    found = {name: evaluation.to_dict() for name, evaluation in evaluations.items()}
    return {"evaluations": found, "verdict": compare_values(evaluations)}


def value_json(answer: ValueAnswer) -> dict[str, Any]:
    """Return what a model reads in one pattern as plain values."""
    from speckle_core.analysis.quantities import unit_of

    known = math.isfinite(answer.high - answer.low)
    return {
        "quantity": answer.quantity,
        "value": answer.value,
        "unit": unit_of(answer.quantity),
        "interval": [answer.low, answer.high] if known else None,
        "stated_coverage": answer.stated,
        "text": answer.told,
        "outside_training_values": answer.outside,
        "baselines": answer.baselines,
        "far_from_training": answer.far,
        "not_measured": list(answer.not_measured),
        "why": answer.why,
    }


def print_values(found: list[dict[str, Any]]) -> None:
    """Print one line per pattern, and what the numbers are in."""
    from speckle_core.analysis.quantities import unit_in_words

    rows = [
        (
            f["file"],
            f["pattern"],
            f["text"],
            ", ".join(f"{name} {value:.3g}" for name, value in f["baselines"].items()),
            "; ".join(_remarks(f)),
        )
        for f in found
    ]
    print_table(("file", "pattern", "value", "simple rules say", ""), rows)
    if unit := unit_in_words(found[0]["quantity"]):
        echo(f"\nThe values are{unit}.")


def _remarks(found: dict[str, Any]) -> list[str]:
    from speckle_core.cli.predictions import remark

    outside = ["outside of the training values"] if found["outside_training_values"] else []
    return outside + [told for told in [remark(found)] if told]
