"""What the tests inside share; scripts that they start in fresh processes import it too."""

import contextlib
from unittest import mock

import attrs
import numpy as np

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_keras.resnet50 import KerasResNet50
from speckle_resnet.architecture import Plan

SIZE = 33
SMALL = Plan(blocks=(1, 1), widths=(3, 4), stem=5)


@attrs.define(kw_only=True, eq=False)
class Small(KerasResNet50):
    """The same classifier around a network of a thousand parameters."""

    def _plan(self):
        return SMALL


def small(**options):
    return Small(
        **{"channels": 1, "epochs": 4, "batch_size": 6, "precision": "float32", "device": "cpu"}
        | options
    )


@contextlib.contextmanager
def uncompiled():
    """Let Keras compute eagerly: a graph takes longer to build than a few steps last."""
    from speckle_keras.backend import engine

    with mock.patch.object(engine, "compiled", lambda function, *_: function):
        yield


def easy(count, seed=0, size=SIZE, classes=(2, 3, 5)):
    """Return patterns of three classes, told apart by the width of their central lobe."""
    rng = np.random.default_rng(seed)
    grid = KGrid.centered(size, 0.1)
    labels = np.resize(classes, count)
    patterns = np.exp(-((grid.distance() / (3.0 * labels[:, None, None])) ** 2))
    patterns += 0.1 * rng.standard_normal(patterns.shape)
    return PatternSet.from_arrays(patterns.astype(np.float32), labels, grid, classes=classes)


def timeless(history):
    """Return the history without the seconds, as strings that are equal only if all bits are."""
    return [repr(attrs.evolve(epoch, seconds=0.0)) for epoch in history]


#: What `conftest.training` trains with, and on.
TRAINED = {"channels": 3, "schedule": "one-cycle", "augment": "flips"}
SETS = easy(20), easy(6, 1)
