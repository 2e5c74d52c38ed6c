"""How fast this machine simulates, stores, reads, trains, predicts and solves: in under a minute.

Every figure is the best of several repeats, since what else runs on a machine only makes it slower;
it is CPU time where one core works, and wall time for writing, the network and the solver. The
product is a peer that any machine can compute, so ratios to it can be compared across machines.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from threadpoolctl import threadpool_limits

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.errors import SpeckleError
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.plugins.manager import create

#: Particles of the patterns that are simulated, and of those that are solved.
PARTICLES, SOLVED = 20, 6
_REPEATS, _PATTERNS, _PER_COUNT = 5, 15, 14
# The network reads at most this many pixels a side, and so many patterns in an epoch.
_NETWORK_SIZE, _IMAGES = 129, 16
_WALL = time.perf_counter
_PRESETS = {"equal disks": "paper-mono-257", "unequal disks": "paper-poly-257"}


@attrs.frozen(kw_only=True)
class Figure:
    """One measured figure.

    Parameters
    ----------
    name : str
        What was measured.
    ms : float, optional
        Milliseconds for one pattern; None if it could not be measured.
    reference : float, optional
        The same on the reference machine of the documentation, for patterns of 257 × 257 pixels.
    note : str
        Why there is no figure.
    """

    name: str
    ms: float | None
    reference: float | None = None
    note: str = ""


#: Milliseconds a pattern of 257 × 257 on one of two shared cores (AMD EPYC with AVX-512), 11/2026.
REFERENCE = {
    "product": 0.44,
    "draw, equal disks": 0.08,
    "simulate, equal disks": 0.27,
    "draw, unequal disks": 0.09,
    "simulate, unequal disks": 0.99,
    "read": 0.11,
    "read and prepare": 0.26,
}


def measure(size: int = 257, *, network: bool = True) -> Iterator[Figure]:
    """Measure, and iterate over the figures as they are known.

    Parameters
    ----------
    size : int
        Pixels along each side.
    network : bool
        Train the network, too, if torch is installed.

    Raises
    ------
    ExperimentError
        For a size that is not odd.
    """
    grid = KGrid.centered(size, math.pi / 2000)
    steps = (
        ("product", lambda: [("product", _product(grid))]),
        *((kind, lambda kind=kind: _simulate(kind, grid)) for kind in _PRESETS),
        ("a data set", lambda: _store(size)),
        *((("network", lambda: _network(min(size, _NETWORK_SIZE))),) if network else ()),
        ("solve", lambda: [(f"solve, n = {SOLVED}", _solve(grid))]),
    )
    for step, work in steps:
        try:
            # The generators below are run to their end, so that an error costs the whole step.
            for name, ms in list(work()):
                reference = REFERENCE.get(name) if size == 257 else None
                yield Figure(name=name, ms=ms, reference=reference)
        except SpeckleError as error:
            yield Figure(name=step, ms=None, note=error.what)


def _best(
    work: Callable[[], Any],
    patterns: int,
    repeats: int = _REPEATS,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Return the milliseconds a pattern of the fastest repeat, of CPU time by default."""
    best = math.inf
    for _ in range(repeats):
        start = clock()
        work()
        best = min(best, clock() - start)
    return 1e3 * best / patterns


def _product(grid: KGrid) -> float:
    """Time what one would write by hand for equal disks: one complex product on the half plane."""
    place = np.random.default_rng(0).random((2, PARTICLES)) * 2000
    squared = np.ones((grid.size - grid.origin, grid.size))
    pattern = np.empty(grid.shape, dtype=np.float32)

    def by_hand() -> None:
        x = np.exp(-1j * np.multiply.outer(place[0], grid.axis))
        structure = np.exp(-1j * np.multiply.outer(grid.axis[grid.origin :], place[1])) @ x
        pattern[grid.origin :] = (structure.real**2 + structure.imag**2) * squared
        pattern[grid.origin :: -1] = pattern[grid.origin :, ::-1]

    with threadpool_limits(1):
        return _best(by_hand, 1, 10 * _REPEATS)


def _simulate(kind: str, grid: KGrid) -> Iterator[tuple[str, float]]:
    pipeline = Experiment.load(_PRESETS[kind], [f"grid.size={grid.size}"]).build(only=SIMULATION)
    numbers = range(_PATTERNS)
    with threadpool_limits(1):
        drawn = [pipeline.draw(PARTICLES, i, 0) for i in numbers]
        pipeline.simulate(drawn)
        yield (
            f"draw, {kind}",
            _best(lambda: [pipeline.draw(PARTICLES, i, 0) for i in numbers], _PATTERNS),
        )
        yield f"simulate, {kind}", _best(lambda: pipeline.simulate(drawn), _PATTERNS)


def _store(size: int) -> Iterator[tuple[str, float]]:
    """Generate a small set, and read it, prepared and not, in random order."""
    experiment = Experiment.load(
        _PRESETS["equal disks"],
        [
            f"grid.size={size}",
            f"structure.patterns_per_count={_PER_COUNT}",
            "split={train = 0.8, valid = 0.1, test = 0.1, stratify = true}",
        ],
    )
    steps = experiment.build(only=("prepare",)).prepare
    count = experiment.patterns
    order = np.random.default_rng(0).permutation(count)
    with tempfile.TemporaryDirectory(prefix="speckle-bench-") as scratch:
        folders = (Path(scratch) / str(number) for number in itertools.count())
        yield (
            "generate and write, one core",
            _best(lambda: generate(experiment, next(folders), workers=1), count, 2, _WALL),
        )
        with Dataset.open(Path(scratch) / "0") as dataset:
            patterns = dataset.patterns(steps=steps)
            batches = np.array_split(order, -(-count // 40))
            yield "read", _best(lambda: [patterns.raw(batch) for batch in batches], count)
            yield (
                "read and prepare",
                _best(lambda: [patterns.batch(batch) for batch in batches], count),
            )
            yield from _baseline(dataset.patterns("train", steps), dataset.patterns("test", steps))


def _baseline(train: PatternSet, test: PatternSet) -> Iterator[tuple[str, float]]:
    classifier = create("classifier", "radial-lda")
    yield "fit radial-lda", _best(lambda: classifier.fit(train, test, seed=0), len(train), 2)
    some, _ = test.batch(np.arange(len(test)))
    yield "predict, radial-lda", _best(lambda: classifier.predict_proba(some), len(some))


def _network(size: int) -> Iterator[tuple[str, float]]:
    """Train the paper's network for two epochs of a few patterns; the first one warms up."""
    where = f"{size} × {size}"
    experiment = Experiment.load(
        _PRESETS["equal disks"],
        [f"grid.size={size}", "classifier={name='torch-resnet50', epochs=2, batch_size=8}"],
    )
    pipeline = experiment.build()
    patterns = pipeline.pattern_set([2, 3], _IMAGES // 2)
    history = pipeline.classifier.fit(patterns, patterns.subset([0, _IMAGES - 1]), seed=0)
    yield f"train torch-resnet50, {where}", 1e3 * history[-1].seconds / _IMAGES
    some, _ = patterns.batch(np.arange(_IMAGES))
    yield (
        f"predict torch-resnet50, {where}",
        _best(lambda: pipeline.classifier.predict_proba(some), _IMAGES, 2, _WALL),
    )


def _solve(grid: KGrid) -> float:
    solver = create("solver", "patterson")
    pipeline = Experiment.load(_PRESETS["unequal disks"], [f"grid.size={grid.size}"]).build(
        only=SIMULATION
    )
    (pattern,) = pipeline.simulate([pipeline.draw(SOLVED, 0, 0)])
    return _best(lambda: solver.solve(pattern, grid), 1, 2, _WALL)
