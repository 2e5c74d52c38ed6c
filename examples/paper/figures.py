"""The figures and tables of Shen et al., each drawn from data on disk by one command.

    python examples/paper/figures.py --help

A figure comes with its numbers as CSV and JSON; the JSON holds the command, the experiment, its
seed and the versions that made it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from published import SYSTEMS, TABLE_1
from record import markdown, rounded, save_picture, write_csv, write_json

from speckle_core import figures
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.data.dataset import Dataset
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import make_folder, write_text
from speckle_core.models.folder import read_record

app = typer.Typer(no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Argument(metavar="DATA_DIR", help="What speckle generate wrote.")]
Read = Annotated[
    Path, typer.Argument(metavar="EVALUATION", help="A classifier's folder in an evaluation.")
]
Output = Annotated[Path, typer.Option("-o", metavar="DIR", help="Where the results go.")]
Model = Annotated[
    Path | None, typer.Option("--model", metavar="MODEL_DIR", help="Whose recipe is noted.")
]
BLOCK = 11


@app.callback()
def main() -> None:
    """Draw the figures and tables of Shen et al. from data on disk."""


@app.command("figure2")
def draw_figure2(data: Data, output: Output) -> None:
    """Draw six systems, real space beside k space: the first pattern of each class."""
    make_folder(output)
    with Dataset.open(data) as dataset:
        experiment, grid = dataset.experiment, dataset.grid
        shown = [n for n in SYSTEMS if n in experiment.counts]
        first = np.searchsorted(dataset.labels, shown)
        patterns = dataset.patterns().raw(first)
    draw = experiment.build(only=SIMULATION).draw
    systems = [draw(n, 0, experiment.seed) for n in shown]
    items = list(zip(shown, systems, patterns, strict=True))
    save_picture(figures.gallery(items, grid, blocked=grid.block(BLOCK)), output / "figure2.png")
    rows = [
        (n, *center, radius)
        for n, system in zip(shown, systems, strict=True)
        for body in system.particles
        for center, radius in zip(body.centers.tolist(), body.bounding_radii.tolist(), strict=True)
    ]
    write_csv(output / "figure2.csv", ("n", "x", "y", "radius"), rows)
    radii = {str(n): float(s.particles[0].bounding_radii[0]) for n, s, _ in items}
    write_json(output / "figure2.json", experiment, shown=shown, radius_of_the_first_disk=radii)


def _confusion(name: str, evaluation: Path, output: Path, model: Path | None) -> None:
    read = Evaluation.load(evaluation)
    make_folder(output)
    save_picture(figures.confusion(read.confusion, read.classes), output / f"{name}.png")
    rows = zip(read.classes.tolist(), read.confusion.tolist(), strict=True)
    write_csv(
        output / f"{name}.csv",
        ("true", *(f"read as {n}" for n in read.classes.tolist())),
        ([n, *cells] for n, cells in rows),
    )
    numbers = read.to_dict()
    errors = int(np.sum(read.errors != 0))
    experiment, about = _recipe(model)
    write_json(output / f"{name}.json", experiment, **about, errors=errors, **numbers)


def _recipe(model: Path | None) -> tuple[Experiment | None, dict[str, Any]]:
    """Return the experiment that trained `model`, and how many patterns and which options."""
    if model is None:
        return None, {}
    experiment = read_record(model).experiment
    recipe = experiment.to_dict()
    return experiment, {key: recipe[key] for key in ("prepare", "split", "classifier")}


@app.command("figure3")
def draw_figure3(evaluation: Read, output: Output, model: Model = None) -> None:
    """Draw the confusion matrix of the monodisperse system, 257 x 257 pixels."""
    _confusion("figure3", evaluation, output, model)


@app.command("figure4")
def draw_figure4(evaluation: Read, output: Output, model: Model = None) -> None:
    """Draw that of 513 x 513 pixels, read by the network trained on 257 x 257."""
    _confusion("figure4", evaluation, output, model)


@app.command("figure5")
def draw_figure5(evaluation: Read, output: Output, model: Model = None) -> None:
    """Draw that of the polydisperse system."""
    _confusion("figure5", evaluation, output, model)


@app.command("table1")
def write_table1(evaluation: Read, output: Output, model: Model = None) -> None:
    """Write precision, recall and F1 of every class beside the paper's."""
    read = Evaluation.load(evaluation)
    table, macro = read.per_class(), read.macro()
    ours = np.column_stack([table.precision, table.recall, table.f1])
    nothing = (None, None, None)
    rows = [
        (n, *values, support, *TABLE_1.get(n, nothing))
        for n, values, support in zip(
            read.classes.tolist(), ours.tolist(), table.support.tolist(), strict=True
        )
    ]
    names = ("precision", "recall", "f1")
    header = ("n", *names, "patterns", *(f"published {name}" for name in names))
    write_csv(output / "table1.csv", header, rows)
    spelt = [["–" if v is None else str(rounded(v, 3)) for v in row] for row in rows]
    write_text(output / "table1.md", markdown(header, spelt))
    kept = [dict(zip(header, row, strict=True)) for row in rows]
    experiment, about = _recipe(model)
    write_json(output / "table1.json", experiment, **about, macro=macro, per_class=kept)


@app.command("figure6")
def draw_figure6(
    data: Data,
    output: Output,
    patterns: Annotated[int, typer.Option(min=2, help="Patterns of each class.")] = 10,
    block: Annotated[
        int, typer.Option(min=0, help="Pixels blocked before standardizing; 0 blocks none.")
    ] = BLOCK,
) -> None:
    """Draw the first moments by four definitions, single patterns and means, eight panels."""
    from figure6 import figure6

    figure6(data, make_folder(output), patterns, block)


@app.command("brightness")
def write_brightness(data: Data, output: Output) -> None:
    """Write how much brighter patterns larger than 257 x 257 are after standardization."""
    from brightness import brightness

    brightness(data, make_folder(output), BLOCK)


@app.command("transfer")
def write_transfer(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A folder of speckle train.")],
    data: Data,
    output: Output,
) -> None:
    """Write how a network reads larger patterns, by what they are standardized and cut to."""
    from transfer import transfer

    transfer(model, data, make_folder(output))


@app.command("maps")
def draw_maps(
    explanations: Annotated[
        Path, typer.Argument(metavar="EXPLANATIONS", help="A folder of speckle explain or a run.")
    ],
    output: Output,
    model: Model = None,
) -> None:
    """Draw a page for each explainer as in the paper's SI: one pattern of every class."""
    from maps import maps

    maps(explanations, make_folder(output), _recipe(model)[0])


@app.command("baselines")
def draw_baselines(
    data: Data,
    output: Output,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="BASELINE", help="Which; all by default.")
    ] = None,
) -> None:
    """Fit what simple physics reads of a data set, on its own split."""
    from baselines import NAMES, baselines

    baselines(data, output, names or NAMES)


if __name__ == "__main__":
    app()
