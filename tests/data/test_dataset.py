"""A set read back: what is in it, how much memory that takes, and every way it can be spoiled."""

from __future__ import annotations

import concurrent.futures as cf
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from speckle_core import DataError, Dataset, KGrid
from speckle_core.data import reader
from speckle_core.data.generate import generate
from tests.data.fakes import experiment


def test_a_set_knows_its_experiment_grid_labels_classes_and_split(made: Path) -> None:
    found = Dataset.open(made)
    assert len(found) == 600
    assert found.experiment == experiment().resolved()
    assert found.grid == KGrid.centered(9, np.pi / 100)
    np.testing.assert_array_equal(found.labels, np.repeat([2, 3, 4], 200))
    np.testing.assert_array_equal(found.classes, [2, 3, 4])
    assert {name: len(part) for name, part in found.split.items()} == {
        "train": 480,
        "valid": 60,
        "test": 60,
    }
    assert found.versions["plugin masonry"] == "speckle-masonry 1.0"
    assert {"speckle-core", "python", "numpy", "h5py"} <= found.versions.keys()


def test_patterns_come_in_the_order_asked_for_across_shards(made: Path) -> None:
    with Dataset.open(made) as found:
        patterns = found.patterns()
        whole = patterns.raw(np.arange(600))
        order = np.random.default_rng(0).integers(0, 600, 200)
        np.testing.assert_array_equal(patterns.raw(order), whole[order])
        assert whole.dtype == np.float32
        assert whole.min() >= 0


def test_a_part_holds_its_own_patterns_and_labels(made: Path) -> None:
    found = Dataset.open(made)
    whole, part = found.patterns(), found.patterns("test")
    values, labels = part.batch(np.arange(60))
    np.testing.assert_array_equal(values, whole.raw(found.split["test"]))
    np.testing.assert_array_equal(labels, found.labels[found.split["test"]])
    np.testing.assert_array_equal(part.classes, [2, 3, 4])
    with pytest.raises(DataError, match="no part 'tests'"):
        found.patterns("tests")


def test_an_index_out_of_range_is_an_error_not_another_pattern(made: Path) -> None:
    patterns = Dataset.open(made).patterns()
    for index in (-1, 600):
        with pytest.raises(DataError, match="has patterns 0 to 599"):
            patterns.raw([index])


def test_threads_may_read_at_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_OPEN", 1)
    patterns = Dataset.open(made).patterns()
    whole = patterns.raw(np.arange(600))
    orders = np.random.default_rng(0).integers(0, 600, (24, 20))
    with cf.ThreadPoolExecutor(4) as pool:
        for order, got in zip(orders, pool.map(patterns.raw, orders), strict=True):
            np.testing.assert_array_equal(got, whole[order])


def test_few_files_stay_open_and_none_after_closing(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_files() -> int:
        links = (os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))
        return sum(link.startswith(str(made.resolve())) for link in links)

    monkeypatch.setattr(reader, "_OPEN", 2)
    with Dataset.open(made) as found:
        for _ in range(3):
            found.patterns().raw([0, 300, 599])
        assert open_files() == 2
    assert open_files() == 0


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    # 1000 patterns of 101 × 101 pixels are 41 MB, a batch of 16 is 0.65 MB.
    folder = tmp_path / "set"
    generate(experiment(each=500, size=101, counts=[1, 2]), folder, workers=1)
    with Dataset.open(folder) as found:
        patterns = found.patterns()
        next(patterns.batches(16))
        before = _resident()
        tracemalloc.start()
        total = sum(len(values) for values, _ in patterns.batches(16))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert total == 1000
    assert peak < 8e6
    assert _resident() - before < 20e6
