"""The roles that a component can fill; optional capabilities are in `capabilities`.

Each is a Protocol: a component may inherit from it but need not; a scatterer that does inherits
`Scatterer.intensity`. Arrays are NumPy arrays; framework tensors stay inside their plugin.
Components are configured by keyword-only constructor parameters, and constructors only store them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, get_args, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import ComplexArray, FloatArray, IntArray
from speckle_core.contracts.frames import Frames
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.solution import Solution

if TYPE_CHECKING:
    from speckle_core.contracts.patterns import PatternSet

Role = Literal[
    "sampler",
    "scatterer",
    "preprocessor",
    "classifier",
    "explainer",
    "solver",
    "reader",
    "detector",
]
ROLES: tuple[Role, ...] = get_args(Role)


@attrs.frozen
class Epoch:
    """Result of one pass over the training patterns; a classifier's history is a list of these.

    Losses are means per pattern, accuracies fractions; `nan` where there is no validation set.
    Where a value is learned, see `SupportsValues`, losses are negative log likelihoods of a normal
    density, and accuracies are shares of the variance explained (R²), which may be negative.
    """

    number: int
    of: int
    loss: float
    accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float
    learning_rate: float


OnEpoch = Callable[[Epoch], None]


@runtime_checkable
class Sampler(Protocol):
    """Draws configurations in real space."""

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        """Return a configuration of exactly `count` bodies, drawn from `rng` only.

        Raises
        ------
        PackingError
            When the bodies cannot be placed; the search must be bounded.
        """
        ...


@runtime_checkable
class Scatterer(Protocol):
    """Turns a configuration into the far-field amplitude on a grid."""

    def amplitude(self, configuration: Configuration, grid: KGrid) -> ComplexArray:
        """Return A(k) = Σ c_j F_j(k) exp(-i k·r_j), complex (ny, nx) [area]."""
        ...

    def intensity(self, configuration: Configuration, grid: KGrid) -> FloatArray:
        """Return I(k) = |A(k)|², (ny, nx) [area²]."""
        amplitude = self.amplitude(configuration, grid)
        return amplitude.real**2 + amplitude.imag**2


@runtime_checkable
class SupportsIntensities(Protocol):
    """Optional capability of a scatterer: many intensities in one call, faster than one by one."""

    def intensities(
        self, configurations: Sequence[Configuration], grid: KGrid
    ) -> NDArray[np.float32]:
        """Return |A|² of every configuration, float32 (B, ny, nx) [area²]."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Records a simulated intensity as a detector would; it never sees measured frames."""

    def record(
        self, intensity: FloatArray, grid: KGrid, rng: np.random.Generator
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return the counts of one exposure and which pixels count.

        Parameters
        ----------
        intensity : array, (ny, nx)
            From the scatterer [area²]; it is left unchanged.
        grid : KGrid
            The k of each pixel.
        rng : numpy.random.Generator
            The only source of noise.

        Returns
        -------
        counts : array, (ny, nx)
            Real; what pixels hold that do not count does not matter.
        mask : array of bool, (ny, nx)
            True where a pixel counts.
        """
        ...


@runtime_checkable
class Preprocessor(Protocol):
    """Transforms patterns before a classifier sees them, each independently of the others."""

    def __call__(self, patterns: FloatArray, grid: KGrid) -> FloatArray:
        """Return the transformed patterns, (B, ny, nx) floating; the input is left unchanged.

        Raises
        ------
        PatternError
            When a pattern cannot be transformed, for example one of zero variance.
        """
        ...


@runtime_checkable
class Classifier(Protocol):
    """Learns the number of particles from prepared patterns."""

    @property
    def classes(self) -> IntArray:
        """The class values, ascending, one per column of `predict_proba`, (classes,)."""
        ...

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Train on `train`, monitor `valid`; return the history, one entry per epoch.

        The same seed and data give the same result. `on_epoch` is called after every epoch; an
        exception it raises ends the training.
        """
        ...

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes); every row sums to 1."""
        ...

    def save(self, folder: Path) -> None:
        """Write the learned state, without options, to files in the existing, empty `folder`."""
        ...

    def load(self, folder: Path) -> None:
        """Restore the state that `save` wrote, in an object created with the same options.

        Raises
        ------
        ModelError
            When a file is missing, damaged, or does not match the options. No file may run code.
        """
        ...


@runtime_checkable
class Explainer(Protocol):
    """Shows which pixels a classifier used."""

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx).

        Parameters
        ----------
        classifier : Classifier
            A fitted classifier; it is left unchanged.
        patterns : array, (B, ny, nx)
            Prepared patterns.
        targets : array of int, (B,)
            Columns of `predict_proba` to explain.

        Raises
        ------
        PluginError
            When the classifier lacks a capability that this explainer needs.
        """
        ...


@runtime_checkable
class Solver(Protocol):
    """Finds the bodies behind a pattern, without any training."""

    def solve(
        self,
        pattern: FloatArray,
        grid: KGrid,
        *,
        mask: NDArray[np.bool_] | None = None,
        seed: int = 0,
    ) -> Solution:
        """Return the bodies behind one pattern, or the best found so far.

        Parameters
        ----------
        pattern : array, (ny, nx)
            Intensities or counts up to a factor, raw or standardized; not modified.
        grid : KGrid
            The k of each pixel.
        mask : array of bool, (ny, nx), optional
            True for valid pixels; the values of the others, NaN included, are ignored.
        seed : int
            The same seed gives the same answer.

        Raises
        ------
        PatternError
            For NaN or infinity in a valid pixel, a constant pattern, a mask that leaves too few
            pixels, or a shape other than the grid's.
        """
        ...


@runtime_checkable
class Reader(Protocol):
    """Reads frames from files of one format."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the files it reads, in lower case, such as ``(".npy", ".npy.gz")``."""
        ...

    def matches(self, head: bytes) -> bool:
        """Return whether a file that starts with these bytes (at most 1024) is of this format.

        Called for files whose suffix no reader knows.
        """
        ...

    def read(
        self, path: Path, *, dataset: str | None = None, frames_axis: int | None = None
    ) -> Frames:
        """Return the frames in a file, with the mask and geometry it states.

        Parameters
        ----------
        path : Path
            An existing file; reading it must never run code from it, open files outside its
            folder, or take more memory than its size warrants.
        dataset : str, optional
            Which of several datasets; by default the one that the file marks, or the only one.
        frames_axis : int, optional
            The axis of a stack along which frames are counted, if the format does not say.

        Raises
        ------
        DataError
            When it is damaged, contains no frames, or several datasets that could be frames.
        """
        ...
