"""Quantities and fingerprints of each pattern of a data set, collected in one pass.

Bodies are accessed through the `Particles` protocol only. `findings` interprets the numbers.
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
from speckle_core.experiment.components import SIMULATION

Digests = NDArray[np.uint64]

_BATCH = 64
#: Lengths and areas are equal within this fraction of the box's: far above rounding errors, and far
#: below any coincidence of random draws.
_SAME = 1e-8
#: Fraction of a pattern's largest intensity within which a new simulation must agree; a raster or
#: another CPU family changes the last digits.
_AGREES = 1e-3


@attrs.frozen(eq=False, kw_only=True)
class Inventory:
    """One row for each of the N patterns of a set.

    Parameters
    ----------
    labels : array of int, (N,)
        The number of bodies n.
    quantities : dict of str to array, (N,)
        Mean radius of the bounding circles [length], total projected area of the bodies for
        contrast 1 [area], coverage (that area over the box's), mean intensity [area²].
    equal : array of bool, (N,)
        Whether all bodies of the pattern have the same size.
    sizes : array of uint64, (N,)
        Fingerprint of the bodies' sizes, independent of order.
    configurations : array of uint64, (N,)
        Fingerprint of sizes, contrasts and positions.
    arrangements : array of uint64, (N,)
        The same, invariant under translation and point inversion.
    patterns : array of uint64, (N,)
        Fingerprint of the bytes of the pattern.
    bodies_known : bool
        Whether bodies were looked at: those of measured patterns are unknown, and the fingerprints
        of sizes, configurations and arrangements are then those of the pattern.
    """

    labels: IntArray
    quantities: dict[str, FloatArray]
    equal: NDArray[np.bool_]
    sizes: Digests
    configurations: Digests
    arrangements: Digests
    patterns: Digests
    bodies_known: bool = True

    @classmethod
    def of(cls, dataset: Dataset, progress: Progress | None = None) -> Inventory:
        """Return the inventory of `dataset`, read in batches.

        Configurations are drawn again, since a data set stores the particles' arrays but not their
        class, which computes the area.

        Raises
        ------
        DataError
            When a pattern cannot be read, or the installed sampler and scatterer make other
            patterns than those of the set.
        PluginError
            When the sampler or the scatterer is not installed.
        """
        progress = progress or Progress()
        experiment = dataset.experiment
        measured = experiment.imported is not None
        pipeline = experiment.build(only=() if measured else SIMULATION)
        each = experiment.structure.patterns_per_count
        patterns = dataset.patterns()
        rows: list[dict[str, Any]] = []
        progress.start("audit", len(dataset))
        for start in range(0, len(dataset), _BATCH):
            batch = patterns.raw(np.arange(start, min(start + _BATCH, len(dataset))))
            for index, pattern in enumerate(batch, start):
                if measured:
                    rows.append(_measured_row(pattern))
                    continue
                number = index % each
                place = (int(dataset.labels[index]), number)
                drawn = pipeline.draw(*place, experiment.seed)
                if number == 0:
                    again = pipeline.recorded([drawn], [place], experiment.seed)[0]
                    _check_reproduced(pattern, again, index, dataset)
                rows.append(_row(drawn, pattern))
            progress.advance(len(batch))
        progress.finish()
        columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        digests = {
            name: columns.pop(name).astype(np.uint64)
            for name in ("sizes", "configurations", "arrangements", "patterns")
        }
        equal = columns.pop("equal")
        return cls(
            labels=dataset.labels,
            equal=equal,
            quantities=columns,
            bodies_known=not measured,
            **digests,
        )


def _check_reproduced(pattern: FloatArray, again: FloatArray, index: int, dataset: Dataset) -> None:
    """Raise `DataError` if simulating a pattern again does not reproduce it."""
    if np.abs(pattern - again).max() > _AGREES * np.abs(again).max():
        raise DataError(
            f"pattern {index} is not reproduced by its experiment with the installed plugins",
            where=str(dataset.folder),
            hint="Run 'speckle verify' on it; if it is intact, install the versions that made it.",
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
        "sizes": _digest(_canonical(sizes)),
        "configurations": _digest(_canonical(np.column_stack([bodies, centers]))),
        "arrangements": _digest(
            min(_canonical(np.column_stack([bodies, sign * middle])) for sign in (1, -1))
        ),
        "patterns": _digest(pattern.tobytes()),
    }


def _measured_row(pattern: FloatArray) -> dict[str, Any]:
    digest = _digest(pattern.tobytes())
    names = ("sizes", "configurations", "arrangements", "patterns")
    return {
        "mean intensity": pattern.mean(dtype=np.float64),
        "equal": False,
        **dict.fromkeys(names, digest),
    }


def _canonical(table: FloatArray) -> bytes:
    """Return rounded rows in a canonical order, as bytes."""
    # Round to integers: -0.0 and 0.0 are equal but have different bytes.
    whole = np.rint(table / _SAME).astype(np.int64)
    ordered: bytes = whole[np.lexsort(whole.T[::-1])].tobytes()
    return ordered


def _digest(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
