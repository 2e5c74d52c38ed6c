"""A network as a third party writes it, for tests and for scripts that they start."""

import attrs

from speckle_torch import TorchClassifier


@attrs.define(kw_only=True, eq=False)
class Small(TorchClassifier):
    """Two convolutions, with batch norm, an overwriting ReLU, and dropout.

    Parameters
    ----------
    width : int
        Number of channels.
    dropout : float
        Share of channels that is left out in training.
    """

    width: int = 8
    dropout: float = 0.1
    epochs: int = 40
    learning_rate: float = 0.01

    def network(self, shape, classes):
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(1, self.width, 5, stride=2, padding=2),
            nn.BatchNorm2d(self.width),
            nn.ReLU(inplace=True),
            nn.Dropout2d(self.dropout),
            nn.Conv2d(self.width, self.width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(self.width, classes),
        )


def small(**options):
    return Small(
        **{"epochs": 3, "batch_size": 6, "precision": "float32", "device": "cpu"} | options
    )
