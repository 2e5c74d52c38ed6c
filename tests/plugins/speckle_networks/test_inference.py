"""Where maps lie on a pattern of which a network reads a part."""

import pytest

from speckle_networks.inference import map_step


@pytest.mark.parametrize(
    ("read", "maps", "step"),
    [
        ((33, 33), (2, 2), 32),  # ceil(33 / 32) = 2
        ((17, 33), (1, 2), 32),
        ((49, 97), (2, 4), 32),  # of 25 to 32, the power of two
        ((65, 65), (13, 13), 5),  # patches of 5
        ((65, 65), (65, 65), 1),
        ((31, 31), (15, 15), 2),  # without padding: no step fits exactly, 31 / 15 comes close
    ],
)
def test_the_step_of_a_map_is_found_from_the_sizes(read, maps, step):
    assert map_step(read, maps) == step
