"""From a prepared pattern to its azimuthal profile and its Patterson map.

The Patterson map is the Fourier transform of the intensity: a peak at the vector between every two
bodies, and one at the origin (A. L. Patterson, Phys. Rev. 46, 372 (1934)). Here the intensity is
weighted by ``k² exp(-k²/2κ²)``, which sharpens the peaks and keeps those of unlike bodies positive.
Lengths are in units of 1 / (k step), so a map reaches to π along each axis, half its period.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from speckle_core import PatternError

#: κ in units of the distance from k = 0 that half of the intensity lies within, and its maximum in
#: units of the largest k.
_KAPPA, _WIDEST = 0.96, 0.45
#: Radius of a disk times the same distance, found by fitting equal disks behind an 11² block.
MEAN_RADIUS = 1.64
#: A pixel over this many times the azimuthal mean is division by almost nothing.
_HIGHEST = 30.0
#: Pixels of the map for each pixel of k.
_FINENESS = 1.5625


def max3(values: Tensor) -> Tensor:
    """Return the maximum of each pixel and its eight neighbours, for maps (B, h, w)."""
    for axis in (1, 2):
        n = values.shape[axis]
        inner = torch.maximum(values.narrow(axis, 0, n - 1), values.narrow(axis, 1, n - 1))
        first, last = values.narrow(axis, 0, 1), values.narrow(axis, n - 1, 1)
        values = torch.maximum(torch.cat([first, inner], axis), torch.cat([inner, last], axis))
    return values


class Patterson(nn.Module):
    """Profiles and Patterson maps of patterns of `size` × `size` pixels about k = 0.

    Larger patterns with the same k step are cropped to that size. The result does not depend on the
    unit of intensity or on an offset: the smallest value is taken as zero intensity, which is what
    blocked pixels contain.
    """

    _distance: Tensor
    _inside: Tensor
    _ring: Tensor
    _count: Tensor
    _x: Tensor
    _y: Tensor
    _once: Tensor
    _square: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        reach = size // 2
        self.size, self.reach = size, reach
        self.middle = math.ceil(_FINENESS * reach)
        self.pixel = math.pi / self.middle
        ky, kx = torch.arange(reach + 1.0), torch.arange(size) - float(reach)
        distance = torch.hypot(ky[:, None], kx)
        rings = torch.round(distance).long()
        # One of each pair k, -k, within the largest circle.
        inside = rings <= reach
        inside[0, : reach + 1] = False
        self.register_buffer("_distance", distance, persistent=False)
        self.register_buffer("_inside", inside.flatten().nonzero()[:, 0], persistent=False)
        self.register_buffer("_ring", rings[inside], persistent=False)
        self.register_buffer("_count", torch.bincount(rings[inside]).float(), persistent=False)
        place = torch.arange(-self.middle, self.middle + 1) * self.pixel
        x, y = torch.outer(kx, place[self.middle :]), torch.outer(place, ky)
        self.register_buffer("_x", torch.cat([x.cos(), x.sin()], 1), persistent=False)
        self.register_buffer("_y", torch.cat([y.cos(), -y.sin()], 1), persistent=False)
        once = torch.ones_like(distance)
        once[0, : reach + 1] = 0
        self.register_buffer("_once", once, persistent=False)
        self.register_buffer("_square", torch.maximum(ky[:, None], kx.abs()), persistent=False)

    def intensity(self, patterns: Tensor) -> Tensor:
        """Return the half plane ky ≥ 0 in units of its mean, (B, reach + 1, size)."""
        given = patterns.shape[-1]
        if patterns.shape[-2] != given or given < self.size or given % 2 == 0:
            raise PatternError(
                f"patterns of {patterns.shape[-2]} × {given} pixels, but this network reads "
                f"{self.size} × {self.size} about k = 0, or larger squares of odd size",
                where="specklenet",
            )
        values = patterns - patterns.amin((1, 2), keepdim=True)
        start = (given - self.size) // 2
        middle = given // 2
        half = values[:, middle : middle + self.reach + 1, start : start + self.size]
        mean = half.mean((1, 2), keepdim=True)
        if not bool((mean > 0).all()):
            raise PatternError("a pattern has the same value everywhere", where="specklenet")
        return half / mean

    def known(self, intensity: Tensor) -> Tensor:
        """Return 1 outside the square about k = 0 without intensity, like `intensity`.

        Of each pair of pixels k, -k only one is 1.
        """
        lit = torch.where(intensity > 0, self._square, torch.inf).amin((1, 2), keepdim=True)
        return (self._square >= lit) * self._once

    def profile(self, intensity: Tensor) -> Tensor:
        """Return the azimuthal mean, (B, reach + 1), from k = 0 to the largest k."""
        sums = intensity.new_zeros(len(intensity), self.reach + 1)
        sums = sums.index_add(1, self._ring, intensity.flatten(1)[:, self._inside])
        return sums / self._count.clamp(min=1)

    def spread(self, profile: Tensor) -> Tensor:
        """Return the profile at each pixel's own distance, (B, reach + 1, size).

        Its logarithm is interpolated between rings.
        """
        logs = profile.clamp(min=1e-9).log()
        distance = self._distance.clamp(max=self.reach - 1e-3)
        ring = distance.floor().long()
        share = distance - ring
        return torch.exp(logs[:, ring] * (1 - share) + logs[:, ring + 1] * share)

    def half_distance(self, profile: Tensor) -> Tensor:
        """Return the distance from k = 0 that half of the intensity lies within, (B,) [pixels]."""
        energy = torch.cumsum(profile * self._count, 1)
        energy = energy / energy[:, -1:]
        outer = (energy < 0.5).sum(1, keepdim=True).clamp(1, self.reach)
        low, high = energy.gather(1, outer - 1), energy.gather(1, outer)
        found: Tensor = (outer - 0.5 + (0.5 - low) / (high - low).clamp(min=1e-9))[:, 0]
        return found

    def radius(self, half_distance: Tensor) -> Tensor:
        """Return about the radius of the bodies, (B,) [pixels of the map]."""
        return MEAN_RADIUS / half_distance / self.pixel

    def weighted(self, intensity: Tensor, half_distance: Tensor) -> Tensor:
        """Return maps that show unlike bodies, (B, 2 middle + 1, 2 middle + 1).

        r = 0 is in the middle, where they are 1. They are the same at r and -r.
        """
        width = (_KAPPA * half_distance).clamp(max=_WIDEST * self.reach)[:, None, None]
        weight = self._once * self._distance**2 * torch.exp(-0.5 * (self._distance / width) ** 2)
        return self._map(intensity * weight)

    def sharp(self, intensity: Tensor, profile: Tensor) -> Tensor:
        """Return maps of the intensity over its azimuthal mean: the sharpest for equal bodies."""
        known = self.known(intensity)
        taper = (1 - (self._distance / (self.reach + 0.5)) ** 2).clamp(min=0) * known
        ratio = (intensity / self.spread(profile)).clamp(max=_HIGHEST) * taper
        mean = ratio.sum((1, 2), keepdim=True) / taper.sum((1, 2), keepdim=True)
        return self._map(ratio - mean * taper)

    def _map(self, half: Tensor) -> Tensor:
        columns = self.middle + 1
        rows = half @ self._x
        right = self._y @ torch.cat([rows[..., :columns], rows[..., columns:]], 1)
        right = right / right[:, self.middle, 0, None, None].clamp(min=1e-30)
        return torch.cat([right.flip(1, 2)[:, :, :-1], right], 2)
