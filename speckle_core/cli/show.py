"""``speckle show``: a picture of real space beside k space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE-OR-EXPERIMENT",
            help="A preset, a TOML file, the folder of a data set, or a file of patterns.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", metavar="FIGURE", help="The picture: .png, .svg or .pdf.")
    ],
) -> None:
    """Draw systems in real space beside their speckle patterns, as the paper's figure 2.

    Of an experiment or a data set, six systems are shown, spread over the numbers of particles;
    of a file, its first pattern alone.

    For example:

      speckle show paper-mono-257 -o figure-2.png
      speckle show data/mono -o what-is-in-it.pdf
      speckle show pattern.npy -o pattern.png
    """
    from speckle_core.figures import save

    path = Path(what)
    holds_patterns = path.is_file() and path.suffix != ".toml"
    save(_of_file(path) if holds_patterns else _of_systems(what), output)
    typer.echo(f"figure: {output}")


def _of_systems(what: str) -> Figure:
    from speckle_core import figures
    from speckle_core.cli.options import load_experiment
    from speckle_core.data.dataset import Dataset
    from speckle_core.experiment.experiment import SIMULATION
    from speckle_core.report.gallery import gallery

    if Path(what).is_dir():
        dataset = Dataset.open(what)
        shown = gallery(dataset.experiment, dataset)
    else:
        shown = gallery(load_experiment(what, None, only=SIMULATION))
    return figures.gallery(shown.items, shown.grid, blocked=shown.blocked)


def _of_file(path: Path) -> Figure:
    from speckle_core import figures
    from speckle_core.cli.failure import say
    from speckle_core.cli.files import batches, grid_of, named

    _, total, _, patterns = next(batches([path], None))
    if total > 1:
        say(f"{path} holds {total} patterns; the first is drawn")
    with named(path, 0):
        grid = grid_of(patterns)
    figure = figures.pattern(patterns[0], grid)
    # The file does not say what a pixel is in k, nor in which unit intensity was recorded.
    image, scale = figure.axes
    image.set_xlabel("distance from k = 0 along x (pixels)")
    image.set_ylabel("distance from k = 0 along y (pixels)")
    scale.set_ylabel("intensity as recorded")
    return figure
