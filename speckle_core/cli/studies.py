"""What ``speckle study`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speckle_core.cli.output import echo, print_json, print_table

if TYPE_CHECKING:
    from speckle_core.study.points import Axis, Point
    from speckle_core.study.results import Result


def print_points(axes: Sequence[Axis], points: Sequence[Point], *, as_json: bool) -> None:
    """Print what a study would compute."""
    if as_json:
        listed = [
            {
                "values": dict(zip((a.path for a in axes), p.values, strict=True)),
                "classifier": p.classifier,
                "patterns": p.experiment.patterns,
            }
            for p in points
        ]
        print_json({"points": listed, "data_sets": len({p.data_key for p in points})})
        return
    header = (*(axis.path for axis in axes), "classifier", "patterns")
    print_table(header, [(*p.values, p.classifier, p.experiment.patterns) for p in points])
    sets = len({p.data_key for p in points})
    echo(f"\n{len(points)} points on {sets} data set{'s' * (sets != 1)}; nothing was written")


def print_results(axes: Sequence[Axis], results: Sequence[Result]) -> None:
    """Print one line for each point."""
    from speckle_core.study.results import sampled

    read = ("accuracy", "95 % interval", "within 1", "patterns", "far")
    models = any(r.far is not None for r in results)
    header = (*(axis.path for axis in axes), "classifier", *read[: None if models else -1])
    print_table(header, [(*r.values, r.classifier, *_numbers(r, models)) for r in results])
    for sentence in sampled(results):
        echo(f"\n{sentence}")


def _numbers(result: Result, models: bool) -> tuple[str, ...]:
    value, low, high = result.accuracy
    far = ("-" if result.far is None else str(result.far),) if models else ()
    if not np.isfinite(value):
        return ("error", "-", "-", "-", *far)
    share = f"{value:.3f}", f"{low:.3f} to {high:.3f}", f"{result.within_1[0]:.3f}"
    return (*share, str(result.patterns), *far)
