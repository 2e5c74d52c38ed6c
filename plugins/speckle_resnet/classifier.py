"""The paper's network as a classifier, for any framework; subclasses provide that.

Annotations must be evaluated in this module, where their names are defined: a subclass in another
module inherits them in its constructor, from which options are read.
"""
# No `from __future__ import annotations`; see above.

from typing import Any, ClassVar, Literal

import attrs

from speckle_networks.checks import one_of
from speckle_networks.classifier import NetworkClassifier
from speckle_resnet.architecture import RESNET50, Plan, decays


@attrs.define(kw_only=True, eq=False)
class ResNet50(NetworkClassifier):
    """Pre-activation ResNet-50 with 23.6 million parameters, trained with Adam on cross-entropy.

    It reads patterns of any size. Grad-CAM shows ``stage1`` to ``stage4``; the 2048 maps of the
    last are taken after the final batch norm and ReLU. Map pixels of the last stage are centred on
    every 32nd pattern pixel, so the outermost ones are on the edges of a pattern of size
    32 m + 1; each earlier stage has twice the resolution.

    Parameters
    ----------
    channels : {3, 1}
        Copies of the pattern as input channels; the authors used three.
    """

    channels: Literal[1, 3] = attrs.field(default=3, validator=one_of(1, 3))

    FORMAT: ClassVar[str] = "speckle-resnet50-1"

    def _plan(self) -> Plan:
        """Return the shape of the network; tests override it with a smaller one."""
        return RESNET50

    def _facts(self) -> dict[str, Any]:
        # As version 0.1.0 wrote it.
        return {"format": self.FORMAT, "channels": self.channels}

    def map_step(self, layer: str) -> float:
        """Return 4 pixels for stage 1 and twice as many for each later stage."""
        return float(2 ** (int(layer.removeprefix("stage")) + 1))

    def decays(
        self,
        name: str,
        shape: tuple[int, ...],  # noqa: ARG002 - names say it all
    ) -> bool:
        """Return whether weight decay applies: to kernels of convolutions, as the authors did."""
        return decays(name)
