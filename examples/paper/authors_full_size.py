"""Hold `fft` and `analytic` against the authors' transform at its full size.

    python examples/paper/authors_full_size.py -o docs/results/authors-full-size

At full size one pattern takes an FFT of 18001 x 18001 and about 10 GB of memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import authors_transform
import numpy as np
import typer
from matplotlib.colors import LogNorm, SymLogNorm
from matplotlib.figure import Figure
from record import save_picture, write_json

from speckle_core import create
from speckle_core.contracts.arrays import FloatArray
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.files import make_folder

COUNTS = (2, 10, 20)
#: Below this share of the brightest pixel a double-precision FFT holds rounding alone.
FLOOR = 1e-12


def relative_l2(ours: FloatArray, theirs: FloatArray) -> float:
    """Return |ours - theirs| / |theirs|, both taken as vectors of intensities."""
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def largest_relative(ours: FloatArray, theirs: FloatArray) -> float:
    """Return the largest relative difference of a pixel that stands above `FLOOR`."""
    seen = theirs > FLOOR * theirs.max()
    return float(np.max(np.abs(ours[seen] / theirs[seen] - 1)))


def _draw(rows: list[tuple[int, FloatArray, FloatArray]]) -> Figure:
    figure = Figure(figsize=(9, 3 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, (n, theirs, exact) in zip(grid, rows, strict=True):
        scale = LogNorm(vmin=1e-6 * theirs.max(), vmax=theirs.max(), clip=True)
        off = (theirs - exact) / theirs.max()
        span = SymLogNorm(linthresh=1e-6, vmin=-1e-2, vmax=1e-2)
        for ax, image, colours, norm, title in zip(
            axes,
            (theirs, exact, off),
            ("inferno", "inferno", "RdBu_r"),
            (scale, scale, span),
            (f"n = {n}: the authors' FFT", "analytic", "difference / brightest pixel"),
            strict=True,
        ):
            shown = ax.imshow(image, cmap=colours, norm=norm, origin="lower")
            ax.set(title=title, xticks=[], yticks=[])
            figure.colorbar(shown, ax=ax, shrink=0.8)
    return figure


def main(
    output: Annotated[Path, typer.Option("-o", metavar="DIR", help="Where the results go.")],
    size: Annotated[int, typer.Option(min=3, help="Pixels of k space that are kept.")] = 257,
    padding: Annotated[
        int, typer.Option(min=0, help="Zeros on each side of the raster; the authors' are 8000.")
    ] = authors_transform.PADDING,
    workers: Annotated[int, typer.Option(min=1, help="Threads of the FFT.")] = 2,
) -> None:
    """Hold `fft` and `analytic` against the authors' transform, for n = 2, 10 and 20."""
    side = authors_transform.PIXELS + 2 * padding
    experiment = Experiment.load(
        "authors-mono-257", [f"grid.size={size}", f"grid.step={2 * np.pi / side!r}"]
    )
    make_folder(output)
    draw, grid = experiment.build(only=SIMULATION).draw, experiment.kgrid()
    fft, analytic = create("scatterer", "fft"), create("scatterer", "analytic")
    shown, results = [], []
    for n in COUNTS:
        system = draw(n, 0, experiment.seed)
        (disks,) = system.particles
        raster = authors_transform.raster(disks.centers, disks.radii)
        theirs = authors_transform.pattern(raster, padding, size, workers)
        ours = fft.intensity(system, grid)
        exact = analytic.intensity(system, grid)
        results.append(
            {
                "n": n,
                "fft, largest relative difference of a pixel": largest_relative(ours, theirs),
                "fft, relative L2": relative_l2(ours, theirs),
                "analytic, relative L2": relative_l2(exact, theirs),
                "area of the raster over the disks' own": float(
                    raster.sum() / np.sum(np.pi * disks.radii**2)
                ),
            }
        )
        shown.append((n, theirs, exact))
    save_picture(_draw(shown), output / "patterns.png")
    write_json(output / "results.json", experiment, side_of_the_fft=side, results=results)


if __name__ == "__main__":
    typer.run(main)
