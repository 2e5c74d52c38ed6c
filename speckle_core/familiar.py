"""Whether a pattern looks like those a model was trained on: its ring means against theirs.

A classifier answers whatever it is shown. This judges, from azimuthal profiles alone, how far a
pattern lies from every class of the training; what to make of that is the caller's to say.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.atomic import write_text
from speckle_core.azimuthal import azimuthal_mean
from speckle_core.configuration import FloatArray
from speckle_core.errors import ModelError
from speckle_core.grid import KGrid
from speckle_core.patterns import PatternSet

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
    means : array, (classes, rings)
        Mean profile of each class; a profile is the azimuthal mean above the pattern's least value,
        over its own mean, so that neither offset nor scale of the intensity counts.
    spread : array, (rings,)
        Standard deviation about the class means.
    farthest : float
        Largest distance of a training pattern.
    """

    means: Array = attrs.field(converter=_as_array)
    spread: Array = attrs.field(converter=_as_array)
    farthest: float = attrs.field(converter=float)

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
        found = cls(means, spread, 0.0)
        farthest = max(float(found._from(p).max()) for p in profiles)
        return attrs.evolve(found, farthest=farthest)

    def _from(self, profiles: Array) -> Array:
        apart = (profiles[:, None] - self.means) / self.spread
        distances: Array = np.sqrt(np.mean(apart**2, axis=2)).min(axis=1)
        return distances

    def distances(self, prepared: FloatArray, grid: KGrid) -> Array:
        """Return how far prepared patterns (B, ny, nx) lie from the nearest class, (B,).

        The root mean square over rings of the difference in standard deviations: about 1 for a
        pattern of the training. A wider view is measured on the rings of the training; a narrower
        one cannot be: NaN.
        """
        rings = self.means.shape[1]
        if grid.size - grid.origin < rings:
            return np.full(len(prepared), np.nan)
        return self._from(_profiles(prepared, grid, rings))

    def far(self, distances: Array) -> NDArray[np.bool_]:
        """Return which distances exceed `MARGIN` times that of the farthest training pattern."""
        return np.asarray(distances > MARGIN * self.farthest)

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
            if shapes != (2, found.means.shape[1:]) or not np.isfinite(found.means).all():
                raise ValueError("its arrays do not fit one another")
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"cannot be read: {error}", where=str(path)) from error
        return found


def _profiles(prepared: FloatArray, grid: KGrid, rings: int | None = None) -> Array:
    """Return profiles without offset and scale, (B, rings)."""
    lifted = prepared - prepared.min(axis=(1, 2), keepdims=True)
    profiles = azimuthal_mean(lifted, grid)[:, :rings]
    scaled: Array = profiles / np.maximum(profiles.mean(axis=1, keepdims=True), 1e-30)
    return scaled
