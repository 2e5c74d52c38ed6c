import numpy as np
import pytest

torch = pytest.importorskip("torch")

from speckle_resnet.architecture import RESNET50, initial_weights, tensors  # noqa: E402
from speckle_torch.layers import BatchNorm  # noqa: E402
from speckle_torch.network import (  # noqa: E402
    Conv,
    MaxPool,
    ResNet,
    build,
    named_tensors,
    same_padding,
)
from speckle_torch.tensors import fill, to_arrays  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import TINY  # noqa: E402


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before_and_after"),
    [
        (257, 7, 2, (3, 3)),
        (256, 7, 2, (2, 3)),  # 128 outputs reach over 261 pixels: 5 more, the odd one at the end
        (129, 3, 2, (1, 1)),
        (128, 3, 2, (0, 1)),
        (10, 3, 1, (1, 1)),
        (10, 1, 2, (0, 0)),
        (1, 7, 2, (3, 3)),
    ],
)
def test_padding_is_tensorflows_same(size, kernel, stride, before_and_after):
    assert same_padding(size, kernel, stride) == before_and_after


@pytest.mark.parametrize(
    ("size", "corner"), [(4, 0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10), (5, 0 + 1 + 5 + 6)]
)
def test_a_convolution_of_stride_two_starts_inside_even_and_outside_odd_patterns(size, corner):
    layer = Conv(1, 1, 3, 2)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.fill_(0)
    x = torch.arange(size * size, dtype=torch.float32).reshape(1, 1, size, size)
    y = layer(x)
    assert y.shape[2:] == ((size + 1) // 2,) * 2
    assert y[0, 0, 0, 0].item() == corner


def test_what_lies_outside_never_wins_the_maximum():
    x = torch.arange(16, dtype=torch.float32).reshape(1, 1, 4, 4) - 100
    assert MaxPool()(x)[0, 0].tolist() == [[-90, -89], [-86, -85]]
    assert MaxPool()(x[..., :3, :3])[0, 0].tolist() == [[-95, -94], [-91, -90]]


def test_batch_norm_counts_the_first_batch_fully_and_later_ones_by_keras_momentum():
    layer = BatchNorm(1).train()
    batches = [torch.tensor(v).reshape(-1, 1, 1, 1) for v in ([0.0, 2.0], [10.0, 14.0])]
    for step, batch in enumerate(batches, start=1):
        layer.begin_step(step)
        layer(batch)
    share = 0.01 / (1 - 0.99**2)
    assert layer.running_mean.item() == pytest.approx(1 * (1 - share) + 12 * share)
    assert layer.running_var.item() == pytest.approx(2 * (1 - share) + 8 * share)
    normal = layer.eval()(torch.tensor([3.0]).reshape(1, 1, 1, 1)).item()
    mean, variance = layer.running_mean.item(), layer.running_var.item()
    assert normal == pytest.approx((3 - mean) / (variance + 1e-3) ** 0.5)


def network(seed=0, plan=TINY, channels=1, classes=3):
    weights = initial_weights(tensors(plan, channels, classes), seed)
    return build(plan, channels, classes, weights).eval()


def test_a_network_reads_patterns_of_any_size():
    one = network()
    with torch.no_grad():
        for size in (1, 16, 33, 64, 70):
            assert one(torch.ones(2, size, size)).shape == (2, 3)


def test_three_channels_see_the_pattern_in_each():
    one, three = network(), network(channels=3)
    kernel = to_arrays(named_tensors(three))["stem.conv.kernel"]
    weights = to_arrays(named_tensors(three)) | {"stem.conv.kernel": kernel.sum(2, keepdims=True)}
    fill(named_tensors(one), weights)
    x = torch.randn(2, 33, 33, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(one(x), three(x), atol=1e-5)


def test_the_forward_pass_is_the_published_block_structure():
    """Recomputed from the neutral arrays with SciPy, layer by layer, for three blocks."""
    from scipy.signal import correlate

    from speckle_resnet.architecture import Plan

    plan = Plan(blocks=(2, 1), widths=(2, 1), stem=3)
    rng = np.random.default_rng(5)
    shapes = tensors(plan, 1, 4)
    weights = {n: rng.normal(0.5, 0.3, s).astype(np.float32) for n, s in shapes.items()}
    weights |= {n: np.abs(w) + 0.1 for n, w in weights.items() if n.endswith("moving_variance")}

    def norm(x, name):
        gamma, beta, mean, variance = (
            weights[f"{name}.{part}"][:, None, None]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return np.maximum((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)

    def conv(x, name, stride=1):
        kernel = weights[f"{name}.kernel"]
        half = kernel.shape[0] // 2
        x = np.pad(x, [(0, 0), (half, half), (half, half)])
        y = [
            sum(correlate(x[i], kernel[:, :, i, o], "valid") for i in range(kernel.shape[2]))
            for o in range(kernel.shape[3])
        ]
        return (np.array(y) + weights[f"{name}.bias"][:, None, None])[:, ::stride, ::stride]

    pattern = rng.standard_normal((9, 9))
    x = norm(conv(pattern[None], "stem.conv", 2), "stem.bn")
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    x = windows[:, ::2, ::2].max(axis=(3, 4))

    def bottleneck(name, x, first, stride=1):
        y = conv(first, f"{name}.conv1", stride)
        y = conv(norm(y, f"{name}.bn2"), f"{name}.conv2")
        y = conv(norm(y, f"{name}.bn3"), f"{name}.conv3")
        return y + (conv(x, f"{name}.shortcut", stride) if y.shape != x.shape else x)

    x = bottleneck("stage1.block1", x, x)
    x = bottleneck("stage1.block2", x, norm(x, "stage1.block2.bn1"))
    x = bottleneck("stage2.block1", x, norm(x, "stage2.block1.bn1"), stride=2)
    x = norm(x, "final.bn")
    expected = x.mean(axis=(1, 2)) @ weights["dense.kernel"] + weights["dense.bias"]

    with torch.no_grad():
        scores = build(plan, 1, 4, weights).eval()(torch.tensor(pattern[None], dtype=torch.float32))
    np.testing.assert_allclose(scores[0].numpy(), expected, rtol=1e-4)


def test_arrays_go_to_a_network_and_back_unchanged():
    weights = initial_weights(tensors(TINY, 3, 3), 4)
    back = to_arrays(named_tensors(build(TINY, 3, 3, weights)))
    assert all((back[name] == values).all() for name, values in weights.items())


def test_building_a_network_leaves_the_random_state_alone():
    before = torch.random.get_rng_state()
    network(plan=RESNET50)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_later_stage_halves_its_maps():
    with torch.no_grad():
        maps = network().features(torch.zeros(1, 65, 65))
    assert maps.shape == (1, 20, 3, 3)
    assert isinstance(network(), ResNet)
