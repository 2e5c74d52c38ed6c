"""``speckle import``: a data set of one's own labelled patterns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Files, Json
from speckle_core.cli.output import echo
from speckle_core.words import counted

if TYPE_CHECKING:
    from speckle_core.data.frame_options import FrameOptions


@with_frame_options
def import_(
    files: Files,
    labels: Annotated[
        str,
        typer.Option(
            "--labels",
            metavar="FILE.csv|NAME|folders",
            help="A table of files and labels, a data set in each file, or the folders' names.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DATA_DIR", help="Folder of the data set.")
    ],
    like: Annotated[
        str | None,
        typer.Option(
            metavar="EXPERIMENT",
            help="Bring the frames to the grid of this preset or TOML file.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    *,
    frames: FrameOptions,
) -> None:
    """Make a data set of measured patterns whose numbers of particles are known.

    train, evaluate, explain, audit and verify then work on it as on a simulated one. Each frame
    is brought to one grid, by the geometry that files or options state; the recipe holds the
    SHA-256 of every file. Labels are whole numbers of particles, from 1 on. After an
    interruption, run the same command again.

    For example:

      speckle import frames/*/*.npy --labels folders -o data/mine
      speckle import scan.h5 --labels entry/n --center 512,514 -o data/mine
      speckle import runs/*.tif --labels labels.csv --like quickstart -o data/mine
    """
    from speckle_core.cli.failure import say
    from speckle_core.cli.options import load_experiment
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.imported import import_frames

    grid = None if like is None else load_experiment(like, None, only=("structure",)).kgrid()
    remarks: list[str] = []
    with show_progress() as progress:
        progress.start("import", len(files))
        dataset = import_frames(
            files,
            labels,
            output,
            frames,
            grid=grid,
            on_progress=progress.advance,
            on_remark=remarks.append,
        )
        progress.finish()
    for remark in dict.fromkeys(remark.partition(": ")[2] for remark in remarks):
        say(f"{files[0]}{' and others' if len(files) > 1 else ''}: {remark}")
    classes = {str(n): int((dataset.labels == n).sum()) for n in dataset.classes}
    if as_json:
        print_json({"data": str(output), "patterns": len(dataset), "classes": classes})
        return
    held = ", ".join(f"{many} of n = {n}" for n, many in classes.items())
    echo(f"data set: {output} ({counted(len(dataset), 'pattern')}: {held})")
