"""What ``speckle solve`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speckle_core.cli.output import print_table
from speckle_core.solve.records import claim_of

if TYPE_CHECKING:
    from speckle_core.solve.solving import Answer

_HEADER = ("pattern", "n", "solved", "residual", "noise leaves", "seconds")


def solutions_json(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return what came of each pattern as plain values."""
    return [
        {"pattern": answer.index, "error": str(answer.error)}
        if answer.record is None
        else answer.record | {"seconds": answer.seconds}
        for answer in answers
    ]


def print_solutions(answers: Sequence[Answer]) -> None:
    """Print one line a pattern, with the bodies that are exactly right where the truth is known."""
    known = any(answer.record and answer.record["truth"] for answer in answers)
    header = (*_HEADER, "exact bodies") if known else _HEADER
    print_table(header, [_row(answer)[: len(header)] for answer in answers])


def _row(answer: Answer) -> tuple[object, ...]:
    record = answer.record
    if record is None:
        return (answer.index, "-", "error", "-", "-", "-", "-")
    truth = record["truth"]
    return (
        record["pattern"],
        record["n"],
        claim_of(record),
        f"{record['residual']:.2g}",
        f"{record['noise_residual']:.2g}",
        "earlier" if answer.seconds is None else f"{answer.seconds:.1f}",
        f"{truth['exact']} of {truth['n']}" if truth else "-",
    )
