"""A pixel detector: photons become electrons and counts, with noise and missing pixels.

The light that reaches a pixel is computed in `optics`, the pixels that exist in `layout`.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import FloatArray, KGrid, OptionError, PatternError
from speckle_detectors.layout import beamstop, defects, from_file, gaps
from speckle_detectors.optics import blurred, moved, over_bandwidth

#: NumPy draws Poisson numbers up to about 2**63.
_MOST_PHOTONS = 1e15


def _at_least_zero(_: object, option: attrs.Attribute[Any], value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise OptionError(f"must be at least 0 and finite, not {value}", where=option.name)


def _positive(_: object, option: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise OptionError(f"must be positive and finite, not {value}", where=option.name)


def _exposure(
    _: object, option: attrs.Attribute[Any], value: tuple[float, ...] | float | None
) -> None:
    if not isinstance(value, tuple):
        _positive(_, option, value)
        return
    rising = len(value) == 2 and 0 < value[0] <= value[1] < math.inf
    if not rising:
        raise OptionError(
            f"must be a number or two, the least and the most, not {list(value)}",
            where=option.name,
            hint="For example [1e4, 1e6].",
        )


def _share(_: object, option: attrs.Attribute[Any], value: float) -> None:
    if not 0 <= value <= 0.5:
        raise OptionError(f"must be a share from 0 to 0.5, not {value}", where=option.name)


def _narrow(_: object, option: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not 0 < value <= 0.2:
        raise OptionError(f"must be a share above 0 and up to 0.2, not {value}", where=option.name)


def _place(_: object, option: attrs.Attribute[Any], value: tuple[float, ...] | None) -> None:
    if value is not None and not (len(value) == 2 and all(map(math.isfinite, value))):
        raise OptionError(f"must be (y, x), not {value}", where=option.name)


_none = attrs.field(default=0.0, validator=_at_least_zero)
_off = attrs.field(default=None, validator=_positive)


@attrs.frozen(kw_only=True)
class Counting:
    """Counts = gain · (Poisson(photons + dark) + readout noise), clipped at saturation.

    The intensity is averaged over the bandwidth, moved by the jitter of the centre and blurred by
    the point spread before photons are counted. Gaps, beamstop and defect pixels are those of one
    detector, the same in all patterns.

    Parameters
    ----------
    photons : float or tuple of float, optional
        Mean number of photons on the whole grid, gaps and beamstop included [photons]. Two numbers
        [least, most]: each pattern has its own, their logarithm drawn evenly. None: each pixel's
        mean is its intensity times `flux`.
    flux : float
        Photons per unit of intensity, where `photons` is none [photons/length^4].
    dark : float
        Mean number of dark counts of each pixel [electrons].
    readout : float
        Standard deviation of the readout noise [electrons].
    gain : float
        Counts per electron; a photon gives one electron [counts/electron].
    saturation : float, optional
        Largest value of a pixel; more is clipped [counts]. None: no limit.
    hot : float
        Share of pixels that always read `saturation`, or else ten times the brightest.
    dead : float
        Share of pixels that always read 0.
    defects_masked : bool
        Whether the mask leaves hot and dead pixels out.
    defects_seed : int
        Decides which pixels are hot and dead.
    gaps : {"none", "cross", "modules"}
        Gaps between modules: one along each axis, or two.
    gap_share : float
        Share of all pixels in gaps, to the nearest whole width.
    beamstop : float
        Radius of the beamstop about k = 0 [pixel]; 0: none.
    arm : float
        Width of its arm, from k = 0 towards high ky [pixel]; 0: none.
    jitter : float
        Standard deviation of the centre of each pattern along each axis [pixel].
    point_spread : float
        Standard deviation of the Gaussian point spread [pixel].
    bandwidth : float, optional
        Standard deviation of the wavelength as a share of it; None: monochromatic.
    mask : str, optional
        A mask file of a real frame, non-zero for pixels that do not count, as in pyFAI and NeXus;
        for HDF5 ``FILE::DATASET``. Its pixels are those of the grid; beyond it nothing counts.
    mask_sha256 : str, optional
        SHA-256 of that file; it is filled in where an experiment is recorded, and then checked.
    mask_center : tuple of float, optional
        k = 0 on the mask, (y, x) [pixel]; None: its middle pixel.

    Raises
    ------
    OptionError
        For a value that is not finite or out of its range.
    """

    photons: tuple[float, ...] | float | None = attrs.field(default=1e5, validator=_exposure)
    flux: float = attrs.field(default=1.0, validator=_at_least_zero)
    dark: float = _none
    readout: float = _none
    gain: float = attrs.field(default=1.0, validator=_positive)
    saturation: float | None = _off
    hot: float = attrs.field(default=0.0, validator=_share)
    dead: float = attrs.field(default=0.0, validator=_share)
    defects_masked: bool = True
    defects_seed: int = attrs.field(default=0, validator=_at_least_zero)
    gaps: Literal["none", "cross", "modules"] = "none"
    gap_share: float = attrs.field(default=0.05, validator=_share)
    beamstop: float = _none
    arm: float = _none
    jitter: float = _none
    point_spread: float = _none
    bandwidth: float | None = attrs.field(default=None, validator=_narrow)
    mask: str | None = None
    mask_sha256: str | None = None
    mask_center: tuple[float, ...] | None = attrs.field(default=None, validator=_place)

    #: Options that name files, of which an experiment records the SHA-256 beside them.
    FILE_OPTIONS: ClassVar[tuple[str, ...]] = ("mask",)

    def record(
        self, intensity: FloatArray, grid: KGrid, rng: np.random.Generator
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return counts (ny, nx) and a mask that is True where a pixel counts.

        Raises
        ------
        PatternError
            When a pixel would get more photons than can be drawn.
        OptionError
            When the mask file is missing or another one.
        """
        mean = self._mean_photons(np.asarray(intensity, dtype=np.float64), grid, rng) + self.dark
        electrons = rng.poisson(mean).astype(np.float64)
        if self.readout > 0:
            electrons += rng.normal(0.0, self.readout, grid.shape)
        counts = self.gain * electrons
        if self.saturation is not None:
            counts = np.minimum(counts, self.saturation)
        hidden = gaps(grid, self.gaps, self.gap_share)
        hidden |= beamstop(grid, self.beamstop, self.arm)
        if self.mask is not None:
            hidden |= from_file(self.mask, self.mask_sha256, grid, self.mask_center)
        hot, dead = defects(grid, self.hot, self.dead, self.defects_seed)
        if hot.any():
            counts[hot] = self.saturation or 10 * counts.max()
        counts[dead] = 0
        if self.defects_masked:
            hidden |= hot | dead
        return counts, ~hidden

    def _mean_photons(
        self, intensity: NDArray[np.float64], grid: KGrid, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the mean number of photons in each pixel."""
        scale, total = self.flux, float(intensity.sum())
        photons = self.photons
        if isinstance(photons, tuple):
            photons = math.exp(rng.uniform(*np.log(photons)))
        if photons is not None:
            scale = photons / total if total > 0 else 0.0
        mean = intensity * scale
        if self.bandwidth is not None:
            mean = over_bandwidth(mean, grid, self.bandwidth)
        if self.jitter > 0:
            mean = moved(mean, rng.normal(0.0, self.jitter, 2))
        if self.point_spread > 0:
            mean = blurred(mean, self.point_spread)
        if not mean.max() <= _MOST_PHOTONS:
            raise PatternError(
                f"a pixel would get {mean.max():.3g} photons, more than {_MOST_PHOTONS:g}",
                where="counting",
                hint="Lower photons or flux.",
            )
        return mean
