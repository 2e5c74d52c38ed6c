"""Networks in Keras, which is imported on first use: `KerasClassifier`, and the paper's."""

from speckle_keras.classifier import KerasClassifier as KerasClassifier

__all__ = ["KerasClassifier"]
