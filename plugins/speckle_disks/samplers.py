"""The two samplers of the paper: equal disks, and disks of Gaussian sizes.

They choose radii and distances; `packing` finds the positions. The defaults follow the paper's
text; where the authors' code differs, an option reproduces it.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Configuration, ExperimentError, OptionError
from speckle_disks.disks import Disks
from speckle_disks.packing import place

Exclusion = Literal["own", "reference"]
#: Radius of the disks at n = 2 in the paper [length]; all systems have the same total area.
REFERENCE_RADIUS = 90.0
REFERENCE_AREA = 2 * math.pi * REFERENCE_RADIUS**2


def _above(low: float, *, equal: bool = False) -> Any:
    def check(_: Any, attribute: attrs.Attribute[Any], value: float | None) -> None:
        if value is None:
            return
        if not (math.isfinite(value) and (value > low or (equal and value == low))):
            raise OptionError(
                f"must be {'at least' if equal else 'more than'} {low:g}, not {value}",
                where=attribute.name,
            )

    return check


def _one_of(choices: Any) -> Any:
    def check(_: Any, attribute: attrs.Attribute[Any], value: str) -> None:
        if value not in get_args(choices):
            known = " or ".join(repr(choice) for choice in get_args(choices))
            raise OptionError(f"{value!r} is not {known}", where=attribute.name)

    return check


# Larger numbers are rejected before any array is allocated.
_MOST = 1_000_000


def _check_count(count: int) -> None:
    if not 1 <= count <= _MOST:
        raise ExperimentError(
            f"the number of disks must be between 1 and {_MOST}, not {count}", where="counts"
        )


@attrs.frozen(kw_only=True)
class Monodisperse:
    """Equal disks at random positions without overlap.

    Parameters
    ----------
    box : float
        Side of the box [length].
    radius : float, optional
        Radius of every disk [length]; by default ``90·sqrt(2/n)``, so that the total area of n
        disks is 16200π (the paper, section 2).
    gap : float
        Smallest distance between two rims [length]; 2 as in the authors' code, so that neighbours
        do not touch on a raster of unit pixels.
    exclusion : {"own", "reference"}
        ``own``: every disk is inside the box, and centres are at least ``2·radius + gap`` apart.
        ``reference``: positions are drawn as for disks of radius 90, at least 90 from the walls and
        ``180 + gap`` apart, as in the authors' code; larger disks use their own radius.

    Raises
    ------
    OptionError
        For a value out of range.
    """

    box: float = attrs.field(default=2000.0, validator=_above(0))
    radius: float | None = attrs.field(default=None, validator=_above(0))
    gap: float = attrs.field(default=2.0, validator=_above(0, equal=True))
    exclusion: Exclusion = attrs.field(default="own", validator=_one_of(Exclusion))

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        """Return `count` equal disks placed by random sequential addition.

        Raises
        ------
        PackingError
            When they cannot be placed after a bounded search.
        ExperimentError
            For a `count` below 1 or above a million.
        """
        _check_count(count)
        radius = REFERENCE_RADIUS * math.sqrt(2 / count) if self.radius is None else self.radius
        kept = radius if self.exclusion == "own" else max(radius, REFERENCE_RADIUS)
        exclusion = np.full(count, kept)
        centers = place(exclusion, exclusion, box=self.box, gap=self.gap, rng=rng)
        return Configuration(Disks(centers, np.full(count, radius)), self.box)


@attrs.frozen(kw_only=True)
class Polydisperse:
    """Disks of Gaussian sizes at random positions without overlap, with a fixed total area.

    Parameters
    ----------
    box : float
        Side of the box [length].
    dispersion : float
        Standard deviation of the sizes over their mean; 1/3 in the paper.
    of : {"radius", "area"}
        What is Gaussian: the radius (the paper's text) or the area (the authors' code).
    radii_per : {"configuration", "count"}
        ``configuration``: every configuration draws its own sizes. ``count``: all configurations of
        the same number of disks share one draw, as in the authors' code; test patterns then have
        sizes that were trained on.
    total_area : float, optional
        Area of all disks together [area]; 16200π by default.
    gap : float
        Smallest distance between two rims [length].
    exclusion : {"own", "reference"}
        ``own``: every disk is inside the box. ``reference``: centres are at least 90 from the walls
        as in the authors' code, so a disk larger than 90 may extend beyond the box; a raster of the
        box cuts it off, a sum of form factors does not. Disks never overlap.
    sizes_seed : int
        Seed of the sizes shared with ``radii_per="count"``; they depend on it and n only.

    Raises
    ------
    OptionError
        For a value out of range.

    Notes
    -----
    Sizes are drawn from N(1, `dispersion`), values ≤ 0 are redrawn, and all are multiplied by a
    common factor that makes the total area exact. The factor, and so the mean size, differs from
    draw to draw; the ratios of sizes, and so σ/μ, are those drawn. Redrawing lowers σ/μ slightly:
    at 1/3 one value in 741 is redrawn and σ/μ becomes 0.3306.

    The polydispersity index n·ΣR⁴/(ΣR²)² tends to 1.111 for areas and 1.378 for radii at 1/3.
    """

    box: float = attrs.field(default=2000.0, validator=_above(0))
    dispersion: float = attrs.field(default=1 / 3, validator=_above(0, equal=True))
    of: Literal["radius", "area"] = attrs.field(
        default="radius", validator=_one_of(Literal["radius", "area"])
    )
    radii_per: Literal["configuration", "count"] = attrs.field(
        default="configuration", validator=_one_of(Literal["configuration", "count"])
    )
    total_area: float | None = attrs.field(default=None, validator=_above(0))
    gap: float = attrs.field(default=2.0, validator=_above(0, equal=True))
    exclusion: Exclusion = attrs.field(default="own", validator=_one_of(Exclusion))
    sizes_seed: int = attrs.field(default=0, validator=_above(0, equal=True))

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        """Return `count` disks of Gaussian sizes placed by random sequential addition.

        Raises
        ------
        PackingError
            When they cannot be placed after a bounded search.
        ExperimentError
            For a `count` below 1 or above a million.
        """
        _check_count(count)
        if self.radii_per == "count":
            shared = np.random.SeedSequence(self.sizes_seed, spawn_key=(count,))
            radii = self._radii(count, np.random.default_rng(shared))
        else:
            radii = self._radii(count, rng)
        walls = radii if self.exclusion == "own" else np.full(count, REFERENCE_RADIUS)
        centers = place(radii, walls, box=self.box, gap=self.gap, rng=rng)
        return Configuration(Disks(centers, radii), self.box)

    def _radii(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        sizes = rng.normal(1.0, self.dispersion, count)
        while (refused := sizes <= 0).any():
            sizes[refused] = rng.normal(1.0, self.dispersion, int(refused.sum()))
        areas = sizes if self.of == "area" else sizes**2
        total = REFERENCE_AREA if self.total_area is None else self.total_area
        return np.asarray(np.sqrt(areas * (total / (np.pi * areas.sum()))))
