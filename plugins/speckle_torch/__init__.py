"""Networks in PyTorch, which is imported on first use: `TorchClassifier`, and the paper's."""

from speckle_torch.classifier import TorchClassifier as TorchClassifier

__all__ = ["TorchClassifier"]
