"""The report of a run that learned a value: text, pictures and tables for `render_page`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speckle_core.analysis.quantities import column_unit, title_of, title_with_unit
from speckle_core.analysis.value_evaluation import (
    ValueEvaluation,
    compare_values,
    value_sentences,
)
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Epoch
from speckle_core.report.blocks import Table, aligned
from speckle_core.report.pictures import Picture, make_picture
from speckle_core.report.story import limits_of_training, story


def value_paragraphs(
    experiment: Mapping[str, Any],
    counts: Sequence[int],
    evaluations: Mapping[str, ValueEvaluation],
    command: str,
) -> Iterator[str]:
    """Iterate over what was found, what was run, and the command that repeats it."""
    first = next(iter(evaluations.values()))
    yield "Simulated data. " + compare_values(evaluations)
    yield from value_sentences(first)
    told = " ".join(story(experiment, counts, len(first)))
    yield f"What was learned is the {title_of(first.quantity)} of each pattern. {told}"
    yield f"This command repeats the run: {command}"


def value_pictures(
    evaluations: Mapping[str, ValueEvaluation], history: Sequence[Epoch]
) -> Iterator[Picture]:
    """Iterate over predicted against true values of each classifier, and the training."""
    from speckle_core import figures

    for name, found in evaluations.items():
        bars = (
            f"bars are intervals of {100 * found.stated:g} %"
            if found.known
            else "without intervals"
        )
        yield make_picture(
            figures.value_scatter(
                found.truth,
                found.predicted,
                found.intervals,
                label=title_with_unit(found.quantity),
            ),
            alt=f"{name}: predicted against true {title_of(found.quantity)}; the mean absolute "
            f"error is {found.mean_absolute_error:.3g}.",
            caption=f"{name}: predicted against true values of test patterns ({bars}), and what is "
            "left over. On the dotted line they agree.",
        )
    if history:
        yield make_picture(
            figures.training_curves(history, score="R²"),
            alt=f"Loss and R² over {len(history)} epochs.",
            caption="Loss (negative log likelihood of a normal density, without a constant), share "
            "of the variance explained (R²), and the learning rate.",
            wide=True,
        )


def value_tables(
    evaluations: Mapping[str, ValueEvaluation],
    experiment: Mapping[str, Any],
    grid: KGrid,
    span: tuple[float, float],
) -> Iterator[Table]:
    """Iterate over tables: all classifiers, the first by number of particles, and its limits."""
    (name, first), *_ = evaluations.items()
    unit = column_unit(first.quantity)
    shown = list(evaluations.values())
    columns = [
        aligned([e.mean_absolute_error for e in shown]),
        aligned([e.root_mean_square_error for e in shown]),
        aligned([e.explained for e in shown]),
        [_covered(e) for e in shown],
        aligned([e.mean_width if e.known else None for e in shown]),
    ]
    yield Table(
        f"Results on the same {len(first)} test patterns. MAE: mean absolute error; RMSE: root of "
        f"the mean squared error; R²: share of the variance explained; covered: share of true "
        f"values in their interval of {100 * first.stated:g} %, with its 95 % Wilson interval.",
        ("Classifier", f"MAE{unit}", f"RMSE{unit}", "R²", "Covered", f"Mean width{unit}"),
        [(key, *cells) for key, *cells in zip(evaluations, *columns, strict=True)],
    )
    parts = first.by_number()
    columns = [
        [str(len(part)) for part in parts.values()],
        aligned([part.mean_absolute_error for part in parts.values()]),
        aligned([part.bias for part in parts.values()]),
        [_covered(part) for part in parts.values()],
    ]
    yield Table(
        f"{name} by number of particles; bias: mean of predicted minus true value.",
        ("Particles", "Test patterns", f"MAE{unit}", f"Bias{unit}", "Covered"),
        [(str(n), *cells) for n, *cells in zip(parts, *columns, strict=True)],
    )
    low, high = (f"{end:.3g}" for end in span)
    rows = [
        (
            "Range",
            f"Training values lay between {low} and {high}. Beyond them it answers as well, but "
            "the coverage of its intervals is not promised there.",
        ),
        *limits_of_training(experiment, grid),
    ]
    yield Table("When not to believe this model.", ("What", "Limit"), rows, prose=True)


def _covered(found: ValueEvaluation) -> str:
    if not found.known:
        return "–"
    low, high = found.covered_interval
    return f"{found.covered:.3f} [{low:.3f}, {high:.3f}]"
