"""Rings about k = 0: how the baselines access pixels.

Prepared patterns have a blocked centre and are standardized. This can be undone up to a factor:
the blocked pixels were 0 before, so their present value is the offset.
"""

from __future__ import annotations

from functools import cached_property, partial

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, FloatArray, KGrid, PatternError, PatternSet

Floats = NDArray[np.float64]

#: Ring means below this fraction of the mean intensity are rounding errors of float32 patterns.
FLOOR = 1e-7
_LOOKED_AT = 32


@attrs.frozen(eq=False)
class Rings:
    """The rings, one pixel wide, that the open pixels of a grid form about k = 0.

    Parameters
    ----------
    grid : KGrid
        The grid of the training patterns.
    blocked : array of bool, (ny, nx)
        Pixels that carry no signal.
    """

    grid: KGrid
    blocked: NDArray[np.bool_]

    @classmethod
    def of(cls, patterns: PatternSet) -> Rings:
        """Find the blocked pixels in some of the prepared `patterns`, and return the rings.

        A pixel is blocked if it equals the pixel at k = 0 in every pattern, and that one is dark.
        This finds beamstops of any shape and gaps of a detector. If only the pixel at k = 0 itself
        qualifies, it counts as open.

        Raises
        ------
        DataError
            For an empty set, or if fewer than two rings are left.
        """
        if not len(patterns):
            raise DataError("there are no patterns to fit on", where="training set")
        grid = patterns.grid
        some = np.linspace(0, len(patterns) - 1, min(len(patterns), _LOOKED_AT)).astype(np.int64)
        looked, _ = patterns.batch(np.unique(some))
        center = looked[:, grid.origin, grid.origin]
        blocked = np.all(looked == center[:, None, None], axis=0)
        dark = np.all(center < looked.mean(axis=(1, 2)))
        if not dark or np.sum(blocked) < 2:
            blocked = np.zeros(grid.shape, dtype=bool)
        rings = cls(grid, blocked)
        if np.all(blocked) or len(rings.counts) < 2:
            raise DataError(
                "fewer than two rings about k = 0 are not blocked", where="training set"
            )
        return rings

    @cached_property
    def pixels(self) -> NDArray[np.intp]:
        """Place of each open pixel on the flattened grid, ring after ring, (pixels,)."""
        pixels = np.flatnonzero(~self.blocked)
        nearest = np.rint(self.grid.distance().ravel()[pixels])
        return pixels[np.argsort(nearest, kind="stable")]

    @cached_property
    def distance(self) -> Floats:
        """Distance of each open pixel from k = 0 [pixels], (pixels,)."""
        return self.grid.distance().ravel()[self.pixels]

    @cached_property
    def ring(self) -> NDArray[np.intp]:
        """Ring of each open pixel, ascending, (pixels,): its distance rounded to an integer."""
        return np.unique(np.rint(self.distance), return_inverse=True)[1]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Open pixels of each ring, (rings,)."""
        return np.bincount(self.ring)

    @cached_property
    def radii(self) -> Floats:
        """Mean distance of each ring's open pixels from k = 0 [pixels], (rings,)."""
        return np.bincount(self.ring, weights=self.distance) / self.counts

    @cached_property
    def _between(self) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
        """For each distinct distance, the ring below and the fraction of the way to the next.

        And for each open pixel the index of its distance; there are far fewer distances than
        pixels.
        """
        far, which = np.unique(self.distance, return_inverse=True)
        left = np.clip(np.searchsorted(self.radii, far) - 1, 0, len(self.radii) - 2)
        width = self.radii[left + 1] - self.radii[left]
        return left, np.clip((far - self.radii[left]) / width, 0.0, 1.0), which

    def intensities(self, patterns: FloatArray) -> Floats:
        """Return the intensity of the open pixels in units of its mean, (B, pixels).

        Patterns larger than the training patterns are cut to the same k range; they must have the
        same step and layout, which cannot be checked here.

        Raises
        ------
        PatternError
            For a pattern that is too small, not finite, or without intensity.
        """
        size, given = self.grid.size, np.asarray(patterns)
        if given.ndim != 3 or given.shape[1] != given.shape[2] or given.shape[1] < size:
            raise PatternError(
                f"patterns of shape {given.shape}, but this model reads (patterns, {size}, {size}) "
                "or larger",
                where="predict",
            )
        start = 0
        if self.grid.layout == "centered":
            if given.shape[1] % 2 == 0:
                raise PatternError(
                    f"patterns of {given.shape[1]}² pixels have no middle pixel, where this model "
                    "expects k = 0",
                    where="predict",
                )
            start = (given.shape[1] - size) // 2
        cut = given[:, start : start + size, start : start + size]
        found = np.empty((len(cut), len(self.pixels)))
        center = self.grid.origin * (size + 1)
        # Picking pixels by ring from memory in any order is slow, so each pattern is copied first.
        copy = np.empty(size * size)
        for index, (values, pattern) in enumerate(zip(found, cut, strict=True)):
            copy.reshape(size, size)[:] = pattern
            np.take(copy, self.pixels, out=values, mode="clip")
            values -= copy[center] if self.blocked.flat[center] else copy.min()
            mean = values.mean()
            if not (np.isfinite(mean) and mean > 0):
                raise PatternError(
                    "contains NaN or infinity, or no intensity above its blocked centre",
                    where=f"pattern {index}",
                )
            values /= mean
        return found

    def mean(self, values: Floats) -> Floats:
        """Return the azimuthal mean of per-pixel `values` (B, pixels), as (B, rings)."""
        first = np.cumsum(self.counts) - self.counts
        means: Floats = np.add.reduceat(values, first, axis=1) / self.counts
        return means

    def over_mean(self, values: Floats, *, smoothing: float = 0.0) -> Floats:
        """Return intensities (B, pixels) over their azimuthal mean at each pixel's own distance.

        The logarithm of the mean is interpolated between rings; it is smooth except at zeros of the
        form factor.

        Parameters
        ----------
        values : array, (B, pixels)
            Intensities.
        smoothing : float
            Width of a Gaussian that smooths the means first [pixels]. It combines the speckles of
            neighbouring rings, so that a ring with few speckles is not divided by itself.
        """
        mean, weight = self.mean(values), self.counts.astype(np.float64)
        if smoothing:
            from scipy.ndimage import gaussian_filter1d  # takes long to import

            spread = partial(gaussian_filter1d, sigma=smoothing, mode="nearest")
            mean, weight = spread(mean * weight, axis=1), spread(weight)
            mean = mean / weight
        logs = np.log(np.maximum(mean, FLOOR))
        left, share, which = self._between
        inverse = np.exp(-(logs[:, left] * (1 - share) + logs[:, left + 1] * share))
        return values * inverse[:, which]

    def image(self, values: Floats) -> Floats:
        """Return per-pixel `values` (B, pixels) on the grid, (B, ny, nx), with 0 where blocked."""
        out = np.zeros((len(values), self.grid.size**2))
        out[:, self.pixels] = values
        return out.reshape(len(values), *self.grid.shape)
