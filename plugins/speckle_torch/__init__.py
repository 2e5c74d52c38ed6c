"""Networks in PyTorch, which is imported on first use: `TorchClassifier`, and the paper's."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speckle_torch.classifier import TorchClassifier as TorchClassifier

__all__ = ["TorchClassifier"]


def __getattr__(name: str) -> Any:
    # Listing the plugins imports this package, so the class is imported when it is asked for.
    if name == "TorchClassifier":
        from speckle_torch.classifier import TorchClassifier

        return TorchClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
