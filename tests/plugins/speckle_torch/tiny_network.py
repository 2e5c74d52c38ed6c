"""What the tests of the torch plugin share; scripts they start in fresh processes import it too."""

import attrs
import numpy as np

from speckle_core import Component, hookimpl
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_resnet.architecture import Plan
from speckle_torch.resnet50 import TorchResNet50

SIZE = 33
TINY = Plan(blocks=(1, 2, 1, 1), widths=(2, 3, 4, 5), stem=6)


@attrs.define(kw_only=True, eq=False)
class Tiny(TorchResNet50):
    """The same classifier around a network of a few thousand parameters."""

    def _plan(self):
        return TINY


def tiny(**options):
    return Tiny(
        **{"channels": 1, "epochs": 4, "batch_size": 6, "precision": "float32", "device": "cpu"}
        | options
    )


def easy(count, seed=0, size=SIZE, **settings):
    """Return patterns of three classes, told apart by the width of their central lobe."""
    rng = np.random.default_rng(seed)
    labels = np.resize([2, 3, 5], count)
    distance = KGrid.centered(size, 0.1).distance()
    width = 3.0 * labels[:, None, None]
    patterns = np.exp(-((distance / width) ** 2)) + 0.1 * rng.standard_normal((count, size, size))
    grid = KGrid.centered(size, 0.1)
    settings = {"classes": [2, 3, 5]} | settings
    return PatternSet.from_arrays(patterns.astype(np.float32), labels, grid, **settings)


def timeless(history):
    """Return the history without the seconds, as strings that are equal only if all bits are."""
    return [repr(attrs.evolve(epoch, seconds=0.0)) for epoch in history]


class TinyPlugin:
    """What installs the classifier for the command line."""

    @hookimpl
    def speckle_classifiers(self):
        return [Component("tiny", Tiny, "The paper's network, made tiny.", requires=("torch",))]
