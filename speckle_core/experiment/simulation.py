"""What happens to a pattern before anyone classifies it: drawn, simulated, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.regrid import completed
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Detector, Role, Sampler, Scatterer, SupportsIntensities
from speckle_core.errors import PackingError, PatternError, PluginError
from speckle_core.experiment.estimator import as_classifier
from speckle_core.plugins.manager import plugin_manager

T = TypeVar("T")
#: Last part of the key of a pattern's detector noise, beside its class and number; and of the keys
#: of a fresh pattern and of its noise, beside its class, number and epoch.
_NOISE, _FRESH, _FRESH_NOISE = 1, 2, 3


def resolve(role: Role, thing: str | T | None) -> Any:
    """Return a component, created if `thing` is its name."""
    if isinstance(thing, str):
        return plugin_manager().create(role, thing)
    return as_classifier(thing) if role == "classifier" else thing


def _stream(
    seed: int, place: tuple[int, int], epoch: int | None, *, noise: bool = False
) -> np.random.Generator:
    """Return the random numbers of one pattern; keys of different length never meet."""
    last: tuple[int, ...] = (_NOISE,) if noise else ()
    if epoch is not None:
        last = (epoch, _FRESH_NOISE if noise else _FRESH)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*place, *last)))


def require(thing: T | None, role: str) -> T:
    """Return `thing`, which this pipeline must have."""
    if thing is None:
        raise PluginError(f"this pipeline has no {role}", hint=f"Create it with {role}=….")
    return thing


class Simulation:
    """The half of a `Pipeline` that makes patterns; every pattern depends on its place and seed."""

    def __init__(
        self,
        *,
        grid: KGrid,
        sampler: Sampler | str | None = None,
        scatterer: Scatterer | str | None = None,
        detector: Detector | str | None = None,
    ) -> None:
        self.grid = grid
        self._sampler: Sampler | None = resolve("sampler", sampler)
        self._scatterer: Scatterer | None = resolve("scatterer", scatterer)
        self.detector: Detector | None = resolve("detector", detector)

    @property
    def sampler(self) -> Sampler:
        """The sampler."""
        return require(self._sampler, "sampler")

    @property
    def scatterer(self) -> Scatterer:
        """The scatterer."""
        return require(self._scatterer, "scatterer")

    def draw(
        self, count: int, number: int, seed: int, *, epoch: int | None = None
    ) -> Configuration:
        """Return configuration `number` of class `count`; it depends on the arguments only.

        With `epoch`, one of those that training draws in that epoch, which no data set has.

        Raises
        ------
        PackingError
            When the particles cannot be placed.
        PluginError
            When the sampler returns another number of particles.
        """
        try:
            configuration = self.sampler.sample(count, _stream(seed, (count, number), epoch))
        except PackingError as error:
            raise PackingError(error.what, where=f"n = {count}", hint=error.hint) from error
        except OverflowError as error:
            raise PackingError(
                f"its sampler cannot compute with these options: {error}",
                where=f"n = {count}",
                hint="Lengths of very different size cannot be used together.",
            ) from error
        if len(configuration) != count:
            raise PluginError(
                f"was asked for {count} particles but returned {len(configuration)}",
                where=f"sampler {type(self.sampler).__name__}",
            )
        return configuration

    def simulate(self, configurations: Sequence[Configuration]) -> NDArray[np.float32]:
        """Return the raw intensity of each configuration, float32 (B, ny, nx) [area²].

        Raises
        ------
        PluginError
            When the scatterer returns a wrong shape, NaN or infinity.
        """
        scatterer = self.scatterer
        if isinstance(scatterer, SupportsIntensities):
            patterns = np.asarray(scatterer.intensities(configurations, self.grid), np.float32)
        else:
            patterns = np.stack([scatterer.intensity(c, self.grid) for c in configurations]).astype(
                np.float32
            )
        if patterns.shape != (len(configurations), *self.grid.shape):
            raise PluginError(
                f"returned patterns of shape {patterns.shape} for {len(configurations)} "
                f"configurations on a grid of {self.grid.size} × {self.grid.size}",
                where=f"scatterer {type(scatterer).__name__}",
            )
        # NaN is both the largest and the smallest; this takes a third of the time of isfinite.
        if patterns.size and not np.isfinite([patterns.min(), patterns.max()]).all():
            raise PluginError(
                "returned NaN or infinity", where=f"scatterer {type(scatterer).__name__}"
            )
        return patterns

    def record(
        self,
        intensities: NDArray[np.float32],
        places: Sequence[tuple[int, int]],
        seed: int,
        *,
        epoch: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
        """Return what the detector records of simulated `intensities`, and its mask.

        Parameters
        ----------
        intensities : array, (B, ny, nx)
            From `simulate`; they are left unchanged.
        places : sequence of (int, int)
            Class and number of each pattern, as given to `draw`.
        seed : int
            Noise depends on this, the place and the epoch only, and not on what `draw` has drawn.
        epoch : int, optional
            As given to `draw`.

        Returns
        -------
        counts : array, float32 (B, ny, nx)
            0 where the mask is False; the `intensities` themselves without a detector.
        valid : array of bool, (B, ny, nx), or None
            True where a pixel counts; None when every pixel does.

        Raises
        ------
        PluginError
            When the detector returns a wrong shape or type, or NaN or infinity where a pixel
            counts.
        """
        if self.detector is None:
            return intensities, None
        counts = np.empty_like(intensities)
        valid = np.empty(intensities.shape, dtype=bool)
        for at, place in enumerate(places):
            found, mask = self.detector.record(
                intensities[at].astype(np.float64),
                self.grid,
                _stream(seed, place, epoch, noise=True),
            )
            self._check_record(found, mask)
            counts[at], valid[at] = np.where(mask, found, 0), mask
        return counts, None if valid.all() else valid

    def _check_record(self, counts: Any, mask: Any) -> None:
        where, shape = f"detector {type(self.detector).__name__}", self.grid.shape
        if np.shape(counts) != shape or np.shape(mask) != shape:
            raise PluginError(
                f"returned counts of shape {np.shape(counts)} and a mask of shape "
                f"{np.shape(mask)} for a pattern of {shape[0]} × {shape[1]} pixels",
                where=where,
            )
        if np.asarray(mask).dtype != bool:
            raise PluginError(f"returned a mask of {np.asarray(mask).dtype}, not bool", where=where)
        with np.errstate(over="ignore"):
            stored = np.asarray(counts).astype(np.float32)
        if not np.isfinite(stored[mask]).all():
            raise PluginError("returned NaN or infinity where a pixel counts", where=where)

    def recorded(
        self, configurations: Sequence[Configuration], places: Sequence[tuple[int, int]], seed: int
    ) -> NDArray[np.float32]:
        """Return the patterns of a data set, float32 (B, ny, nx): simulated, recorded, completed.

        Pixels that do not count are completed as those of measured frames are.

        Raises
        ------
        PluginError
            When the scatterer or the detector returns something that is not a pattern.
        PatternError
            When too few pixels count to complete a pattern.
        """
        return self.complete(*self.record(self.simulate(configurations), places, seed))

    def complete(
        self, patterns: NDArray[np.float32], valid: NDArray[np.bool_] | None
    ) -> NDArray[np.float32]:
        """Return recorded `patterns` (B, ny, nx), their pixels that do not count completed.

        Raises
        ------
        PatternError
            When too few pixels count.
        """
        if valid is None:
            return patterns
        pairs = zip(patterns, valid, strict=True)
        try:
            return np.stack([completed(p, v, self.grid).astype(np.float32) for p, v in pairs])
        except PatternError as error:
            raise PatternError(
                error.what,
                where=f"detector {type(self.detector).__name__}",
                hint="Let more of its pixels count.",
            ) from error
