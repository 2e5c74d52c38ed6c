"""`torch-resnet50`: the paper's network in PyTorch, based on `speckle_resnet`.

torch is imported on first use, so that options can be listed without it.
"""

from __future__ import annotations

import attrs

from speckle_resnet.classifier import ResNet50
from speckle_resnet.framework import Framework, claim


@attrs.define(kw_only=True, eq=False)
class TorchResNet50(ResNet50):
    """Pre-activation ResNet-50 in PyTorch.

    Options and files are those of `keras-resnet50`. Under torchrun several processes train one
    network: each calls `fit` and takes its share of every batch; the first one reports and writes.
    """

    def _framework(self) -> Framework:
        claim("torch")
        from speckle_torch.framework import TorchFramework

        return TorchFramework.chosen(self.device, self.precision)
