"""`KerasClassifier`: any `keras.Model` as a classifier. Keras is imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from speckle_networks.classifier import NetworkClassifier
from speckle_networks.framework import Framework


@attrs.define(kw_only=True, eq=False)
class KerasClassifier(NetworkClassifier):
    """A classifier around a `keras.Model`; a subclass needs only the method `network`.

    Options of the network are attrs fields of the subclass. Those of the training, such as
    `epochs`, are inherited and may be given other defaults. It runs on TensorFlow or the backend
    in ``KERAS_BACKEND``, and trains in one process.

    Examples
    --------
    >>> @attrs.define(kw_only=True, eq=False)
    ... class Small(KerasClassifier):
    ...     width: int = 16
    ...
    ...     def network(self, shape, classes):
    ...         from keras import Sequential, layers
    ...
    ...         return Sequential(
    ...             [
    ...                 layers.Conv2D(self.width, 5, strides=2, activation="relu"),
    ...                 layers.GlobalAveragePooling2D(),
    ...                 layers.Dense(classes),
    ...             ]
    ...         )
    """

    FORMAT: ClassVar[str] = "speckle-keras-network-1"
    #: Whether one graph is compiled for patterns of all sizes, instead of one for each size.
    ANY_SIZE: ClassVar[bool] = False

    def network(self, shape: tuple[int, int], classes: int) -> Any:
        """Return a new model: from inputs (B, ny, nx, 1) to linear scores (B, classes).

        Python's random state is seeded meanwhile, from which Keras' initialisers draw their seeds,
        so layers may draw their first weights as usual. Import Keras here, not at the top of the
        module.

        Parameters
        ----------
        shape : tuple of int
            (ny, nx) of the patterns that it is trained on, after `crop` and `half`.
        classes : int
            Number of scores.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method network(shape, classes)")

    def prepare_inputs(self, patterns: Any) -> Any:
        """Return what the network reads of patterns (B, ny, nx), float32 tensors.

        By default one channel, (B, ny, nx, 1). It must be differentiable, since saliency is the
        gradient with respect to `patterns`, and has no weights to learn.
        """
        return patterns[..., None]

    def layers(self, network: Any) -> Mapping[str, Any]:  # noqa: ARG002 - for those who override it
        """Return the layers that Grad-CAM can show by their names; the last one is the default.

        Each puts out maps (B, h, w, c). By default, all layers that do, in the order in which they
        compute, as Keras names them in a new process.
        """
        return {}

    def initialise(self, network: Any, seed: int) -> None:
        """Replace the first weights that `network` came with; by default they stay."""

    def stored_variables(self, network: Any) -> dict[str, Any]:
        """Return the variables that files hold by their names there.

        By default numbered in the order of ``network.weights``, since Keras' own names depend on
        what else a process has made. Networks that exist in two frameworks choose names that both
        can read.
        """
        return {f"{i:03}.{variable.name}": variable for i, variable in enumerate(network.weights)}

    def _framework(self) -> Framework:
        from speckle_keras.framework import KerasFramework

        return KerasFramework.chosen(self.device, self.precision)
