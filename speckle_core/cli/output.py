"""Results as text or as one JSON document, on stdout."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from speckle_core.errors import printable

if TYPE_CHECKING:
    from speckle_core.analysis.evaluation import Evaluation


class _PlainHelp:
    """Shows --help as the flag it is, and arguments without the name of a Python type."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters; what an argument takes is said by its name and its help."""
        params = super().get_params(ctx)  # type: ignore[misc]
        for parameter in params:
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = _no_type
        return params

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option, without the type that typer would print beside it."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.metavar = ""
        return option


def _no_type(ctx: Any) -> None:
    """Return what is shown as the type of an argument: nothing."""


class Command(_PlainHelp, TyperCommand):
    """A command of ours."""


class Group(_PlainHelp, TyperGroup):
    """Several commands under one name."""


def reflow(text: str | None) -> str:
    """Return help text with one line per paragraph; indented lines are kept."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else p.replace("\n", " ") for p in paragraphs)


def echo(text: str = "") -> None:
    """Print a text on stdout, without what a terminal would obey."""
    typer.echo(printable(text, 10**6))


def print_json(data: Any) -> None:
    """Print `data` as one JSON document."""
    typer.echo(json.dumps(data, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header; wrapped on a terminal, else one line per row."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in header:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell), 4000)) for cell in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def print_evaluations(
    evaluations: Mapping[str, Evaluation], verdict: str, worth: Sequence[str] = ()
) -> None:
    """Print one line per classifier, the network first, the verdict and further sentences."""
    network = next(iter(evaluations.values()))
    echo(f"{len(network)} test patterns of {len(network.classes)} classes\n")
    rows = []
    for name, found in evaluations.items():
        low, high = found.accuracy_interval
        one, two = found.within(1), found.within(2)
        rows.append(
            (
                name,
                f"{found.accuracy:.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{one:.3f}",
                f"{two:.3f}",
                f"{found.mean_absolute_error:.3f}",
            )
        )
    print_table(
        ("classifier", "accuracy", "95 % interval", "within 1", "within 2", "mean error"), rows
    )
    for name, found in evaluations.items():
        if found.places is not None:
            echo(f"\n{name} takes long: it was given {len(found)} patterns, drawn at random.")
    absent = [str(n) for n in network.classes if n not in network.labels]
    if absent:
        which = "class" if len(absent) == 1 else "classes"
        shown = ", ".join(absent[:10]) + (", …" if len(absent) > 10 else "")
        echo(f"\n{which} {shown}: no test pattern, so recall and F1 are undefined.")
    for sentence in (verdict, *worth):
        echo(f"\n{sentence}")


def evaluations_json(evaluations: Mapping[str, Evaluation], verdict: str) -> dict[str, Any]:
    """Return evaluations and verdict as plain values."""
    found = {name: evaluation.to_dict() for name, evaluation in evaluations.items()}
    return {"evaluations": found, "verdict": verdict}
