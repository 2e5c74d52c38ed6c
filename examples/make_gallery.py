"""Draws the README's picture: the systems of the paper's figure 2, in real space and in k space."""

from pathlib import Path

import numpy as np

from speckle_core import KGrid, Pipeline
from speckle_core.figures import gallery, save

COUNTS = (2, 3, 6, 10, 15, 20)


def main() -> None:
    grid = KGrid.centered(257, np.pi / 2000)
    pipeline = Pipeline(sampler="monodisperse", scatterer="analytic", grid=grid)
    systems = [pipeline.draw(count, 0, seed=1) for count in COUNTS]
    patterns = pipeline.simulate(systems)
    figure = gallery(
        list(zip(COUNTS, systems, patterns, strict=True)),
        grid,
        blocked=grid.block(11),
    )
    save(figure, Path(__file__).parents[1] / "docs" / "images" / "gallery.png")


if __name__ == "__main__":
    main()
