"""The half plane of a pattern, its azimuthal profile, and what follows from it.

Lengths of k are in pixels, places in units of 1 / (k step): all bodies lie within a square of side
π, and the vectors between them reach to π along each axis.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import PatternError
from speckle_specklenet.centre import (
    EXACT,
    Pairs,
    asymmetry,
    counted_pixels,
    offset,
    symmetric,
)

Floats = NDArray[np.floating[Any]]

#: Radius of a disk times the distance from k = 0 that half of the intensity lies within, found by
#: fitting equal disks behind an 11² block.
MEAN_RADIUS = 1.64
#: First zero of J1.
_ZERO = 3.8317
#: Share of its surroundings below which the first dark ring is that of equal disks.
_DARK = 0.05
#: The narrowest band [pixels].
_NARROWEST = 16
#: Least share of a ring that tells its variance.
_SEEN = 0.2
#: Most that is not known about k = 0, as a share of the reach.
_WIDEST = 0.5


@attrs.frozen(eq=False)
class Plane:
    """Half plane ky ≥ 0 about k = 0 of patterns with `size` × `size` pixels, size odd.

    Parameters
    ----------
    size : int
        Pixels along each axis.
    distance : array, (reach + 1, size)
        Length of k.
    square : array, (reach + 1, size)
        The larger of |ky| and |kx|.
    once : array, (reach + 1, size)
        1 for one of each pair k, -k, else 0.
    order, first, count : array
        Pixels of `once` within the largest circle, ring after ring; where each ring begins, and its
        pixels.
    ring, share : array, (reach + 1, size)
        The ring below each pixel, and how far it lies towards the next.
    """

    size: int
    distance: Floats
    square: Floats
    once: Floats
    order: NDArray[np.intp]
    first: NDArray[np.intp]
    count: Floats
    ring: NDArray[np.int32]
    share: Floats

    @classmethod
    def of(cls, size: int) -> Plane:
        """Return the plane of patterns of one size."""
        reach = size // 2
        ky = np.arange(reach + 1, dtype=np.float32)[:, None]
        kx = np.arange(-reach, reach + 1, dtype=np.float32)
        distance = np.hypot(ky, kx)
        once = np.ones_like(distance)
        once[0, : reach + 1] = 0
        rings = np.rint(distance).astype(np.intp)
        inside = ((rings <= reach) & (once > 0)).ravel()
        order = np.flatnonzero(inside)
        order = order[np.argsort(rings.ravel()[order], kind="stable")]
        first = np.searchsorted(rings.ravel()[order], np.arange(1, reach + 1))
        count = np.diff(np.append(first, len(order))).astype(np.float32)
        place = np.minimum(distance, reach)
        ring = np.minimum(place.astype(np.int32), reach - 1)
        square = np.maximum(ky, np.abs(kx))
        return cls(size, distance, square, once, order, first, count, ring, place - ring)

    @property
    def reach(self) -> int:
        """The largest k along an axis [pixels]."""
        return self.size // 2

    def rings(self, values: Floats) -> Floats:
        """Return the mean of each ring, (reach + 1,), and 0 for that of k = 0."""
        found = np.zeros(self.reach + 1, dtype=np.float32)
        found[1:] = np.add.reduceat(values.ravel()[self.order], self.first) / self.count
        return found

    def spread(self, profile: Floats, pixels: NDArray[np.intp] | None = None) -> Floats:
        """Return means of rings at each pixel, their logarithm interpolated between rings.

        At all pixels, (reach + 1, size), or at those with some indices.
        """
        ring = self.ring if pixels is None else self.ring.ravel()[pixels]
        share = self.share if pixels is None else self.share.ravel()[pixels]
        logs = np.log(np.maximum(profile, 1e-9))
        found = np.diff(logs).take(ring)
        found *= share
        found += logs.take(ring)
        return np.exp(found, out=found)

    def band(self, k: float) -> int:
        """Return the least of a few numbers of pixels from `k` on, so that tables are shared."""
        steps = max(math.ceil(4 * math.log2(k / _NARROWEST)), 0)
        return min(self.reach, math.ceil(_NARROWEST * 2 ** (steps / 4)))


@attrs.frozen(eq=False)
class Half:
    """The half plane of one pattern.

    Parameters
    ----------
    plane : Plane
        Where its pixels are.
    intensity : array, (reach + 1, size)
        In units of its mean.
    known : array, (reach + 1, size)
        1 for measured pixels, one of each pair k, -k, else 0.
    profile : array, (reach + 1,)
        Azimuthal mean at k = 0, 1, …
    half_distance : float
        Distance from k = 0 that half of the intensity lies within [pixels].
    radius : float
        About the radius of the bodies [1 / k step].
    alike : bool
        Whether the profile has the dark ring of equal disks.
    pairs : Pairs, optional
        Of a counted pattern; None without noise.
    variance : array, (reach + 1,), optional
        Variance of the mean of pairs at k = 0, 1, …
    """

    plane: Plane
    intensity: Floats
    known: Floats
    profile: Floats
    half_distance: float
    radius: float
    alike: bool
    pairs: Pairs | None = None
    variance: Floats | None = None

    @classmethod
    def of(cls, plane: Plane, pattern: Floats) -> Half:
        """Return the half plane of a prepared pattern, cropped to the plane's size.

        The smallest value is taken as zero intensity, which is what blocked pixels contain, so the
        result depends neither on the unit of intensity nor on an offset.

        Raises
        ------
        PatternError
            For a pattern that is too small, not a square with k = 0 in the middle, or constant.
        """
        rows, columns = pattern.shape
        if rows != columns or rows < plane.size or rows % 2 == 0:
            raise PatternError(
                f"patterns of {rows} × {columns} pixels, but this network reads "
                f"{plane.size} × {plane.size} about k = 0, or larger squares of odd size",
                where="specklenet",
            )
        reach, middle = plane.reach, rows // 2
        inner = slice(middle - reach, middle + reach + 1)
        whole = pattern[inner, inner] - pattern.min()
        values = whole[reach:]
        mean = values.mean()
        if not mean > 0:
            raise PatternError("a pattern has the same value everywhere", where="specklenet")
        values = values / mean
        lit = plane.square[values > 0].min()
        pairs = None
        if asymmetry(whole) > EXACT:
            whole /= mean
            counted = counted_pixels(whole, float(lit))
            found = offset(whole, counted)
            pairs = Pairs.of(whole, found, counted)
            centred, rim = symmetric(whole, found)
            values, lit = centred[reach:], min(float(lit) + rim, _WIDEST * reach)
        profile = plane.rings(values)
        energy = np.cumsum(profile[1:] * plane.count)
        half = float(np.interp(0.5 * energy[-1], energy, np.arange(1, reach + 1) + 0.5))
        zero = _dark_ring(profile, half)
        radius = _ZERO / zero if zero else MEAN_RADIUS / half
        known = (plane.square >= lit) * plane.once
        variance = None if pairs is None else _variance(plane, pairs)
        return cls(plane, values, known, profile, half, radius, zero > 0, pairs, variance)

    def spread(self, pixels: NDArray[np.intp] | None = None) -> Floats:
        """Return the profile at each pixel, or at those with some indices."""
        return self.plane.spread(self.profile, pixels)


def _variance(plane: Plane, pairs: Pairs) -> Floats:
    """Return the variance of the mean of pairs at k = 0, 1, …, (reach + 1,).

    That of counts is a constant and a share of the intensity. Half the difference about a centre
    that is a little off has a share of its square besides, which is left out.
    """
    from scipy.optimize import nnls  # takes longer to import than a prediction

    seen = np.maximum(plane.rings(pairs.known), 1e-9)
    mean = plane.rings(pairs.mean * pairs.known) / seen
    square = plane.rings(pairs.square * pairs.known) / seen
    used = (seen > _SEEN) & (square > 0)
    if not used.any():
        return square
    terms = np.stack([np.ones_like(mean), mean, mean * mean], axis=1)[used] / square[used, None]
    weight = np.sqrt(seen[used] * np.flatnonzero(used))
    shares, _ = nnls(terms * weight[:, None], weight)
    found: Floats = np.maximum(shares[0] + shares[1] * mean, 1e-3 * square)
    return found


def _dark_ring(profile: Floats, half: float) -> float:
    """Return the radius of the first dark ring of equal disks; 0 where there is none."""
    expected = _ZERO * half / MEAN_RADIUS
    low, high = int(0.8 * expected), int(1.25 * expected) + 1
    if high + 1 >= len(profile) or low < 2:
        return 0.0
    at = low + int(np.argmin(profile[low:high]))
    around = min(profile[int(0.75 * at)], profile[min(int(1.25 * at), len(profile) - 1)])
    if at in (low, high - 1) or profile[at] > _DARK * around:
        return 0.0
    before, here, after = (float(v) for v in profile[at - 1 : at + 2])
    return at + 0.5 * (before - after) / (before - 2 * here + after)
