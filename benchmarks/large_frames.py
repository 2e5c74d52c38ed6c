"""What a frame of four megapixels costs, from the file to the model's grid.

    python benchmarks/large_frames.py

Frames of uint32 with gaps, in an HDF5 file; the seconds are CPU time of the fastest of several
frames, after the first. Memory is the largest that was allocated on top, in units of the frame.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from speckle_core import FrameOptions, KGrid, create
from speckle_core.data.measured import Measured

SIZE, FRAMES, STEP = 2048, 4, np.pi / 2000
#: The frame's pixels are so much finer than the grid's.
FINER = 12
CENTER = (1010.0, 1040.0)


def write(path: Path) -> None:
    """Write frames whose k = 0 lies at `CENTER`."""
    rng = np.random.default_rng(0)
    system = create("sampler", "monodisperse").sample(6, rng)
    whole = create("scatterer", "analytic").intensity(
        system, KGrid.centered(2 * SIZE + 1, STEP / FINER)
    )
    corner = [SIZE - round(c) for c in CENTER]
    part = np.asarray(whole)[corner[0] : corner[0] + SIZE, corner[1] : corner[1] + SIZE]
    with h5py.File(path, "w") as file:
        shape = (FRAMES, SIZE, SIZE)
        data = file.create_dataset("entry/data/data", shape, np.uint32, chunks=(1, SIZE, SIZE))
        for index in range(FRAMES):
            frame = rng.poisson(part * (3e7 / part.sum())).astype(np.uint32)
            frame[500:530] = frame[:, 1500:1512] = 2**32 - 1
            data[index] = frame


def measure(path: Path, grid: KGrid, **options: Any) -> tuple[float, float]:
    """Return seconds a frame and peak memory in frames."""
    measured = Measured(path, FrameOptions(**options))
    seconds = []
    for index in range(FRAMES):
        start = time.process_time()
        measured.on_grid(index, grid)
        seconds.append(time.process_time() - start)
    tracemalloc.start()
    measured.on_grid(0, grid)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return min(seconds[1:]), peak / (4 * SIZE**2)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.h5"
        write(path)
        for what, options in (
            ("centre told", {"center": CENTER}),
            ("centre auto", {"center": "auto"}),
            ("binned by 4, auto", {"center": "auto", "rebin": 4}),
        ):
            seconds, peak = measure(path, KGrid.centered(129, STEP), step=STEP / FINER, **options)
            print(f"{what}: {seconds:.2f} s of CPU, {peak:.1f} times the frame's memory")
        same = {"step": STEP, "center": CENTER}
        seconds, peak = measure(path, KGrid.centered(1025, STEP), **same)
        print(f"1025 pixels of the frame's own step: {seconds:.2f} s, {peak:.1f} times")


if __name__ == "__main__":
    main()
