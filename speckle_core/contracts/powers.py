"""Optional powers of a classifier or preprocessor: what it may offer beyond its role.

Whoever needs one asks with `isinstance`, and does without where it is not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Classifier, Solver


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
    """Optional power of a classifier that takes seconds a pattern: evaluations ask it for fewer.

    They draw them from the test patterns at random, once and for all, and compare it with others on
    these alone.
    """

    @property
    def sample_size(self) -> int:
        """Most test patterns that an evaluation asks it for."""
        ...


@runtime_checkable
class SupportsMask(Protocol):
    """Optional power of a preprocessor: statistics over the pixels that count alone."""

    def masked(self, patterns: FloatArray, grid: KGrid, valid: NDArray[np.bool_]) -> FloatArray:
        """Return the changed patterns, (B, ny, nx); with every pixel valid, as without a mask.

        Parameters
        ----------
        patterns : array, (B, ny, nx)
            Finite; pixels that do not count hold an estimate, which is changed like the others.
        grid : KGrid
            The grid of the patterns.
        valid : array of bool, (B, ny, nx)
            True where a pixel counts.
        """
        ...


@runtime_checkable
class SupportsWarmStart(Protocol):
    """Optional capability of a classifier: `fit` starts from what another training learned."""

    def start_from(self, folder: Path) -> None:
        """Let the next `fit` start from what `save` of such a classifier wrote to `folder`.

        Classes may differ; what was learned of the classes themselves is then drawn anew.

        Raises
        ------
        ModelError
            When it is damaged, or of a network of another shape.
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
class SupportsSolver(Protocol):
    """Optional power of a classifier that counts what a solver finds: reports show the bodies."""

    def solver(self) -> Solver:
        """Return the solver, made with this classifier's options."""
        ...
