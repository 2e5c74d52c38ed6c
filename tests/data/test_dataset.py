"""A set read back: what is in it, how much memory that takes, and every way it can be spoiled."""

from __future__ import annotations

import concurrent.futures as cf
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from data_fakes import experiment, replace_data, vouch

from speckle_core import DataError, Dataset, KGrid
from speckle_core.dataset import reader
from speckle_core.generate import generate

SHARD = "shards/00001.h5"


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
        with pytest.raises(DataError, match="there are patterns 0 to 599"):
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


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"no such folder|not the folder of a data set"):
        Dataset.open(tmp_path / name)


def test_a_folder_without_a_manifest_holds_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no data set: manifest\.json is missing"):
        Dataset.open(tmp_path)


def _set(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(manifest: Any) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("format", value="zarr"), "not the manifest of a speckle data set"),
        (_set("version", value=2), "of version 2; this speckle-core reads 1"),
        (_set("extra", value=1), "no key 'extra'"),
        (_set("experiment", "seed", value=True), "experiment.seed"),
        (_set("experiment", "seed", value=-1), "must be from 0"),
        (_set("experiment", "structure", "patterns_per_count", value=10**12), "10000000"),
        (_set("experiment", "grid", "step", value=float("nan")), "experiment.grid.step"),
        (_set("shards", 1, "name", value="../../secret.h5"), "secret.h5"),
        (_set("shards", 1, "name", value="shards/00000.h5"), "no shard of this experiment"),
        (_set("shards", 1, "bytes", value="many"), "shards"),
        (_set("shards", 1, "count", value=255), "no shard of this experiment"),
        (_set("experiment", "grid", "size", value=11), "no shard of this experiment"),
        (_set("shards", value={}), "shards"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    change: Callable[[Any], None], message: str, copy: Path
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    change(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=message):
        Dataset.open(copy)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe{", b"{", b"[" * 100_000, b"7"])
def test_a_manifest_that_is_none_is_refused(data: bytes, copy: Path) -> None:
    (copy / "manifest.json").write_bytes(data)
    with pytest.raises(DataError, match=r"manifest\.json"):
        Dataset.open(copy)


def test_a_missing_shard_is_named(copy: Path) -> None:
    (copy / SHARD).unlink()
    with pytest.raises(DataError, match=r"00001\.h5: is missing\n.*verify --repair"):
        Dataset.open(copy)


def test_a_truncated_shard_is_named_on_opening(copy: Path) -> None:
    data = (copy / SHARD).read_bytes()
    (copy / SHARD).write_bytes(data[:-100])
    with pytest.raises(DataError, match=rf"00001\.h5: has {len(data) - 100} bytes instead of"):
        Dataset.open(copy)


def _read_all(folder: Path) -> None:
    Dataset.open(folder).patterns().raw(np.arange(600))


@pytest.mark.parametrize("cut", [0, 10, 5000, 50_000])
def test_a_truncated_shard_that_is_vouched_for_is_refused_on_reading(cut: int, copy: Path) -> None:
    (copy / SHARD).write_bytes((copy / SHARD).read_bytes()[:cut])
    vouch(copy, SHARD)
    with pytest.raises(
        DataError, match=r"00001\.h5: is (not an HDF5 file|damaged or was cut short)"
    ):
        _read_all(copy)


def test_a_flipped_bit_of_a_pattern_is_found_on_reading_it_and_no_other(copy: Path) -> None:
    with h5py.File(copy / SHARD) as file:
        chunk = file["entry_1/data_1/data"].id.get_chunk_info(44)
        assert chunk.chunk_offset == (44, 0, 0)
        place = chunk.byte_offset + 100
    data = bytearray((copy / SHARD).read_bytes())
    data[place] ^= 0x10
    (copy / SHARD).write_bytes(data)
    patterns = Dataset.open(copy).patterns()
    patterns.raw([299, 301])
    with pytest.raises(DataError, match=r"00001\.h5: pattern 44 \(number 300 of the set\)") as e:
        patterns.raw([299, 300])
    assert "speckle verify --repair" in str(e.value)


@pytest.mark.parametrize("place", range(0, 8000, 400))
def test_a_flipped_byte_anywhere_gives_a_data_error_or_the_right_patterns(
    place: int, made: Path, copy: Path
) -> None:
    data = bytearray((copy / SHARD).read_bytes())
    data[place] ^= 0xFF
    (copy / SHARD).write_bytes(data)
    try:
        got = Dataset.open(copy).patterns().raw(np.arange(256, 512))
    except DataError:
        return
    np.testing.assert_array_equal(got, Dataset.open(made).patterns().raw(np.arange(256, 512)))


def test_labels_outside_the_classes_are_refused(copy: Path) -> None:
    with h5py.File(copy / SHARD, "r+") as file:
        file["entry_1/data_1/labels"][7] = 25
    vouch(copy, SHARD)
    with pytest.raises(DataError, match="label 7 is 25, the experiment's is 3"):
        _read_all(copy)


def _wrong_shape(home: h5py.Group) -> None:
    home["data"] = np.ones((256, 8, 9), "f4")


def _wrong_type(home: h5py.Group) -> None:
    home["data"] = np.ones((256, 9, 9), "f8")


def _a_group(home: h5py.Group) -> None:
    home.create_group("data")


def _external_link(home: h5py.Group) -> None:
    home["data"] = h5py.ExternalLink("00000.h5", "/entry_1/data_1/data")


def _soft_link_to_an_external_link(home: h5py.Group) -> None:
    home["away"] = h5py.ExternalLink("/etc/passwd", "/")
    home["data"] = h5py.SoftLink("away/data")


def _dangling(home: h5py.Group) -> None:
    home["data"] = h5py.SoftLink("/entry_1/nowhere")


def _endless(home: h5py.Group) -> None:
    home["data"] = h5py.SoftLink("/entry_1/data_1/data")


def _external_storage(home: h5py.Group) -> None:
    home.create_dataset("data", (256, 9, 9), "f4", external=[("/etc/passwd", 0, 256 * 81 * 4)])


def _virtual(home: h5py.Group) -> None:
    layout = h5py.VirtualLayout((256, 9, 9), "f4")
    layout[:] = h5py.VirtualSource("00000.h5", "/entry_1/data_1/data", (256, 9, 9))
    home.create_virtual_dataset("data", layout)


def _never_written(home: h5py.Group) -> None:
    home.create_dataset("data", (256, 9, 9), "f4", chunks=(1, 9, 9))
    home["data"][3] = 1


def _gone(home: h5py.Group) -> None:
    home["else"] = 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_wrong_shape, r"float32 of shape \(256, 8, 9\), not float32 patterns \(256, 9, 9\)"),
        (_wrong_type, "holds float64"),
        (_a_group, "is no dataset"),
        (_external_link, "is a link into the file '00000.h5'"),
        (_soft_link_to_an_external_link, "is a link into the file '/etc/passwd'"),
        (_dangling, "is not there"),
        (_endless, "leads nowhere"),
        (_external_storage, "keeps its values in another file"),
        (_virtual, "takes its values from other files"),
        (_never_written, "declares 82944 bytes, but only 324 were stored"),
        (_gone, "is not there"),
    ],
)
def test_a_hostile_shard_that_is_vouched_for_is_refused(
    make: Callable[[h5py.Group], None], message: str, copy: Path
) -> None:
    replace_data(copy / SHARD, make)
    vouch(copy, SHARD)
    with pytest.raises(DataError, match=message):
        _read_all(copy)


def test_a_shard_that_is_a_link_out_of_the_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / SHARD).rename(tmp_path / "secret.h5")
    (copy / SHARD).symlink_to(tmp_path / "secret.h5")
    with pytest.raises(DataError, match="link out of the data set's folder"):
        _read_all(copy)


def test_reading_a_set_imports_nothing_that_it_names(copy: Path) -> None:
    with h5py.File(copy / SHARD, "r+") as file:
        file["entry_1/particles/Bricks"].attrs["class"] = "antigravity:fly"
    vouch(copy, SHARD)
    _read_all(copy)
    import sys

    assert "antigravity" not in sys.modules
