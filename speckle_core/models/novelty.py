"""Detect patterns unlike the training patterns by what their rings tell.

A classifier returns an answer for any input. This module measures how far a prepared pattern is
from every training class, in the shape and the brightness of its azimuthal profile and in the
contrast of its speckle; interpretation is left to the caller.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from speckle_core.analysis.azimuthal import best_friedel_correlation, friedel_correlation
from speckle_core.analysis.ring_profiles import mirror_difference, ring_contrast, ring_profiles
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.errors import ModelError
from speckle_core.files import write_text
from speckle_core.models.class_contrasts import difference, summarise
from speckle_core.notes import read_json

FILE = "familiar.json"
#: Training patterns used per class.
_PER_CLASS = 200
#: A pattern is far when its distance exceeds that of the farthest training pattern by this factor.
MARGIN = 1.5
#: Share of the training's least correlation of k and -k below which a pattern is far. A network
#: trained on patterns without noise reads 0.83, at 1e5 photons, as well as its own; at 0.67, with
#: 3e4 photons, it is wrong in half of them (docs/results/faults).
_FRIEDEL = 0.75
#: Share of the light that may differ between k and -k in any training pattern: photon noise.
_LEAST_LOPSIDED = 0.1

Array = NDArray[np.float64]


def _as_array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)


def _as_optional_array(values: ArrayLike | None) -> Array | None:
    return None if values is None else _as_array(values)


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
    contrasts : array, (classes, rings), optional
        Mean speckle contrast of each class; NaN in rings without, None where it was not measured.
    contrast_spread : array, (rings,), optional
        Standard deviation around it.
    contrast_farthest : array, (2,), optional
        How much less and how much more a training pattern had at most: the median over the rings,
        in standard deviations.
    lopsided : array, (classes,), optional
        Largest share of the light that differs between k and -k in a training pattern.
    noise : float, optional
        Correlation of k and -k, about the best centre nearby, below which photon noise spoils the
        classifier's answers, see `speckle_core.models.noise`; None where it does not, as far as was
        tried.
    """

    means: Array = attrs.field(converter=_as_array)
    spread: Array = attrs.field(converter=_as_array)
    farthest: Array = attrs.field(converter=_as_array)
    friedel: float = float("nan")
    contrasts: Array | None = attrs.field(default=None, converter=_as_optional_array)
    contrast_spread: Array | None = attrs.field(default=None, converter=_as_optional_array)
    contrast_farthest: Array | None = attrs.field(default=None, converter=_as_optional_array)
    lopsided: Array | None = attrs.field(default=None, converter=_as_optional_array)
    noise: float | None = None

    @classmethod
    def of(cls, train: PatternSet) -> TrainingProfiles:
        """Compute the profiles from up to 200 patterns of each class of `train`."""
        profiles, contrasts, kept, lopsided = [], [], [], []
        for value in train.classes:
            own = np.flatnonzero(train.labels == value)[:_PER_CLASS]
            if not len(own):
                continue
            profile, contrast, apart = [], [], []
            for part in np.array_split(own, -(-len(own) // 64)):
                batch, grid, measured = train.batch(part)[0], train.grid, train.measured(part)
                profile.append(ring_profiles(batch, grid, valid=train.valid(part)))
                contrast.append(ring_contrast(batch, grid, measured=measured))
                apart.append(mirror_difference(batch, grid, measured))
                kept.append(friedel_correlation(batch, grid, region=measured))
            profiles.append(np.concatenate(profile))
            contrasts.append(np.concatenate(contrast))
            lopsided.append(max(_LEAST_LOPSIDED, float(np.concatenate(apart).max())))
        means = np.stack([p.mean(axis=0) for p in profiles])
        residuals = np.concatenate([p - m for p, m in zip(profiles, means, strict=True)])
        # Avoid dividing by zero for a ring that never varies, such as a blocked one.
        spread = np.maximum(residuals.std(axis=0), 1e-3)
        farthest = _measure(residuals / spread).max(axis=0)
        return cls(
            means,
            spread,
            farthest,
            float(np.min(np.concatenate(kept))),
            lopsided=lopsided if train.grid.layout == "centered" else None,
            **summarise(contrasts),
        )

    def distances(
        self,
        prepared: FloatArray,
        grid: KGrid,
        *,
        valid: NDArray[np.bool_] | None = None,
        measured: NDArray[np.bool_] | None = None,
        asymmetry: Array | None = None,
    ) -> Array:
        """Return the distance of prepared patterns (B, ny, nx) from the nearest class, (B,).

        The largest of the distances in shape, brightness, contrast and difference of k and -k
        counts; 1 is that of the farthest training pattern. Larger patterns are compared on the
        training rings; smaller ones cannot be compared and give NaN. `valid` and `measured`, of
        their shape, are True where a pixel, or it or that at -k, was measured. `asymmetry` counts
        as well, where it is known; it is computed unless given.
        """
        apart = self._apart(prepared, grid, valid, measured)
        if apart is None:
            return np.full(len(prepared), np.nan)
        distances: Array = np.nanmax(apart, axis=2).min(axis=1)
        if asymmetry is None:
            asymmetry = self.asymmetry(prepared, grid, measured=measured)
        return np.fmax(distances, asymmetry)

    def _apart(
        self,
        prepared: FloatArray,
        grid: KGrid,
        valid: NDArray[np.bool_] | None,
        measured: NDArray[np.bool_] | None,
    ) -> Array | None:
        """Return the distance from each class in each of the four, (B, classes, 4).

        None for patterns that lack rings of the training; NaN where one is not known.
        """
        rings = self.means.shape[1] - 1
        if grid.size - grid.origin < rings:
            return None
        off = (ring_profiles(prepared, grid, rings, valid)[:, None] - self.means) / self.spread
        contrast = self._contrast_off(prepared, grid, measured)
        if self.contrast_farthest is not None:
            less, more = self.contrast_farthest
            contrast = np.where(contrast < 0, -contrast / less, contrast / more)
        lopsided = np.full(contrast.shape, np.nan)
        if self.lopsided is not None:
            lopsided = mirror_difference(prepared, grid, measured)[:, None] / self.lopsided
        more_of = np.stack([contrast, lopsided], axis=2)
        return np.concatenate([_measure(off) / self.farthest, more_of], axis=2)

    def _contrast_off(
        self, prepared: FloatArray, grid: KGrid, measured: NDArray[np.bool_] | None
    ) -> Array:
        """Return how much more contrast there is than in each class, (B, classes)."""
        off = difference(self.contrasts, self.contrast_spread, prepared, grid, measured)
        return np.asarray(np.broadcast_to(off, (len(prepared), len(self.means))))

    def asymmetry(
        self, prepared: FloatArray, grid: KGrid, *, measured: NDArray[np.bool_] | None = None
    ) -> Array:
        """Return how much worse than the training patterns these keep I(-k) = I(k), (B,).

        This sees a wrong centre and few photons, which a profile does not. `MARGIN` is where the
        correlation of k and -k falls to `_FRIEDEL` of the training's least, or that about the best
        centre to `noise`. NaN where nothing was measured: on a quadrant, where too few pairs of
        pixels count (`measured`, of the patterns' shape, is True where one was measured itself), or
        by a model of an earlier version.
        """
        found = friedel_correlation(prepared, grid, region=measured)
        if self.noise is None:
            return np.asarray(MARGIN * (1 - found) / (1 - _FRIEDEL * self.friedel))
        # Where the training's centre was steady, what spoils the answers counts about k = 0 itself.
        least = max(_FRIEDEL * self.friedel, min(self.noise, self.friedel))
        best = best_friedel_correlation(prepared, grid, region=measured)
        about_0, nearby = (1 - found) / (1 - least), (1 - best) / (1 - self.noise)
        return np.where(np.isnan(found), np.nan, MARGIN * np.fmax(about_0, nearby))

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
        self,
        prepared: FloatArray,
        grid: KGrid,
        *,
        valid: NDArray[np.bool_] | None = None,
        measured: NDArray[np.bool_] | None = None,
    ) -> list[str]:
        """Return in what each prepared pattern departs most from the nearest class, in words."""
        rings = self.means.shape[1] - 1
        apart = self._apart(prepared, grid, valid, measured)
        if apart is None:
            return ["it is smaller than the training patterns"] * len(prepared)
        off = (ring_profiles(prepared, grid, rings, valid)[:, None] - self.means) / self.spread
        contrast = self._contrast_off(prepared, grid, measured)
        told = []
        for row, nearest in enumerate(np.nanmax(apart, axis=2).argmin(axis=1)):
            largest = int(np.nanargmax(apart[row, nearest]))
            times = f"{apart[row, nearest, largest]:.1f} times as far off as any training pattern"
            if largest == 0:
                ring = int(np.abs(off[row, nearest, :-1]).argmax())
                place = f"{ring} pixels from k = 0" if ring else "at k = 0"
                told.append(f"its azimuthal profile differs, {times}'s, mostly {place}")
            elif largest == 1:
                what = "brighter" if off[row, nearest, -1] > 0 else "dimmer"
                told.append(f"it is {what} as prepared, {times}")
            elif largest == 3:
                told.append(f"the light at k and -k differs, {times}'s, as about a wrong centre")
            else:
                what = "more" if contrast[row, nearest] > 0 else "less"
                told.append(f"its speckle has {what} contrast, {times}'s")
        return told

    def far(self, distances: Array) -> NDArray[np.bool_]:
        """Return which distances exceed `MARGIN`."""
        return np.asarray(distances > MARGIN)

    def count_far(self, patterns: PatternSet, *, batch_size: int = 64) -> int | None:
        """Return the number of prepared patterns that are far; None if they cannot be measured."""
        far, seen = 0, False
        for start in range(0, len(patterns), batch_size):
            where = np.arange(start, min(start + batch_size, len(patterns)))
            distances = self.distances(
                patterns.batch(where)[0],
                patterns.grid,
                valid=patterns.valid(where),
                measured=patterns.measured(where),
            )
            far += int(self.far(distances).sum())
            seen = seen or not np.isnan(distances).all()
        return far if seen else None

    def save(self, folder: Path) -> None:
        """Write the profiles to `folder`."""
        known = {k: v for k, v in attrs.asdict(self).items() if v is not None}
        data = {k: np.asarray(v).tolist() for k, v in known.items()}
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
            found = cls(**read_json(path))
            shapes = found.means.ndim, found.spread.shape
            if shapes != (2, found.means.shape[1:]) or found.farthest.shape != (2,):
                raise ValueError("its arrays have inconsistent shapes")
            if found.contrasts is not None and (
                found.contrast_spread is None
                or found.contrast_farthest is None
                or found.contrast_farthest.shape != (2,)
                or found.contrasts.shape != (len(found.means), len(found.contrast_spread))
            ):
                raise ValueError("its contrasts have inconsistent shapes")
            if found.lopsided is not None and found.lopsided.shape != (len(found.means),):
                raise ValueError("its differences of k and -k have inconsistent shapes")
            if not all(np.isfinite(a).all() for a in (found.means, found.spread, found.farthest)):
                raise ValueError("it contains NaN or infinity")
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"cannot be read: {error}", where=str(path)) from error
        return found


def _measure(deviations: Array) -> Array:
    """Return the root mean square over the rings and the magnitude of the last value, (…, 2)."""
    shape = np.sqrt(np.mean(deviations[..., :-1] ** 2, axis=-1))
    return np.stack([shape, np.abs(deviations[..., -1])], axis=-1)
