"""`vit`: the transformer as a classifier; all but `network` is inherited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
from speckle_torch import TorchClassifier

if TYPE_CHECKING:
    from torch import nn


@attrs.define(kw_only=True, eq=False)
class VisionTransformer(TorchClassifier):
    """A vision transformer on square patches.

    Parameters
    ----------
    patch : int
        Side of a patch, pixels.
    width : int
        Numbers for each patch; a multiple of `heads`.
    depth : int
        Number of layers.
    heads : int
        Number of attention heads.
    """

    patch: int = 8
    width: int = 64
    depth: int = 4
    heads: int = 4
    epochs: int = 60
    learning_rate: float = 2e-3
    optimizer: Literal["adam", "adamw"] = "adamw"
    schedule: Literal["constant", "one-cycle", "cosine", "plateau"] = "one-cycle"
    weight_decay: float = 0.05

    def network(self, shape: tuple[int, int], classes: int) -> nn.Module:
        """Return the transformer for patterns of that shape."""
        from speckle_vit.transformer import Transformer

        return Transformer(shape, classes, self.patch, self.width, self.depth, self.heads)
