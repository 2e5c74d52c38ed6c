"""A model as a third party writes it."""

import attrs

from speckle_keras import KerasClassifier


@attrs.define(kw_only=True, eq=False)
class Own(KerasClassifier):
    """One convolution and dropout.

    Parameters
    ----------
    width : int
        Number of channels.
    """

    width: int = 6
    epochs: int = 40
    learning_rate: float = 0.02
    batch_size: int = 4

    def network(self, shape, classes):
        from keras import Sequential, layers

        return Sequential(
            [
                layers.Conv2D(self.width, 5, strides=2, padding="same", activation="relu"),
                layers.Dropout(0.2),
                layers.Conv2D(self.width, 3, strides=2, padding="same"),
                layers.ReLU(),
                layers.GlobalAveragePooling2D(),
                layers.Dense(classes),
            ]
        )


def own(**options):
    return Own(**{"epochs": 2, "batch_size": 6, "precision": "float32"} | options)
