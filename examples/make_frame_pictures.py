"""Draw the pictures of docs/howto/frames.md and own-patterns.md.

python examples/make_frame_pictures.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray
from paper.record import save_picture

from speckle_core import FrameOptions, KGrid, create, import_frames
from speckle_core.data.measured import Measured
from speckle_core.experiment.experiment import Experiment
from speckle_core.figures.style import in_style, new_figure
from speckle_core.models.evaluate import assess, part_of
from speckle_core.models.train import train

IMAGES = Path(__file__).parents[1] / "docs" / "images"
STEP = np.pi / 2000
CENTER = (88.0, 104.0)


def frame(n: int, seed: int) -> NDArray[np.int32]:
    """Return counts of 160 x 200 pixels: gaps and a beamstop are -1, k = 0 is at `CENTER`."""
    system = create("sampler", "monodisperse").sample(n, np.random.default_rng([n, seed]))
    grid = KGrid.centered(257, STEP)
    intensity = np.asarray(create("scatterer", "analytic").intensity(system, grid))
    detector = create(
        "detector", "counting", photons=3e7, gaps="modules", beamstop=7.0, arm=4.0, dead=0.003
    )
    counts, mask = detector.record(intensity, grid, np.random.default_rng(seed))
    rows, columns = (
        slice(128 - int(c), 128 - int(c) + n) for c, n in zip(CENTER, (160, 200), strict=True)
    )
    return np.where(mask, counts, -1)[rows, columns].astype(np.int32)


def show(axes: Axes, counts: NDArray[Any], title: str, most: float) -> None:
    """Draw counts on a log scale, with grey where there are none."""
    axes.set_facecolor("0.6")
    axes.imshow(np.maximum(counts, 0.5), origin="lower", cmap="viridis", norm=LogNorm(0.5, most))
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])


@in_style
def from_frame_to_pattern() -> Figure:
    """Return a frame, what it measured of the model's grid, and what the model reads."""
    counts = frame(7, 1)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "a.npy", counts)
        options = FrameOptions(center="auto", step=STEP)
        found, _ = Measured(Path(folder) / "a.npy", options).on_grid(0, KGrid.centered(129, STEP))
    figure = new_figure(9.0, 3.3, "compressed")
    panels = (
        (np.where(counts < 0, np.nan, counts), "the frame"),
        (np.where(found.measured, found.pattern, np.nan), "on the model's grid"),
        (found.pattern, "completed"),
    )
    axes = figure.subplots(1, 3, width_ratios=(200, 160, 160))
    for ax, (values, title) in zip(axes, panels, strict=True):
        show(ax, values, title, float(counts.max()))
    axes[0].plot(CENTER[1], CENTER[0], "+", color="w", markersize=9)
    return figure


@in_style
def from_folders_to_answers(counts: Sequence[int] = (2, 4, 7)) -> Figure:
    """Return a frame of each class, and how a rule trained on such frames reads others."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files, labels = [], []
        for n in counts:
            for seed in range(30):
                files.append(home / f"{n}-{seed}.npy")
                labels.append(n)
                np.save(files[-1], frame(n, seed))
        options = FrameOptions(center=CENTER, step=STEP)
        grid = KGrid.centered(65, STEP)
        dataset = import_frames(files, labels, home / "data", options, grid=grid)
        experiment = Experiment.from_dict(
            {
                "name": "mine",
                "prepare": [{"name": "standardize"}],
                "classifier": "radial-lda",
                "split": {"train": 0.5, "valid": 0.1, "test": 0.4},
            }
        )
        model = train(experiment, dataset, home / "model")
        (read,) = assess(model, part_of(model, dataset, "test")).values()
    table = np.zeros((len(counts), len(counts)), dtype=int)
    np.add.at(
        table, (np.searchsorted(counts, read.labels), np.searchsorted(counts, read.predicted)), 1
    )
    figure = new_figure(9.6, 2.6, "compressed")
    *frames, last = figure.subplots(1, len(counts) + 1)
    for ax, n in zip(frames, counts, strict=True):
        values = frame(n, 0)
        show(ax, np.where(values < 0, np.nan, values), f"{n}/0.npy", float(values.max()))
    last.imshow(table, cmap="Blues", vmin=0)
    for (row, column), value in np.ndenumerate(table):
        dark = value > table.max() / 2
        last.text(column, row, value, ha="center", va="center", color="w" if dark else "k")
    last.set_xticks(range(len(counts)), counts)
    last.set_yticks(range(len(counts)), counts)
    last.set(xlabel="read as n", ylabel="n", title="unseen frames")
    return figure


if __name__ == "__main__":
    save_picture(from_frame_to_pattern(), IMAGES / "frame.png")
    save_picture(from_folders_to_answers(), IMAGES / "own-patterns.png")
