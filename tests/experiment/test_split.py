"""The note on a scaled split, held against the parts that are then taken."""

import re

import numpy as np
import pytest

from speckle_core.experiment.split import Split

PAPER = Split(train=15200, valid=1900, test=1900, test_per_class=100)


@pytest.mark.parametrize("counts", [(40, 40, 40), (61, 7, 52), (3, 9, 200), (1, 2, 30)])
@pytest.mark.parametrize("split", [PAPER, Split(train=400, valid=400, test=410)])
def test_the_note_of_a_scaled_split_says_the_sizes_that_are_taken(counts, split):
    labels = np.random.default_rng(1).permutation(np.repeat([2, 7, 12], counts))
    scaled, note = split.on(labels)
    said = {part: int(size) for part, size in re.findall(r"(train|valid|test) (\d+)", note)}
    taken = {part: len(indices) for part, indices in scaled.indices(labels, 5).items()}
    assert said == taken
    assert sum(said.values()) == len(labels)


def test_a_split_that_fits_stays_as_it_is():
    split = Split(train=6, valid=2, test=2)
    assert split.on(np.repeat([2, 3], 5)) == (split, "")
