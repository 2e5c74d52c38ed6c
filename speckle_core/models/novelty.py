"""Whether a pattern looks like those a model was trained on: its ring means against theirs.

A classifier answers whatever it is shown. This judges, from azimuthal profiles alone, how far a
pattern lies from every class of the training, in shape and in brightness as the classifier is shown
it; what to make of that is the caller's to say.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.azimuthal import azimuthal_mean
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.errors import ModelError
from speckle_core.files import write_text

FILE = "familiar.json"
#: Training patterns of each class that are looked at.
_PER_CLASS = 200
#: How much farther than the farthest training pattern is called far.
MARGIN = 1.5

Array = NDArray[np.float64]


def _as_array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)


@attrs.frozen(eq=False)
class Familiar:
    """The profiles of a training set, to measure other patterns by.

    Parameters
    ----------
    means : array, (classes, rings + 1)
        Mean profile of each class: the azimuthal mean above the pattern's least value, over its own
        mean; and last the logarithm of that mean, the brightness.
    spread : array, (rings + 1,)
        Standard deviation about the class means.
    farthest : array, (2,)
        How far a training pattern lies from its own class at most: root mean square over rings, and
        in brightness, in standard deviations.
    """

    means: Array = attrs.field(converter=_as_array)
    spread: Array = attrs.field(converter=_as_array)
    farthest: Array = attrs.field(converter=_as_array)

    @classmethod
    def of(cls, train: PatternSet) -> Familiar:
        """Return the profiles of up to 200 patterns of each class of `train`."""
        chosen = [np.flatnonzero(train.labels == c)[:_PER_CLASS] for c in train.classes]
        profiles = [
            np.concatenate(
                [
                    _profiles(train.batch(part)[0], train.grid)
                    for part in np.array_split(own, -(-len(own) // 64))
                ]
            )
            for own in chosen
            if len(own)
        ]
        means = np.stack([p.mean(axis=0) for p in profiles])
        residuals = np.concatenate([p - m for p, m in zip(profiles, means, strict=True)])
        # A ring that never varies, such as a blocked one, must not divide by zero.
        spread = np.maximum(residuals.std(axis=0), 1e-3)
        return cls(means, spread, _apart(residuals / spread).max(axis=0))

    def distances(self, prepared: FloatArray, grid: KGrid) -> Array:
        """Return how far prepared patterns (B, ny, nx) lie from the nearest class, (B,).

        The farthest training pattern is at 1, by the shape of its profile or by its brightness. A
        wider view is measured on the rings of the training; a narrower one cannot be: NaN.
        """
        rings = self.means.shape[1] - 1
        if grid.size - grid.origin < rings:
            return np.full(len(prepared), np.nan)
        profiles = _profiles(prepared, grid, rings)
        apart = _apart((profiles[:, None] - self.means) / self.spread) / self.farthest
        distances: Array = apart.max(axis=2).min(axis=1)
        return distances

    def far(self, distances: Array) -> NDArray[np.bool_]:
        """Return which distances exceed `MARGIN`, that of the farthest training pattern being 1."""
        return np.asarray(distances > MARGIN)

    def count_far(self, patterns: PatternSet, *, batch_size: int = 64) -> int:
        """Return how many prepared patterns are far; those too narrow to be measured are not."""
        return sum(
            int(self.far(self.distances(batch, patterns.grid)).sum())
            for batch, _ in patterns.batches(batch_size)
        )

    def save(self, folder: Path) -> None:
        """Write the profiles into `folder`."""
        data = {k: np.asarray(v).tolist() for k, v in attrs.asdict(self).items()}
        write_text(folder / FILE, json.dumps(data) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Familiar:
        """Return what `save` wrote.

        Raises
        ------
        ModelError
            When the file is missing or damaged.
        """
        path = folder / FILE
        try:
            found = cls(**json.loads(path.read_text("utf-8")))
            shapes = found.means.ndim, found.spread.shape
            if shapes != (2, found.means.shape[1:]) or found.farthest.shape != (2,):
                raise ValueError("its arrays do not fit one another")
            if not all(np.isfinite(a).all() for a in (found.means, found.spread, found.farthest)):
                raise ValueError("it holds numbers that are not finite")
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"cannot be read: {error}", where=str(path)) from error
        return found


def _profiles(prepared: FloatArray, grid: KGrid, rings: int | None = None) -> Array:
    """Return profiles without offset and scale, and last the logarithm of their scale."""
    lifted = prepared - prepared.min(axis=(1, 2), keepdims=True)
    profiles = azimuthal_mean(lifted, grid)[:, :rings]
    scale = np.maximum(profiles.mean(axis=1, keepdims=True), 1e-30)
    return np.concatenate([profiles / scale, np.log(scale)], axis=1)


def _apart(deviations: Array) -> Array:
    """Return the root mean square over rings, and the size of the last value, (…, 2)."""
    shape = np.sqrt(np.mean(deviations[..., :-1] ** 2, axis=-1))
    return np.stack([shape, np.abs(deviations[..., -1])], axis=-1)
