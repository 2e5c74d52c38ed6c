"""What each pattern of a data set holds, as a few numbers and fingerprints: one pass over it.

Bodies are known by the `Particles` protocol alone. Nothing here judges what the numbers mean; that
is `audit`'s.
"""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import SIMULATION

Digests = NDArray[np.uint64]

_BATCH = 64
#: Lengths and areas count as equal within this share of the box's: far above rounding, and far
#: below what two random draws could meet.
_SAME = 1e-8
#: Share of a pattern's largest intensity within which simulating it again must agree; a raster or
#: another family of CPU moves the last digits.
_AGREES = 1e-3


@attrs.frozen(eq=False, kw_only=True)
class Inventory:
    """One row for each of the N patterns of a set.

    Parameters
    ----------
    labels : array of int, (N,)
        The number of bodies n.
    quantities : dict of str to array, (N,)
        Mean radius of the bounding circles [length], total area of the bodies, projected and for
        contrast 1 [area], coverage (the same over the area of the box), mean intensity [area²].
    equal : array of bool, (N,)
        Whether all bodies of the pattern are of one size.
    sizes : array of uint64, (N,)
        Fingerprint of the bodies' sizes, in any order; equal ones mean equal sizes.
    configurations : array of uint64, (N,)
        The same for sizes, contrasts and places.
    arrangements : array of uint64, (N,)
        The same for configurations that may be shifted, or inverted through a point.
    patterns : array of uint64, (N,)
        The same for the bytes of the pattern.
    """

    labels: IntArray
    quantities: dict[str, FloatArray]
    equal: NDArray[np.bool_]
    sizes: Digests
    configurations: Digests
    arrangements: Digests
    patterns: Digests

    @classmethod
    def of(cls, dataset: Dataset, progress: Progress | None = None) -> Inventory:
        """Return the inventory of `dataset`, read in batches.

        Configurations are drawn as the set's were; a set keeps their numbers, but not the class
        that knows their area.

        Raises
        ------
        DataError
            When a pattern cannot be read, or the sampler and scatterer of today make other patterns
            than those of the set.
        PluginError
            When the sampler or the scatterer is not installed.
        """
        progress = progress or Progress()
        experiment = dataset.experiment
        pipeline = experiment.build(only=SIMULATION)
        each = experiment.structure.patterns_per_count
        patterns = dataset.patterns()
        rows: list[dict[str, Any]] = []
        progress.start("audit", len(dataset))
        for start in range(0, len(dataset), _BATCH):
            batch = patterns.raw(np.arange(start, min(start + _BATCH, len(dataset))))
            for index, pattern in enumerate(batch, start):
                number = index % each
                drawn = pipeline.draw(int(dataset.labels[index]), number, experiment.seed)
                if number == 0:
                    _check_drawn(pattern, pipeline.simulate([drawn])[0], index, dataset)
                rows.append(_row(drawn, pattern))
            progress.advance(len(batch))
        progress.finish()
        columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        digests = {
            name: columns.pop(name).astype(np.uint64)
            for name in ("sizes", "configurations", "arrangements", "patterns")
        }
        equal = columns.pop("equal")
        return cls(labels=dataset.labels, equal=equal, quantities=columns, **digests)


def _check_drawn(pattern: FloatArray, again: FloatArray, index: int, dataset: Dataset) -> None:
    """Raise `DataError` when simulating a pattern again does not give the one of the set."""
    if np.abs(pattern - again).max() > _AGREES * np.abs(again).max():
        raise DataError(
            f"pattern {index} is another than its experiment gives with the plugins installed here",
            where=str(dataset.folder),
            hint="Run 'speckle verify' on it; if it is whole, install the versions that made it.",
        )


def _row(configuration: Configuration, pattern: FloatArray) -> dict[str, Any]:
    box, zero = configuration.box, np.zeros(1)
    particles = configuration.particles
    radii = np.concatenate([np.asarray(p.bounding_radii, dtype=np.float64) for p in particles])
    areas = np.concatenate([np.abs(p.form_factors(zero, zero)[:, 0]) for p in particles])
    contrast = np.concatenate([np.asarray(p.contrast, dtype=np.complex128) for p in particles])
    centers = np.concatenate([np.asarray(p.centers, dtype=np.float64) for p in particles]) / box
    sizes = np.column_stack([radii / box, areas / box**2])
    bodies = np.column_stack([sizes, contrast.real, contrast.imag])
    middle = centers - centers.mean(axis=0)
    return {
        "mean radius": radii.mean(),
        "total area": areas.sum(),
        "coverage": areas.sum() / box**2,
        "mean intensity": pattern.mean(dtype=np.float64),
        "equal": bool(np.all(np.ptp(sizes, axis=0) <= _SAME)),
        "sizes": _digest(_sorted(sizes)),
        "configurations": _digest(_sorted(np.column_stack([bodies, centers]))),
        "arrangements": _digest(
            min(_sorted(np.column_stack([bodies, sign * middle])) for sign in (1, -1))
        ),
        "patterns": _digest(pattern.tobytes()),
    }


def _sorted(table: FloatArray) -> bytes:
    """Return rounded rows in an order of their own, as bytes."""
    # Whole numbers, since -0.0 and 0.0 are equal and yet other bytes.
    whole = np.rint(table / _SAME).astype(np.int64)
    ordered: bytes = whole[np.lexsort(whole.T[::-1])].tobytes()
    return ordered


def _digest(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
