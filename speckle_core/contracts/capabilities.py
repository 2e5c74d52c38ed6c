"""Optional capabilities that a component may offer beyond its role.

Callers test for them with `isinstance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import ComplexArray, FloatArray, IntArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Classifier, Solver


@runtime_checkable
class SupportsModes(Protocol):
    """Optional capability of a scatterer: a finite or partially coherent beam, as coherent modes.

    The intensities of the modes add, I(k) = Σ_m |A_m(k)|²; `amplitude` is that of the first.
    The beam does not move with the bodies, so a translation changes the intensity.
    """

    def amplitudes(self, configuration: Configuration, grid: KGrid) -> ComplexArray:
        """Return the amplitude of each mode, complex (modes, ny, nx) [area]."""
        ...

    def illumination(self, positions: FloatArray, box: float) -> NDArray[np.inexact]:
        """Return the field of each mode at positions (n, 2) in a box of side `box`, (modes, n).

        1 is the field of a uniform beam. A body is lit as its centre is, so that
        A_m(k) = Σ_j illumination[m, j] c_j F_j(k) exp(-i k·r_j). The modes may be chosen for these
        positions, those of all bodies at once; they are real for a beam without curvature, and
        then I(-k) = I(k) for real contrast.
        """
        ...


@runtime_checkable
class SupportsGradients(Protocol):
    """Optional capability of a classifier: gradients of a class score by the pixels."""

    def input_gradients(
        self, patterns: FloatArray, targets: IntArray, *, guided: bool = False
    ) -> FloatArray:
        """Return d score[target] / d pattern, (B, ny, nx), of the linear score before the softmax.

        With `guided`, ReLUs pass back only positive gradients (Springenberg et al., 2015).
        """
        ...


@runtime_checkable
class SupportsFeatureMaps(Protocol):
    """Optional capability of a classifier: feature maps and the score's gradients on them."""

    def feature_maps(
        self, patterns: FloatArray, targets: IntArray, *, stage: str | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return one stage's maps and d score[target] / d maps, both (B, c, h, w).

        `stage` is a convolutional stage by the classifier's own name for it; None is the last.
        The score is the linear one before the softmax, as in `SupportsGradients`.

        Raises
        ------
        OptionError
            For an unknown stage; the message lists the known ones.
        """
        ...


@runtime_checkable
class SupportsRandomised(Protocol):
    """Optional capability of a classifier: the same network with random weights.

    This is the control of Adebayo et al. (2018): a map that looks the same for a network with
    random weights shows the pattern or the architecture, not what was learned.
    """

    def randomised(self, *, seed: int) -> Classifier:
        """Return a new classifier with the same options and classes and freshly drawn weights.

        The weights are drawn from the distribution that training starts from and depend on `seed`
        only. The classifier itself is left unchanged; the new one has the same capabilities.
        """
        ...


@runtime_checkable
class SupportsRegion(Protocol):
    """Optional capability of a classifier that reads only some pixels, such as a central crop.

    Without it, a classifier is assumed to read all pixels.
    """

    def region(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels of a pattern of shape `shape` (ny, nx) are read, bool (ny, nx).

        The values of all others never change `predict_proba`.

        Raises
        ------
        PatternError
            When it cannot read patterns of that shape.
        """
        ...


@runtime_checkable
class SupportsSample(Protocol):
    """Optional capability of a slow classifier: evaluations use fewer test patterns.

    They draw a fixed random sample of the test patterns, and compare it with other classifiers on
    that sample only.
    """

    @property
    def sample_size(self) -> int:
        """Maximum number of test patterns for which an evaluation asks for predictions."""
        ...


@runtime_checkable
class SupportsMask(Protocol):
    """Optional capability of a preprocessor: statistics over valid pixels only."""

    def masked(self, patterns: FloatArray, grid: KGrid, valid: NDArray[np.bool_]) -> FloatArray:
        """Return the transformed patterns, (B, ny, nx); if all pixels are valid, as without a mask.

        Parameters
        ----------
        patterns : array, (B, ny, nx)
            Finite; invalid pixels contain an estimate, which is transformed like the others.
        grid : KGrid
            The grid of the patterns.
        valid : array of bool, (B, ny, nx)
            True for valid pixels.
        """
        ...


@runtime_checkable
class SupportsWarmStart(Protocol):
    """Optional capability of a classifier: `fit` starts from the weights of another training."""

    def start_from(self, folder: Path) -> None:
        """Start the next `fit` from the state that `save` wrote to `folder`.

        If the classes differ, the weights of the output layer are initialised afresh.

        Raises
        ------
        ModelError
            When the state is damaged or belongs to a network of another shape.
        """
        ...


@runtime_checkable
class SupportsOnnx(Protocol):
    """Optional capability of a classifier: it can be written as an ONNX model."""

    def to_onnx(self, metadata: Mapping[str, str]) -> bytes:
        """Return the content of an ONNX file with `metadata` as its properties.

        Its input ``patterns``, float32 (batch, ny, nx), is prepared patterns; its outputs
        ``scores``, before the softmax, and ``probabilities`` are (batch, classes).

        Raises
        ------
        ModelError
            Before `fit` or `load`.
        PluginError
            When the network cannot be expressed in ONNX, or a package for it is missing.
        """
        ...


@runtime_checkable
class SupportsCheckpoints(Protocol):
    """Optional capability of a classifier: `fit` resumes where an interrupted one stopped."""

    def checkpoint_in(self, folder: Path) -> None:
        """Save the state of `fit` to `folder` after every epoch; resume from a state found there.

        The next `fit` with the same data, options and seed returns the same history as one that
        was never interrupted. Files are written atomically.
        """
        ...


@runtime_checkable
class SupportsValues(Protocol):
    """Optional capability of a classifier: it learns a value in place of a class.

    `fit` on a set with `PatternSet.values` learns those. The classifier then has no classes and no
    probabilities; where gradients are asked for, column 0 is the value.
    """

    def predict_values(self, patterns: FloatArray) -> FloatArray:
        """Return value and spread of prepared patterns, (B, 2).

        The spread is positive and in the unit of the value: how far off the classifier expects to
        be, up to a factor. Intervals are proportional to it.

        Raises
        ------
        ModelError
            When it was fitted on classes.
        """
        ...


@runtime_checkable
class SupportsSolver(Protocol):
    """Optional capability of a classifier based on a solver: reports show the bodies it finds."""

    def solver(self) -> Solver:
        """Return the solver, created with this classifier's options."""
        ...
