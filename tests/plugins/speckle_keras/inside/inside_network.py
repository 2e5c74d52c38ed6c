import numpy as np
import pytest

from speckle_keras.backend import engine, keras
from speckle_keras.layers import BatchNorm, computing_in, guided_relu
from speckle_keras.network import ResNet, build
from speckle_keras.tensors import to_arrays
from speckle_resnet.architecture import RESNET50, initial_weights, tensors
from tests.plugins.speckle_keras.inside.small_network import SMALL

ops = keras.ops


def test_keras_counts_the_published_number_of_parameters():
    network = ResNet(RESNET50, 3, 19)
    assert network.count_params() == 23_611_283
    fixed = sum(int(np.prod(w.shape)) for w in network.non_trainable_weights)
    assert fixed == 45_440
    shapes = {n: tuple(v.shape) for n, v in network.named_variables().items()}
    assert shapes == tensors(RESNET50, 3, 19)


def small_network(channels=1, classes=3):
    weights = initial_weights(tensors(SMALL, channels, classes), 0)
    return build(SMALL, channels, classes, weights)


def test_arrays_go_to_a_network_and_back_unchanged():
    weights = initial_weights(tensors(SMALL, 3, 3), 0)
    back = to_arrays(small_network(3).named_variables())
    assert back.keys() == weights.keys()
    assert all((back[name] == values).all() for name, values in weights.items())


def test_a_network_reads_patterns_of_any_size():
    network = small_network()
    for size in (1, 16, 33, 70):
        assert network(ops.ones((2, size, size))).shape == (2, 3)
    last = len(SMALL.blocks)
    assert network.until(last, ops.zeros((1, 65, 65))).shape == (1, 9, 9, 16)
    assert network.until(1, ops.zeros((1, 65, 65))).shape == (1, 17, 17, 12)


@pytest.mark.parametrize(
    ("size", "corner"), [(4, 0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10), (5, 0 + 1 + 5 + 6)]
)
def test_a_convolution_of_stride_two_starts_inside_even_and_outside_odd_patterns(size, corner):
    layer = keras.layers.Conv2D(
        1, 3, 2, padding="same", data_format="channels_last", kernel_initializer="ones"
    )
    y = layer(ops.reshape(ops.arange(size * size, dtype="float32"), (1, size, size, 1)))
    assert y.shape == (1, (size + 1) // 2, (size + 1) // 2, 1)
    assert ops.convert_to_numpy(y)[0, 0, 0, 0] == corner


@pytest.mark.parametrize(
    ("size", "largest"), [(4, [[-90, -89], [-86, -85]]), (3, [[-95, -94], [-91, -90]])]
)
def test_what_lies_outside_never_wins_the_maximum(size, largest):
    x = (np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1) - 100)[:, :size, :size]
    y = ops.max_pool(x, 3, 2, padding="same", data_format="channels_last")
    assert ops.convert_to_numpy(y)[0, :, :, 0].tolist() == largest


def test_batch_norm_forgets_as_keras_does_and_counts_the_unbiased_variance():
    layer = BatchNorm(momentum=0.99, epsilon=1e-3)
    layer.build((None, None, None, 1))
    layer.moving_variance.assign([0.0])
    given = np.float32([0, 2])
    normal = ops.convert_to_numpy(layer(given.reshape(2, 1, 1, 1), training=True)).ravel()
    assert normal == pytest.approx((given - 1) / (1 + 1e-3) ** 0.5, abs=1e-5)
    layer(np.float32([10, 14]).reshape(2, 1, 1, 1), training=True)
    mean, variance = (float(w[0]) for w in (layer.moving_mean, layer.moving_variance))
    assert mean == pytest.approx(0.99 * 0.01 * 1 + 0.01 * 12)
    assert variance == pytest.approx(0.99 * 0.01 * 2 + 0.01 * 8)
    layer.moving_mean.assign([1.0])
    layer.moving_variance.assign([4.0])
    found = ops.convert_to_numpy(layer(ops.full((1, 1, 1, 1), 3.0))).item()
    assert found == pytest.approx((3 - 1) / (4 + 1e-3) ** 0.5, rel=1e-5)


def test_gradients_pass_batch_norm_through_mean_and_variance():
    """Of a normalised batch neither sum nor sum of squares can grow: the gradient is 0 along."""
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 2, 2, 1)).astype("f4"))
    one, zero = ops.ones(1), ops.zeros(1)

    def third_moment(x):
        y, _, _ = engine.normalised_by_batch(x, one, zero, 1e-3)
        return ops.sum(y * y * y)

    gradient = ops.convert_to_numpy(engine.gradient(third_moment, x))
    assert np.abs(gradient).max() > 0.1
    assert gradient.sum() == pytest.approx(0, abs=1e-5)
    centred = ops.convert_to_numpy(x) - ops.convert_to_numpy(x).mean()
    # Exactly 0 but for epsilon, a thousandth of the variance.
    assert (gradient * centred).sum() == pytest.approx(0, abs=0.02)


def test_a_guided_relu_passes_back_what_is_positive_on_both_sides():
    x = ops.convert_to_tensor(np.float32([-1, -1, 2, 2]))
    weights = ops.convert_to_tensor(np.float32([3, -3, 3, -3]))
    assert ops.convert_to_numpy(guided_relu(x)).tolist() == [0, 0, 2, 2]
    gradient = engine.gradient(lambda x: ops.sum(guided_relu(x) * weights), x)
    assert ops.convert_to_numpy(gradient).tolist() == [0, 0, 3, 0]


def test_precision_is_changed_for_a_block_and_no_longer():
    network = small_network()
    x = np.random.default_rng(0).standard_normal((2, 33, 33)).astype("f4")
    exact = ops.convert_to_numpy(network(x))
    with computing_in(network.coarse_layers, "bfloat16"):
        coarse = network(x)
        assert keras.backend.standardize_dtype(network.until(1, x).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(coarse.dtype) == "float32"
    assert 0 < np.abs(ops.convert_to_numpy(coarse) - exact).max() < 0.1 * np.abs(exact).max()
    assert (ops.convert_to_numpy(network(x)) == exact).all()
