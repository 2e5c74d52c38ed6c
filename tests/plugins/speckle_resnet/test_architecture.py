import math

import numpy as np
import pytest

from speckle_resnet.architecture import RESNET50, decays, initial_weights, tensors, trainable


def count(shapes):
    return sum(math.prod(shape) for shape in shapes.values())


def test_three_channels_and_nineteen_classes_give_the_published_number_of_parameters():
    shapes = tensors(RESNET50, 3, 19)
    fixed = {name: shape for name, shape in shapes.items() if not trainable(name)}
    assert count(shapes) == 23_611_283
    assert count(fixed) == 45_440


def test_one_channel_saves_two_of_the_three_slices_of_the_first_kernel():
    assert count(tensors(RESNET50, 1, 19)) == 23_611_283 - 2 * 7 * 7 * 64


@pytest.mark.framework
def test_torch_holds_exactly_the_tensors_of_the_table():
    torch = pytest.importorskip("torch")
    from speckle_torch.network import ResNet, named_tensors

    with torch.device("meta"):
        network = ResNet(RESNET50, 3, 19)
    live = named_tensors(network)
    shapes = tensors(RESNET50, 3, 19)
    assert live.keys() == shapes.keys()
    assert sum(p.numel() for p in network.parameters()) == 23_611_283 - 45_440
    state = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    assert len(state) == len(live)


def test_the_first_block_starts_with_its_convolution_and_shortcuts_stand_where_shapes_change():
    shapes = tensors(RESNET50, 3, 19)
    assert "stage1.block1.bn1.gamma" not in shapes
    assert shapes["stage1.block2.bn1.gamma"] == (256,)
    projecting = [name for name in shapes if name.endswith("shortcut.kernel")]
    assert [shapes[name] for name in projecting] == [
        (1, 1, 64, 256),
        (1, 1, 256, 512),
        (1, 1, 512, 1024),
        (1, 1, 1024, 2048),
    ]


def test_first_kernels_are_a_cut_normal_distribution_of_variance_two_over_fan_in():
    weights = initial_weights({"a.kernel": (3, 3, 64, 256)}, seed=1)["a.kernel"]
    deviation = math.sqrt(2 / (3 * 3 * 64))
    uncut = deviation / 0.87962566103423978
    # 147456 values: the relative error of the deviation is about 0.2 %.
    assert weights.std() == pytest.approx(deviation, rel=0.01)
    assert weights.mean() == pytest.approx(0, abs=4 * deviation / math.sqrt(weights.size))
    assert 1.98 * uncut < np.abs(weights).max() <= 2 * uncut * (1 + 1e-6)


def test_all_else_starts_as_in_keras():
    weights = initial_weights(tensors(RESNET50, 1, 2), seed=1)
    starts = {"bias": 0, "gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
    for name, values in weights.items():
        part = name.rpartition(".")[2]
        if part in starts:
            assert (values == starts[part]).all(), name


def test_one_seed_gives_one_network_and_another_another():
    shapes = {"a.kernel": (1, 1, 4, 4)}
    first, again, other = (initial_weights(shapes, seed)["a.kernel"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_weight_decay_pulls_at_the_kernels_of_the_53_convolutions_alone():
    shapes = tensors(RESNET50, 3, 19)
    decaying = [name for name in shapes if decays(name)]
    # The stem, three for each of 16 blocks, and four shortcuts.
    assert len(decaying) == 1 + 3 * 16 + 4
    assert all(len(shapes[name]) == 4 for name in decaying)
