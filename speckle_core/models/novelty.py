"""Detect patterns unlike the training patterns by their azimuthal profiles.

A classifier returns an answer for any input. This module measures how far a prepared pattern is
from every training class, in the shape and the brightness of its azimuthal profile; interpretation
is left to the caller.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.azimuthal import azimuthal_mean, friedel_correlation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.errors import ModelError
from speckle_core.files import write_text

FILE = "familiar.json"
#: Training patterns used per class.
_PER_CLASS = 200
#: A pattern is far when its distance exceeds that of the farthest training pattern by this factor.
MARGIN = 1.5
#: Share of the training's least correlation of k and -k below which a pattern is far. A network
#: trained on patterns without noise reads 0.83, at 1e5 photons, as well as its own; at 0.67, with
#: 3e4 photons, it is wrong in half of them (docs/results/faults).
_FRIEDEL = 0.75

Array = NDArray[np.float64]


def _as_array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)


@attrs.frozen(eq=False)
class TrainingProfiles:
    """The azimuthal profiles of a training set, to compare other patterns with.

    Parameters
    ----------
    means : array, (classes, rings + 1)
        Mean profile of each class: the azimuthal mean above the pattern's minimum, divided by its
        own mean; the last column is the logarithm of that mean, the brightness.
    spread : array, (rings + 1,)
        Standard deviation around the class means.
    friedel : float
        The least correlation of k and -k of a training pattern; NaN where it was not measured.
    farthest : array, (2,)
        Largest distance of a training pattern from its own class in standard deviations: root
        mean square over the rings, and in brightness.
    """

    means: Array = attrs.field(converter=_as_array)
    spread: Array = attrs.field(converter=_as_array)
    farthest: Array = attrs.field(converter=_as_array)
    friedel: float = float("nan")

    @classmethod
    def of(cls, train: PatternSet) -> TrainingProfiles:
        """Compute the profiles from up to 200 patterns of each class of `train`."""
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
        # Avoid dividing by zero for a ring that never varies, such as a blocked one.
        spread = np.maximum(residuals.std(axis=0), 1e-3)
        kept = [
            friedel_correlation(train.batch(part)[0], train.grid)
            for own in chosen
            if len(own)
            for part in np.array_split(own, -(-len(own) // 64))
        ]
        farthest = _measure(residuals / spread).max(axis=0)
        return cls(means, spread, farthest, float(np.min(np.concatenate(kept))))

    def distances(
        self,
        prepared: FloatArray,
        grid: KGrid,
        *,
        valid: NDArray[np.bool_] | None = None,
        measured: NDArray[np.bool_] | None = None,
    ) -> Array:
        """Return the distance of prepared patterns (B, ny, nx) from the nearest class, (B,).

        The larger of the distances in shape and in brightness counts; 1 is that of the farthest
        training pattern. Larger patterns are compared on the training rings; smaller ones cannot
        be compared and give NaN. `valid`, of their shape, is True where a pixel counts. Where it is
        known, `asymmetry` counts as well; `measured` is as there.
        """
        rings = self.means.shape[1] - 1
        if grid.size - grid.origin < rings:
            return np.full(len(prepared), np.nan)
        profiles = _profiles(prepared, grid, rings, valid)
        apart = _measure((profiles[:, None] - self.means) / self.spread) / self.farthest
        distances: Array = apart.max(axis=2).min(axis=1)
        return np.fmax(distances, self.asymmetry(prepared, grid, measured=measured))

    def asymmetry(
        self, prepared: FloatArray, grid: KGrid, *, measured: NDArray[np.bool_] | None = None
    ) -> Array:
        """Return how much worse than the training patterns these keep I(-k) = I(k), (B,).

        This sees a wrong centre and few photons, which a profile does not. `MARGIN` is where the
        correlation of k and -k falls to `_FRIEDEL` of the training's least. NaN where nothing was
        measured: on a quadrant, where too few pairs of pixels count (`measured`, of the patterns'
        shape, is True where one was measured itself), or by a model of an earlier version.
        """
        found = friedel_correlation(prepared, grid, region=measured)
        allowed = 1 - _FRIEDEL * self.friedel
        return np.asarray(MARGIN * (1 - found) / allowed)

    @staticmethod
    def not_measured(profile: float, asymmetry: float, *, step_known: bool) -> list[str]:
        """Return what of a pattern's distance is not known, in words.

        A profile over other rings than the training's cannot be measured; and a pattern whose k
        step nobody stated may be of other bodies on another grid.
        """
        lacking = ["profile"] if np.isnan(profile) else []
        lacking += ["centre"] if np.isnan(asymmetry) else []
        return lacking if step_known else [*lacking, "k step"]

    def reasons(
        self, prepared: FloatArray, grid: KGrid, *, valid: NDArray[np.bool_] | None = None
    ) -> list[str]:
        """Return in what each prepared pattern departs most from the nearest class, in words."""
        rings = self.means.shape[1] - 1
        if grid.size - grid.origin < rings:
            return ["it is smaller than the training patterns"] * len(prepared)
        off = (_profiles(prepared, grid, rings, valid)[:, None] - self.means) / self.spread
        apart = _measure(off) / self.farthest
        told = []
        for row, nearest in enumerate(apart.max(axis=2).argmin(axis=1)):
            shape, brightness = apart[row, nearest]
            last = off[row, nearest, -1]
            if brightness >= shape:
                what = "brighter" if last > 0 else "dimmer"
                told.append(
                    f"it is {what} as prepared, {brightness:.1f} times as far off as any training "
                    "pattern"
                )
            else:
                ring = int(np.abs(off[row, nearest, :-1]).argmax())
                told.append(
                    f"its azimuthal profile differs, {shape:.1f} times as far off as any training "
                    f"pattern's, most {ring} pixels from k = 0"
                )
        return told

    def far(self, distances: Array) -> NDArray[np.bool_]:
        """Return which distances exceed `MARGIN`."""
        return np.asarray(distances > MARGIN)

    def count_far(self, patterns: PatternSet, *, batch_size: int = 64) -> int:
        """Return the number of prepared patterns that are far; too small ones do not count."""
        return sum(
            int(self.far(self.distances(batch, patterns.grid)).sum())
            for batch, _ in patterns.batches(batch_size)
        )

    def save(self, folder: Path) -> None:
        """Write the profiles to `folder`."""
        data = {k: np.asarray(v).tolist() for k, v in attrs.asdict(self).items()}
        write_text(folder / FILE, json.dumps(data) + "\n")

    @classmethod
    def load(cls, folder: Path) -> TrainingProfiles:
        """Read what `save` wrote.

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
                raise ValueError("its arrays have inconsistent shapes")
            if not all(np.isfinite(a).all() for a in (found.means, found.spread, found.farthest)):
                raise ValueError("it contains NaN or infinity")
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"cannot be read: {error}", where=str(path)) from error
        return found


def _profiles(
    prepared: FloatArray,
    grid: KGrid,
    rings: int | None = None,
    valid: NDArray[np.bool_] | None = None,
) -> Array:
    """Return profiles without offset and scale, (B, rings + 1); last the log of the scale."""
    lifted = prepared - prepared.min(axis=(1, 2), keepdims=True)
    if valid is None or valid.all():
        profiles = azimuthal_mean(lifted, grid)[:, :rings]
    else:
        profiles = np.concatenate(
            [_valid_means(image, grid, known) for image, known in zip(lifted, valid, strict=True)]
        )[:, :rings]
    scale = np.maximum(profiles.mean(axis=1, keepdims=True), 1e-30)
    return np.concatenate([profiles / scale, np.log(scale)], axis=1)


def _valid_means(image: FloatArray, grid: KGrid, known: NDArray[np.bool_]) -> Array:
    """Return the ring means of one pattern over the pixels that count, (1, rings).

    A ring of which none counts holds what was filled in.
    """
    means = azimuthal_mean(image[None], grid, region=known)
    return np.where(np.isnan(means), azimuthal_mean(image[None], grid), means)


def _measure(deviations: Array) -> Array:
    """Return the root mean square over the rings and the magnitude of the last value, (…, 2)."""
    shape = np.sqrt(np.mean(deviations[..., :-1] ** 2, axis=-1))
    return np.stack([shape, np.abs(deviations[..., -1])], axis=-1)
