"""Which pixels of a pattern a training reads, and how often it reads them."""

import numpy as np
import pytest

pytest.importorskip("torch")

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.errors import OptionError
from tests.plugins.speckle_torch.tiny_network import easy, timeless, tiny


def test_only_the_central_pixels_are_used_with_crop():
    train = easy(12)
    spoiled = train.prepared_with([lambda p, grid: np.where(grid.distance() > 20, 9e9, p)])
    first, second = (tiny(crop=17).fit(s, easy(0), seed=1) for s in (train, spoiled))
    assert timeless(first) == timeless(second)


def test_half_the_rows_are_used_and_mirror_images_bring_the_others_there():
    train = easy(12)
    spoiled = train.prepared_with(
        [lambda p, grid: np.where(np.arange(33)[:, None] < 16, 9 - p, p).astype(p.dtype)]
    )
    for augment, alike in (("none", True), ("flips", False)):
        options = {"half": True, "augment": augment, "epochs": 2}
        first, second = (tiny(**options).fit(s, easy(0), seed=1) for s in (train, spoiled))
        assert (timeless(first) == timeless(second)) is alike


def test_patterns_kept_in_memory_are_read_once_and_train_the_same(tmp_path):
    reads = []

    def counted(patterns, grid):
        reads.append(len(patterns))
        return patterns / 2

    sets = easy(20).prepared_with([counted]), easy(6, 1).prepared_with([counted])
    options = {"augment": "flips", "crop": 17}
    seen = []
    again = tiny(**options, cache=True)
    again.checkpoint_in(tmp_path)
    kept = again.fit(sets[0].with_progress(seen.append), sets[1], seed=3)
    assert (sum(reads), sum(seen)) == (26, 4 * 20)
    assert timeless(kept) == timeless(tiny(**options).fit(*sets, seed=3))
    # Where patterns lie is no matter of what is trained: the checkpoint is good for both.
    other = tiny(**options)
    other.checkpoint_in(tmp_path)
    reads.clear()
    assert timeless(other.fit(*sets, seed=3)) == timeless(kept)
    assert reads == []


@pytest.mark.parametrize("options", [{"crop": 17}, {"half": True}])
def test_quadrants_have_no_middle_to_read(options):
    train, one = easy(12), tiny(**options)
    patterns, labels = train.batch(range(12))
    corner = PatternSet.from_arrays(patterns, labels, KGrid.quadrant(33, 0.1))
    with pytest.raises(OptionError, match="quadrant"):
        one.fit(corner, corner, seed=1)
