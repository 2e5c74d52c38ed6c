"""Training that starts from what another one learned."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import ModelError, SupportsWarmStart
from tests.plugins.speckle_torch.tiny_network import easy, tiny


def test_training_starts_from_the_weights_of_another(tmp_path):
    train, valid = easy(12), easy(6, seed=1)
    earlier = tiny(epochs=3)
    earlier.fit(train, valid, seed=0)
    earlier.save(tmp_path)
    later = tiny(epochs=1, learning_rate=1e-12)
    assert isinstance(later, SupportsWarmStart)
    later.start_from(tmp_path)
    later.fit(train, valid, seed=5)
    before, after, fresh = (c._ready().network.weights() for c in (earlier, later, tiny_of(5)))
    kernels = [name for name in before if name.endswith(".kernel")]
    assert kernels
    for name in kernels:
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)
        assert not np.allclose(fresh[name], before[name], atol=1e-3)


def tiny_of(seed):
    """Return a network that started from its own seed, and moved as little."""
    other = tiny(epochs=1, learning_rate=1e-12)
    other.fit(easy(12), easy(6, seed=1), seed=seed)
    return other


def test_of_other_classes_only_the_last_layer_starts_anew(tmp_path):
    earlier = tiny(epochs=2)
    earlier.fit(easy(12), easy(6, seed=1), seed=0)
    earlier.save(tmp_path)
    later = tiny(epochs=1, learning_rate=1e-12)
    later.start_from(tmp_path)
    later.fit(easy(12, classes=[2, 3, 5, 9]), easy(6, seed=1, classes=[2, 3, 5, 9]), seed=5)
    before, after = (c._ready().network.weights() for c in (earlier, later))
    assert after["dense.kernel"].shape[1] == 4
    np.testing.assert_allclose(after["stem.conv.kernel"], before["stem.conv.kernel"], atol=1e-6)


def test_weights_that_are_not_there_are_refused_at_once(tmp_path):
    with pytest.raises(ModelError):
        tiny(epochs=1).start_from(tmp_path / "nowhere")
