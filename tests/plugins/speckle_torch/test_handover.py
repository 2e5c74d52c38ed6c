"""Patterns as torch's own data set."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.plugins.speckle_torch.tiny_network import easy  # noqa: E402


def test_a_loader_gives_prepared_patterns_and_columns_a_whole_batch_at_once():
    reads = []

    def counted(patterns, grid):
        reads.append(len(patterns))
        return patterns / 2

    patterns = easy(7).prepared_with([counted])
    dataset = patterns.as_torch()
    assert isinstance(dataset, torch.utils.data.Dataset)
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=3))
    assert reads == [3, 3, 1]
    values, labels = patterns.as_arrays()
    assert torch.equal(torch.cat([b[0] for b in batches])[:, 0], torch.from_numpy(values))
    columns = np.concatenate([b[1].numpy() for b in batches])
    np.testing.assert_array_equal(patterns.classes[columns], labels)
    one, target = dataset[-1]
    assert (one.shape, target) == ((1, 33, 33), int(columns[-1]))
    with pytest.raises(IndexError):
        dataset[7]
