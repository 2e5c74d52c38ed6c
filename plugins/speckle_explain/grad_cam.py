"""Grad-CAM: which places of a convolutional stage spoke for the class.

Coarse by nature: one value of the last stage of a ResNet-50 stands for 32 × 32 pixels. Where on the
pattern it stands decides at which k the map peaks, so that is an option and not left to chance.
"""

from __future__ import annotations

import inspect
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Classifier, FloatArray, IntArray, PluginError, SupportsFeatureMaps
from speckle_explain.powers import at_least_one, batches, feature_maps_of

Align = Literal["corners", "centers"]


@attrs.frozen(kw_only=True)
class GradCam:
    """Gradient-weighted class activation map.

    ``M = ReLU(Σ_c w_c A_c)`` with A_c the maps of the stage and w_c the mean of ∂S_target/∂A_c
    over the map (Selvaraju et al. 2017, equations 1 and 2), resized to the pattern.

    Parameters
    ----------
    stage : str, optional
        The convolutional stage, by the classifier's own name for it; by default its last.
    relu : bool
        Keep only what speaks for the class; without, what speaks against it is negative.
    align : {"corners", "centers"}
        ``corners``: the outermost map values stand on the outermost pixels. For strided
        convolutions padded on both sides and patterns of 32 m + 1 pixels, such as 129, 257 and 513,
        a value then stands on the very pixel that it looks at. ``centers``: map and pattern cover
        the same square, as image libraries resize; of a ResNet-50 at 257 pixels that would show
        every k a ninth too low.
    batch_size : int
        Patterns given to the classifier at a time.
    """

    stage: str | None = None
    relu: bool = True
    align: Align = "corners"
    batch_size: int = attrs.field(default=16, validator=at_least_one)

    def explain(
        self, classifier: Classifier, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return one map per pattern, (B, ny, nx).

        Raises
        ------
        PluginError
            When the classifier gives no feature maps, or none of a named stage.
        OptionError
            When the classifier has no stage of that name.
        """
        able = feature_maps_of(classifier, "grad-cam")
        parts = [
            self._maps(able, some, columns)
            for some, columns in batches(patterns, targets, self.batch_size)
        ]
        return np.concatenate(parts) if parts else np.zeros_like(patterns)

    def _maps(
        self, classifier: SupportsFeatureMaps, patterns: FloatArray, targets: IntArray
    ) -> FloatArray:
        maps, gradients = self._stage_of(classifier, patterns, targets)
        if maps.ndim != 4 or len(maps) != len(patterns) or gradients.shape != maps.shape:
            raise PluginError(
                f"feature_maps gave maps of shape {maps.shape} and gradients of shape "
                f"{gradients.shape} for {len(patterns)} patterns",
                where=type(classifier).__name__,
            )
        weights = gradients.mean(axis=(2, 3))
        found = np.einsum("bc,bchw->bhw", weights, maps)
        if self.relu:
            found = np.maximum(found, 0)
        return resize(found, patterns.shape[1], patterns.shape[2], self.align)

    def _stage_of(
        self, classifier: SupportsFeatureMaps, patterns: FloatArray, targets: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        if self.stage is None:
            return classifier.feature_maps(patterns, targets)
        # A plugin that knows only its last stage may leave the keyword out.
        if "stage" not in inspect.signature(classifier.feature_maps).parameters:
            raise PluginError(
                f"the classifier {type(classifier).__name__} cannot name its stages, so "
                f"'grad-cam' cannot show {self.stage!r}",
                hint="Leave the option stage out to see the last one.",
            )
        return classifier.feature_maps(patterns, targets, stage=self.stage)


def resize(maps: FloatArray, ny: int, nx: int, align: Align) -> FloatArray:
    """Return `maps` (B, h, w) resized to (B, ny, nx), linearly between their values.

    With ``centers``, value i of h stands at (i + 1/2) / h of the pattern's height, and beyond the
    outermost ones the outermost value holds; with ``corners``, at i / (h - 1) of the way from the
    first pixel to the last. Deep-learning libraries call them bilinear with ``align_corners`` false
    and true, without antialiasing.
    """
    rows = _interpolation(maps.shape[1], ny, align).astype(maps.dtype)
    columns = _interpolation(maps.shape[2], nx, align).astype(maps.dtype)
    found: FloatArray = np.einsum("yh,bhw,xw->byx", rows, maps, columns, optimize=True)
    return found


def _interpolation(source: int, target: int, align: Align) -> NDArray[np.float64]:
    """Return the matrix (target, source) that interpolates linearly."""
    if align == "corners":
        place = np.linspace(0, source - 1, target)
    else:
        place = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    distance: NDArray[np.float64] = np.abs(place[:, None] - np.arange(source))
    return np.clip(1 - distance, 0, None)
