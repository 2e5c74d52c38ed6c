import numpy as np
import pytest

from speckle_core import PatternError, SupportsFeatureMaps, SupportsGradients, SupportsOnnx
from speckle_specklenet.classifier import TorchSpeckleNet


def made(**options):
    return TorchSpeckleNet(bodies=8, epochs=20, batch_size=8, width=32, device="cpu", **options)


@pytest.fixture(scope="module")
def trained(patterns):
    network = made()
    train, valid = np.arange(40) % 6 != 0, np.arange(40) % 6 == 0
    history = network.fit(
        patterns.subset(np.flatnonzero(train)), patterns.subset(np.flatnonzero(valid)), seed=1
    )
    return network, history, patterns.subset(np.flatnonzero(valid))


def test_it_learns_from_ten_patterns_of_each_class(trained):
    network, history, valid = trained
    assert max(epoch.valid_accuracy for epoch in history) >= 0.75
    values, labels = valid.batch(np.arange(len(valid)))
    found = network.classes[network.predict_proba(values).argmax(1)]
    assert np.mean(found == labels) >= 0.75


def test_a_saved_network_predicts_the_same(trained, tmp_path):
    network, _, valid = trained
    network.save(tmp_path)
    other = made()
    other.load(tmp_path)
    values = valid.batch(np.arange(3))[0]
    np.testing.assert_array_equal(other.predict_proba(values), network.predict_proba(values))


def test_it_offers_neither_gradients_nor_maps_nor_onnx(trained):
    assert not isinstance(trained[0], SupportsGradients)
    assert not isinstance(trained[0], SupportsFeatureMaps)
    assert not isinstance(trained[0], SupportsOnnx)


@pytest.mark.parametrize("options", [{"half": True}, {"crop": 7}])
def test_it_refuses_what_is_not_a_square_about_k_0(patterns, options):
    with pytest.raises(PatternError, match="squares with k = 0 in the middle"):
        made(**options).fit(patterns, patterns, seed=0)
