"""The authors' transform of one pattern, an FFT of 18001², beside ours; prints one JSON document.

Needs 11 GB of memory and half a minute. Theirs runs on two threads, ours on one; the ratio is that
of CPU time, in one run. Ours is the best of ten before and ten after, over 40 patterns of one n
with its form factor at hand, as it is after the first of a set.

    python benchmarks/authors_transform.py
"""

from __future__ import annotations

import json
import platform
import time

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

from speckle_core import KGrid
from speckle_disks.samplers import Monodisperse
from speckle_scatter.analytic import Analytic

SIDE, PADDED, STEP = 2001, 18001, 2 * np.pi / 18001


def main() -> None:
    grid = KGrid.centered(257, STEP)
    systems = [Monodisperse().sample(20, np.random.default_rng(i)) for i in range(40)]
    scatterer = Analytic()
    scatterer.intensities(systems[:1], grid)

    def ours() -> float:
        best = np.inf
        for _ in range(10):
            start = time.process_time()
            scatterer.intensities(systems, grid)
            best = min(best, time.process_time() - start)
        return best / len(systems)

    with threadpool_limits(1):
        before = ours()
        padded = np.zeros((PADDED, PADDED), dtype=np.complex128)
        y, x = np.mgrid[:SIDE, :SIDE]
        (disks,) = systems[0].particles
        for (cx, cy), radius in zip(disks.centers, disks.radii, strict=True):
            padded[:SIDE, :SIDE][(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = 1
        wall, start = time.perf_counter(), time.process_time()
        whole = scipy.fft.fft2(padded, overwrite_x=True, workers=2)
        theirs, wall = time.process_time() - start, time.perf_counter() - wall
        pixels = grid.indices
        pattern = np.abs(whole[np.ix_(pixels, pixels)]) ** 2
        after = ours()
    exact = scatterer.intensities(systems[:1], grid)[0]
    each = min(before, after)
    answer = {
        "machine": platform.machine(),
        "authors_s": round(theirs, 2),
        "authors_wall_s": round(wall, 2),
        "analytic_ms": round(1e3 * each, 4),
        "ratio": round(theirs / each),
        "relative_l2_of_their_raster": float(
            np.linalg.norm(pattern - exact) / np.linalg.norm(exact)
        ),
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
