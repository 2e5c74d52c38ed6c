"""Grad-CAM: which positions of a convolutional stage supported the class.

The map is coarse: one value of the last stage of a ResNet-50 covers 32 × 32 pixels. Where it is
placed on the pattern determines at which k the map peaks, so the alignment is an option.
"""

from __future__ import annotations

import inspect
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core import Classifier, FloatArray, IntArray, PluginError, SupportsFeatureMaps
from speckle_explain.capabilities import at_least_one, batches, feature_maps_of

Align = Literal["corners", "centers"]


@attrs.frozen(kw_only=True)
class GradCam:
    """Gradient-weighted class activation map.

    ``M = ReLU(Σ_c w_c A_c)`` with A_c the maps of the stage and w_c the mean of ∂S_target/∂A_c
    over the map (Selvaraju et al. 2017, equations 1 and 2), resized to the pattern.

    Parameters
    ----------
    stage : str, optional
        Name of the convolutional stage in the classifier; by default the last one.
    relu : bool
        Keep only evidence for the class; otherwise evidence against it is negative.
    align : {"corners", "centers"}
        ``corners``: the outermost map values are placed on the outermost pixels. For strided
        convolutions padded on both sides and patterns of 32 m + 1 pixels, such as 129, 257 and 513,
        each value is then on the pixel at the centre of its receptive field. ``centers``: map and
        pattern cover the same square, as in image libraries; for a ResNet-50 at 257 pixels this
        would show every k a ninth too low.
    batch_size : int
        Number of patterns passed to the classifier at a time.
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
            When the classifier does not provide feature maps, or not those of a named stage.
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
                f"feature_maps returned maps of shape {maps.shape} and gradients of shape "
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
        # A plugin that supports only its last stage may not have the keyword.
        if "stage" not in inspect.signature(classifier.feature_maps).parameters:
            raise PluginError(
                f"the classifier {type(classifier).__name__} cannot name its stages, so "
                f"'grad-cam' cannot show {self.stage!r}",
                hint="Omit the option stage to use the last one.",
            )
        return classifier.feature_maps(patterns, targets, stage=self.stage)


def resize(maps: FloatArray, ny: int, nx: int, align: Align) -> FloatArray:
    """Return `maps` (B, h, w) resized to (B, ny, nx), linearly between their values.

    With ``centers``, value i of h is at (i + 1/2) / h of the pattern's height, and values beyond
    the outermost ones are constant; with ``corners``, it is at i / (h - 1) of the way from the
    first pixel to the last. Deep-learning libraries call this bilinear with ``align_corners`` false
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
