"""`torch-specklenet` and `keras-specklenet`: one network, one set of options and files.

Frameworks are imported on first use, so that options can be listed without them.
"""
# No `from __future__ import annotations`: options are read from the constructor.

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import attrs

from speckle_core import PatternError
from speckle_keras import KerasClassifier
from speckle_networks.checks import at_least, one_of, share
from speckle_networks.classifier import NetworkClassifier
from speckle_torch import TorchClassifier

if TYPE_CHECKING:
    from torch import Tensor

    from speckle_specklenet.evidence import Evidence
    from speckle_specklenet.network import SpeckleNet


@attrs.define(kw_only=True, eq=False)
class SpeckleNetClassifier(NetworkClassifier):
    """A small network on the structure behind a pattern, for any framework.

    Superposition of Patterson maps proposes places for the bodies, a bounded number of
    least-squares steps refines them as disks, and three layers read n from what was found:
    azimuthal profile, heights of the maps' peaks, radii, and how well they explain the pattern.

    Parameters
    ----------
    evidence : {"all", "structure", "peaks", "profile"}
        What the layers read. ``profile`` is the azimuthal profile alone, which the others have
        too; ``peaks`` adds heights of peaks, ``structure`` what the refinement finds.
    bodies : int
        Most bodies of a structure; a few more than the largest class.
    width : int
        Neurons of both hidden layers.
    dropout : float
        Share of neurons that are left out in each training step.
    """

    # Which bodies are found is a choice, without a gradient: no saliency, and no layer has maps.
    input_gradients = None  # type: ignore[assignment]
    feature_maps = None  # type: ignore[assignment]

    FORMAT: ClassVar[str] = "speckle-network-1"

    evidence: Literal["all", "structure", "peaks", "profile"] = attrs.field(
        default="all", validator=one_of("all", "structure", "peaks", "profile")
    )
    bodies: int = attrs.field(default=24, validator=at_least(2))
    width: int = attrs.field(default=192, validator=at_least(1))
    dropout: float = attrs.field(default=0.15, validator=share)
    epochs: int = attrs.field(default=40, validator=at_least(1))
    batch_size: int = attrs.field(default=64, validator=at_least(2))
    learning_rate: float = attrs.field(default=3e-3, validator=at_least(0, exclusive=True))
    optimizer: Literal["adam", "adamw"] = attrs.field(
        default="adamw", validator=one_of("adam", "adamw")
    )
    schedule: Literal["constant", "one-cycle", "cosine", "plateau"] = attrs.field(
        default="one-cycle", validator=one_of("constant", "one-cycle", "cosine", "plateau")
    )
    precision: Literal["auto", "float32", "bfloat16"] = attrs.field(
        default="float32", validator=one_of("auto", "float32", "bfloat16")
    )
    weight_decay: float = attrs.field(default=1e-2, validator=at_least(0))
    label_smoothing: float = attrs.field(default=0.03, validator=share)

    def _evidence(self, shape: tuple[int, int]) -> "Evidence":
        """Return what the layers read of patterns of that shape."""
        from speckle_specklenet.evidence import Evidence

        if shape[0] != shape[1] or shape[0] % 2 == 0 or shape[0] < 9:
            raise PatternError(
                f"{shape[0]} × {shape[1]} pixels: this network reads squares with k = 0 in the "
                "middle, of at least 9 × 9 pixels",
                where="specklenet",
                hint="Use a centred grid, without half: it reads half of it anyway.",
            )
        return Evidence(
            shape[0],
            self.bodies,
            peaks=self.evidence in ("all", "peaks"),
            structure=self.evidence in ("all", "structure"),
        )


@attrs.define(kw_only=True, eq=False)
class TorchSpeckleNet(SpeckleNetClassifier, TorchClassifier):
    """A small network on the structure behind a pattern, in PyTorch.

    Options and files are those of `keras-specklenet`.
    """

    # The evidence is not made of torch's operations.
    to_onnx = None  # type: ignore[assignment]

    def network(self, shape: tuple[int, int], classes: int) -> "SpeckleNet":
        """Return the network."""
        from speckle_specklenet.network import SpeckleNet

        return SpeckleNet(self._evidence(shape), classes, self.width, self.dropout)

    def prepare_inputs(self, patterns: "Tensor") -> "Tensor":
        """Return the patterns as they are."""
        return patterns


@attrs.define(kw_only=True, eq=False)
class KerasSpeckleNet(SpeckleNetClassifier, KerasClassifier):
    """A small network on the structure behind a pattern, in Keras 3.

    Options and files are those of `torch-specklenet`. The first weights are drawn from the same
    distribution, but are other numbers. It trains in one process.
    """

    FORMAT: ClassVar[str] = SpeckleNetClassifier.FORMAT

    def network(self, shape: tuple[int, int], classes: int) -> Any:
        """Return the network."""
        from speckle_specklenet.keras_network import SpeckleNet

        return SpeckleNet(self._evidence(shape), classes, self.width, self.dropout)

    def prepare_inputs(self, patterns: Any) -> Any:
        """Return the patterns as they are."""
        return patterns

    def stored_variables(self, network: Any) -> dict[str, Any]:
        """Return the variables under the names that they have in PyTorch."""
        found: dict[str, Any] = network.named_variables()
        return found
