"""Every way in which a set can be spoiled, by accident or by malice, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from speckle_core import DataError, Dataset
from tests.data.fakes import replace_data, vouch

SHARD = "shards/00001.h5"


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"folder not found|is not a data set folder"):
        Dataset.open(tmp_path / name)


def test_a_folder_without_a_manifest_holds_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"contains no data set: manifest\.json is missing"):
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
        (_set("version", value=3), "of version 3; this speckle-core reads 1 to 2"),
        (_set("extra", value=1), "unknown key 'extra'"),
        (_set("experiment", "seed", value=True), "experiment.seed"),
        (_set("experiment", "seed", value=-1), "must be between 0"),
        (_set("experiment", "structure", "patterns_per_count", value=10**12), "1000000000000"),
        (_set("experiment", "structure", "patterns_per_count", value=10**11), "not a shard"),
        (_set("experiment", "grid", "step", value=float("nan")), "experiment.grid.step"),
        (_set("shards", 1, "name", value="../../secret.h5"), "secret.h5"),
        (_set("shards", 1, "name", value="shards/00000.h5"), "not a shard of this experiment"),
        (_set("shards", 1, "bytes", value="many"), "shards"),
        (_set("shards", 1, "count", value=255), "not a shard of this experiment"),
        (_set("experiment", "grid", "size", value=11), "not a shard of this experiment"),
        (_set("shards", value={}), "shards"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    change: Callable[[Any], None], message: str, copy: Path
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["checksum"]
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
    with pytest.raises(DataError, match=r"00001\.h5: is missing\n.*speckle verify"):
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
    with pytest.raises(DataError, match=r"00001\.h5: is (not an HDF5 file|damaged or truncated)"):
        _read_all(copy)


def test_a_flipped_bit_of_a_pattern_is_found_on_reading_it_and_no_other(copy: Path) -> None:
    with h5py.File(copy / SHARD) as file:
        place = file["entry_1/data_1/data"].id.get_offset() + 44 * 9 * 9 * 4 + 100
    data = bytearray((copy / SHARD).read_bytes())
    data[place] ^= 0x10
    (copy / SHARD).write_bytes(data)
    patterns = Dataset.open(copy).patterns()
    patterns.raw([299, 301])
    with pytest.raises(DataError, match=r"00001\.h5: pattern 44 \(number 300 of the set\)") as e:
        patterns.raw([299, 300])
    assert "speckle verify" in str(e.value)


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
    with pytest.raises(DataError, match="label 7 is 25, but 3 in the experiment"):
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
        (_wrong_type, "contains float64"),
        (_a_group, "is not a dataset"),
        (_external_link, "is a link into the file '00000.h5'"),
        (_soft_link_to_an_external_link, "is a link into the file '/etc/passwd'"),
        (_dangling, "is missing"),
        (_endless, "broken link"),
        (_external_storage, "stores its values in another file"),
        (_virtual, "takes its values from other files"),
        (_never_written, "declares 82944 bytes, but only 324 are stored"),
        (_gone, "is missing"),
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
    with pytest.raises(DataError, match="link out of the data set folder"):
        _read_all(copy)


def test_reading_a_set_imports_nothing_that_it_names(copy: Path) -> None:
    with h5py.File(copy / SHARD, "r+") as file:
        file["entry_1/particles/Bricks"].attrs["class"] = "antigravity:fly"
    vouch(copy, SHARD)
    _read_all(copy)
    import sys

    assert "antigravity" not in sys.modules
