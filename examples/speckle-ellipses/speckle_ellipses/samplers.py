"""Draws ellipses, alone and among circles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from speckle_core import Configuration, OptionError

from speckle_ellipses.placing import place
from speckle_ellipses.shapes import Circles, Ellipses


def within(low: float, high: float = math.inf) -> Callable[[Any, Any, float], None]:
    """Return a check, for attrs, that an option lies from `low` to `high`."""

    def check(_: Any, option: Any, value: float) -> None:
        if not (math.isfinite(value) and low <= value <= high):
            raise OptionError(f"must be from {low:g} to {high:g}, not {value}", where=option.name)

    return check


@attrs.frozen(kw_only=True)
class RandomEllipses:
    """Equal ellipses at random places and angles; n of them always have one total area.

    Parameters
    ----------
    box : float
        Side of the box [length].
    aspect : float
        Long over short axis.
    total_area : float
        Area of all bodies together; 16200π as for the disks of the paper.
    gap : float
        Smallest distance between two bodies [length].
    """

    box: float = attrs.field(default=2000.0, validator=within(1))
    aspect: float = attrs.field(default=2.0, validator=within(1))
    total_area: float = attrs.field(default=16200 * math.pi, validator=within(1e-6))
    gap: float = attrs.field(default=2.0, validator=within(0))

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        short = math.sqrt(self.total_area / (math.pi * count * self.aspect))
        semi_axes = np.tile([self.aspect * short, short], (count, 1))
        angles = rng.uniform(0, np.pi, count)
        centers = place(semi_axes, angles, box=self.box, gap=self.gap, rng=rng)
        return Configuration(Ellipses(centers, semi_axes, angles), self.box)


@attrs.frozen(kw_only=True)
class CirclesAndEllipses(RandomEllipses):
    """The same with circles of equal area among them; `share` of the bodies are ellipses."""

    share: float = attrs.field(default=0.5, validator=within(0, 1))

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        radius = math.sqrt(self.total_area / (math.pi * count))
        stretch = math.sqrt(self.aspect)
        semi_axes = np.full((count, 2), radius)
        long = round(self.share * count)
        semi_axes[:long] *= [stretch, 1 / stretch]
        angles = rng.uniform(0, np.pi, count)
        centers = place(semi_axes, angles, box=self.box, gap=self.gap, rng=rng)
        ellipses = Ellipses(centers[:long], semi_axes[:long], angles[:long])
        circles = Circles(centers[long:], semi_axes[long:, 0])
        return Configuration(tuple(p for p in (ellipses, circles) if len(p)), self.box)
