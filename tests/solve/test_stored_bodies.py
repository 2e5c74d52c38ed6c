from __future__ import annotations

import h5py
import numpy as np
import pytest

from speckle_core import DataError, Dataset
from speckle_core.data.stored_bodies import first_system
from speckle_core.solve.source import DatasetSource


@pytest.mark.parametrize("name", ["patterns.h5", "shards/00000.h5"])
def test_the_bodies_of_the_first_pattern_come_back_with_their_grid(
    name: str, dataset: Dataset
) -> None:
    found = first_system(dataset.folder / name)
    assert found is not None
    configuration, grid = found
    truth = DatasetSource.of(dataset).read(0).truth
    assert truth is not None
    assert (grid.size, grid.layout) == (65, "centered")
    assert grid.step == pytest.approx(dataset.grid.step)
    np.testing.assert_array_equal(configuration.particles[0].centers, truth.particles[0].centers)
    radius = truth.particles[0].bounding_radii[0]
    around = truth.particles[0].centers[0] + np.array([[0.99, 0], [1.01, 0]]) * radius
    assert configuration.particles[0].density(0, *around.T).tolist() == [1.0, 0.0]


def test_a_file_of_others_has_none_and_a_damaged_one_is_named(
    dataset: Dataset, tmp_path: object
) -> None:
    path = dataset.folder.parent / "other.h5"
    with h5py.File(path, "w") as file:
        file["picture"] = np.zeros((5, 5))
    assert first_system(path) is None
    with h5py.File(path, "a") as file:
        for place in ("particles", "data_1/data", "data_1/pattern", "data_1/x"):
            file.create_group(f"entry_1/{place}")
    with pytest.raises(DataError, match="is not a dataset"):
        first_system(path)
