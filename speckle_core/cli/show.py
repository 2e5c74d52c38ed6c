"""``speckle show``: draw real space beside k space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Settings
from speckle_core.cli.output import echo

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from speckle_core.data.frame_options import FrameOptions


@with_frame_options
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE-OR-EXPERIMENT",
            help="A preset, a TOML file, the folder of a data set or run, or a pattern file.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FIGURE", help="Output file: .png, .svg or .pdf."),
    ],
    settings: Settings = None,
    *,
    frames: FrameOptions,
) -> None:
    """Draw systems in real space beside their speckle patterns, like the paper's figure 2.

    For an experiment or a data set, six systems with different numbers of particles are shown;
    for a file, its first pattern, and its bodies where the file holds them. Pixels that do not
    count are left blank.

    For example:

      speckle show paper-mono-257 -o figure-2.png
      speckle show data/mono -o what-is-in-it.pdf
      speckle show pattern.npy -o pattern.png
      speckle show quickstart --set structure.counts=[5,9] -o two.png
    """
    from speckle_core.figures import save

    path = Path(what)
    is_pattern_file = path.is_file() and path.suffix != ".toml"
    stored = is_pattern_file or path.is_dir()
    if stored and settings:
        raise typer.BadParameter("--set changes an experiment, not what is stored already")
    save(_of_file(path, frames) if is_pattern_file else _of_systems(what, settings), output)
    echo(f"figure: {output}")


def _of_systems(what: str, settings: list[str] | None) -> Figure:
    from speckle_core import figures
    from speckle_core.cli.options import load_experiment
    from speckle_core.data.dataset import Dataset
    from speckle_core.experiment.components import SIMULATION
    from speckle_core.files import inside_run
    from speckle_core.report.gallery import gallery

    if Path(what).is_dir():
        dataset = Dataset.open(inside_run(Path(what), "data", "manifest.json"))
        if dataset.experiment.imported is not None:
            return figures.pattern(dataset.patterns().raw([0])[0], dataset.grid)
        shown = gallery(dataset.experiment, dataset)
    else:
        shown = gallery(load_experiment(what, settings, only=SIMULATION))
    return figures.gallery(shown.items, shown.grid, blocked=shown.blocked)


def _of_file(path: Path, options: FrameOptions) -> Figure:
    import numpy as np

    from speckle_core import figures
    from speckle_core.cli.failure import say
    from speckle_core.contracts.grid import KGrid
    from speckle_core.data.measured import Measured
    from speckle_core.data.stored_bodies import first_system
    from speckle_core.errors import PatternError

    measured = Measured(path, options)
    if len(measured) > 1:
        say(f"{path} holds {len(measured)} patterns; the first is drawn")
    try:
        frame = measured.frame(0)
        center = measured.center(frame)
    except PatternError as error:
        raise PatternError(error.what, where=str(path), hint=error.hint) from error
    for remark in measured.remarks:
        say(f"{path}: {remark}")
    if path.suffix in (".h5", ".hdf5", ".nxs") and (system := first_system(path)) is not None:
        configuration, grid = system
        if frame.counts.shape == grid.shape:
            return figures.gallery([(len(configuration), configuration, frame.counts)], grid)
    pattern = np.where(frame.valid, frame.counts, np.nan)
    # The file may not say what a pixel is in k, nor in which unit intensity was recorded.
    figure = figures.pattern(pattern, KGrid.quadrant(1, 1.0), center=center)
    image, scale = figure.axes
    image.set_xlabel("distance from k = 0 along x (pixels)")
    image.set_ylabel("distance from k = 0 along y (pixels)")
    scale.set_ylabel("intensity as recorded")
    return figure
