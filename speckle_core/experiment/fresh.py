"""Training patterns that are simulated as they are read, new ones in every epoch; none is stored.

Pattern `number` of class n in an epoch draws from ``SeedSequence(seed, spawn_key=(n, number, epoch,
2))``, its noise from ``(n, number, epoch, 3)``. Keys of stored patterns have two and three numbers,
so no stored pattern of the seed, of whatever set, is among them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.preparation import Step
from speckle_core.experiment.simulation import Simulation

Made = tuple[NDArray[np.float32], NDArray[np.bool_] | None]


@attrs.define(eq=False)
class FreshPatterns:
    """The training patterns of an experiment with ``structure.fresh``.

    Parameters
    ----------
    simulation : Simulation
        Makes the patterns.
    counts : sequence of int
        The classes.
    size : int
        Patterns of an epoch, as evenly spread over the classes as they can be.
    seed : int
        The experiment's.
    redrawn : bool
        Whether patterns of a certain epoch were asked for; rules that are fitted once do not.
    """

    simulation: Simulation
    counts: Sequence[int]
    size: int
    seed: int
    redrawn: bool = attrs.field(init=False, default=False)
    # Components need not be safe to use from several threads.
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    @property
    def labels(self) -> IntArray:
        """The class of every pattern of an epoch, (size,), ascending."""
        return np.sort(np.resize(np.asarray(self.counts, dtype=np.int64), self.size))

    def patterns(self, steps: Sequence[Step] = ()) -> PatternSet:
        """Return them as a set that `steps` prepare; see `PatternSet.at_epoch`."""
        return self._of_epoch(1, steps, self)

    def __call__(self, epoch: int) -> PatternSet:
        """Return the raw patterns of an epoch, numbered from 1."""
        self.redrawn = True
        return self._of_epoch(epoch)

    def _of_epoch(
        self, epoch: int, steps: Sequence[Step] = (), redraw: FreshPatterns | None = None
    ) -> PatternSet:
        labels = self.labels
        numbers = np.arange(len(labels)) - np.searchsorted(labels, labels)
        last: tuple[bytes, Made] | None = None

        def make(indices: IntArray) -> Made:
            nonlocal last
            with self._lock:
                # Patterns and masks of a batch are asked for one after the other.
                if last is None or last[0] != indices.tobytes():
                    places = [(int(labels[i]), int(numbers[i])) for i in indices]
                    last = indices.tobytes(), self._make(places, epoch)
                return last[1]

        return PatternSet(
            lambda indices: make(indices)[0],
            labels,
            self.simulation.grid,
            classes=self.counts,
            steps=steps,
            measured=None if self.simulation.detector is None else lambda i: make(i)[1],
            redraw=redraw,
        )

    def _make(self, places: Sequence[tuple[int, int]], epoch: int) -> Made:
        made, seed = self.simulation, self.seed
        drawn = [made.draw(*place, seed, epoch=epoch) for place in places]
        recorded, valid = made.record(made.simulate(drawn), places, seed, epoch=epoch)
        return made.complete(recorded, valid), valid
