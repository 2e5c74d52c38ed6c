"""Time per pattern, and ratios to named peers measured in the same run; prints one JSON document.

Peers: ``naive`` is the defining sum, a NumPy complex exponential per body and pixel; ``separable``
is what one would write by hand for equal disks, one complex matrix product over the half plane with
the form factor at hand; ``padded_fft`` is the raster of 2001² zero-padded by `scipy.fft` to 4001²,
where the authors' 18001² costs some twenty times more. Machines differ, so compare ratios, not
milliseconds. One thread, and CPU time rather than wall time, so that a busy machine disturbs less.

    python benchmarks/generation.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

from speckle_core import Configuration, KGrid
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft

SAMPLERS = {"monodisperse": Monodisperse(), "polydisperse": Polydisperse()}
PADDED = 4001


def naive(configuration: Configuration, grid: KGrid) -> np.ndarray:
    (disks,) = configuration.particles
    kx, ky = np.meshgrid(grid.axis, grid.axis)
    form_factors = disks.form_factors(kx, ky)
    total = np.zeros(grid.shape, dtype=complex)
    for (x, y), form_factor in zip(disks.centers, form_factors, strict=True):
        total += form_factor * np.exp(-1j * (kx * x + ky * y))
    return np.abs(total) ** 2


def separable(
    configurations: Sequence[Configuration], grid: KGrid, squared: np.ndarray
) -> np.ndarray:
    out = np.empty((len(configurations), *grid.shape), dtype=np.float32)
    o = grid.origin
    for configuration, pattern in zip(configurations, out, strict=True):
        (disks,) = configuration.particles
        x, y = disks.centers.T
        wave_x = np.exp(-1j * np.multiply.outer(x, grid.axis))
        structure = np.exp(-1j * np.multiply.outer(grid.axis[o:], y)) @ wave_x
        pattern[o:] = (structure.real**2 + structure.imag**2) * squared
        pattern[o::-1] = pattern[o:, ::-1]
    return out


def padded_fft(configuration: Configuration, grid: KGrid) -> np.ndarray:
    (disks,) = configuration.particles
    y, x = np.mgrid[:2001, :2001]
    raster = np.zeros((2001, 2001))
    for (cx, cy), radius in zip(disks.centers, disks.radii, strict=True):
        raster[(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = 1
    whole = np.abs(scipy.fft.fft2(raster, (PADDED, PADDED), workers=1)) ** 2
    pixels = grid.indices
    return whole[np.ix_(pixels, pixels)]


def milliseconds(work: Callable[[], object], per: int, repeats: int) -> float:
    best = math.inf
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return 1e3 * best / per


def together(works: Sequence[Callable[[], object]], per: int, repeats: int) -> list[float]:
    """Return the time of each, in turns, so that what else runs on the machine meets them alike."""
    best = [math.inf] * len(works)
    for _ in range(repeats):
        best = [min(b, milliseconds(work, per, 1)) for b, work in zip(best, works, strict=True)]
    return best


def measure(name: str, count: int, size: int, batch: int, repeats: int) -> dict[str, object]:
    grid = KGrid.centered(size, np.pi / 2000)

    def sample() -> Sequence[Configuration]:
        return [
            SAMPLERS[name].sample(count, np.random.default_rng((count, i))) for i in range(batch)
        ]

    configurations = sample()
    return {
        "sampler": name,
        "n": count,
        "size": size,
        "sample_ms": milliseconds(sample, batch, repeats),
        # A fresh scatterer each time: form factors kept from an earlier repeat would flatter it.
        "analytic_ms": milliseconds(
            lambda: Analytic().intensities(configurations, grid), batch, repeats
        ),
    }


def compare(name: str, count: int, size: int, batch: int, repeats: int) -> dict[str, object]:
    grid = KGrid.centered(size, np.pi / 2000)
    configurations = [
        SAMPLERS[name].sample(count, np.random.default_rng((count, i))) for i in range(batch)
    ]
    Fft().intensities(configurations[:1], grid)  # the kernel is made once for a grid and kept
    (disks,) = configurations[0].particles
    squared = disks.radial_form_factor(0, grid.magnitude()[grid.origin :]) ** 2
    works = (
        lambda: Analytic().intensities(configurations, grid),
        lambda: separable(configurations, grid, squared),
        lambda: Fft().intensities(configurations, grid),
    )
    analytic, by_hand, fft = together(works, batch, repeats)
    plain = milliseconds(lambda: naive(configurations[0], grid), 1, repeats)
    whole = milliseconds(lambda: padded_fft(configurations[0], grid), 1, 1)
    return {
        "sampler": name,
        "n": count,
        "size": size,
        "analytic_ms": analytic,
        "fft_ms": fft,
        "naive_ms": plain,
        # For unequal disks it has the right cost and the wrong form factors.
        "separable_ms": by_hand,
        "padded_fft_ms": whole,
        "naive_over_analytic": plain / analytic,
        "analytic_over_separable": analytic / by_hand,
        "padded_fft_over_fft": whole / fft,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer disks, smaller batches")
    quick = parser.parse_args().quick
    batch, repeats = (15, 30) if quick else (40, 10)
    counts = (2, 20) if quick else range(2, 21)
    with threadpool_limits(1):
        result = {
            "machine": platform.machine(),
            "numpy": np.__version__,
            "per_pattern": [
                measure(name, count, size, batch, repeats)
                for size in (257, 513)
                for name in SAMPLERS
                for count in counts
            ],
            "ratios": [
                compare(name, count, size, batch, repeats)
                for size in (257, 513)
                for name in SAMPLERS
                for count in (2, 20)
            ],
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
