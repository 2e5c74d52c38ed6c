"""Networks in Keras, which is imported on first use: `KerasClassifier`, and the paper's."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speckle_keras.classifier import KerasClassifier as KerasClassifier

__all__ = ["KerasClassifier"]


def __getattr__(name: str) -> Any:
    # Listing the plugins imports this package, so the class is imported when it is asked for.
    if name == "KerasClassifier":
        from speckle_keras.classifier import KerasClassifier

        return KerasClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
