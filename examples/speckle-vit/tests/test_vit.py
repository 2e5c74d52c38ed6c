"""The transformer: what it is made of, and that it sees where light is."""

import numpy as np
import torch
from speckle_core import KGrid, PatternSet

from speckle_vit.classifier import VisionTransformer
from speckle_vit.transformer import Transformer


def test_every_pixel_is_in_a_patch_and_reaches_the_scores():
    for shape, patch in (((65, 65), 8), ((33, 65), 8), ((30, 31), 5)):
        network = Transformer(shape, 3, patch, 8, 1, 2)
        patterns = torch.randn(2, 1, *shape, requires_grad=True)
        network(patterns)[:, 0].sum().backward()
        assert (patterns.grad[0, 0] != 0).all(), (shape, patch)


def test_it_tells_on_which_side_the_light_is():
    """Means over the pattern are the same on both sides: without places nothing would tell them."""
    rng = np.random.default_rng(0)
    labels = np.array([2, 3] * 24)
    patterns = rng.normal(size=(48, 17, 17)).astype(np.float32)
    patterns[labels == 2, :, :8] += 2
    patterns[labels == 3, :, 9:] += 2
    sets = PatternSet.from_arrays(patterns, labels, KGrid.centered(17, 0.01))
    one = VisionTransformer(patch=4, width=16, depth=1, epochs=15, batch_size=8, device="cpu")
    one.fit(sets.subset(np.arange(32)), sets.subset([]), seed=0)
    answers = one.classes[one.predict_proba(patterns[32:]).argmax(axis=1)]
    assert np.mean(answers == labels[32:]) == 1
    maps, gradients = one.feature_maps(patterns[:2], [0, 1])
    assert maps.shape == gradients.shape == (2, 16, 5, 5)
