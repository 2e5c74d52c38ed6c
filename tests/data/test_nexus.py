"""What other people's programs make of the files: silx, nexusformat, plain h5py."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import Dataset
from tests.data.fakes import experiment

FILES = ["patterns.h5", "shards/00000.h5"]


@pytest.mark.parametrize("name", FILES)
def test_silx_finds_a_valid_default_picture_on_a_log_scale(name: str, made: Path) -> None:
    silx_io = pytest.importorskip("silx.io")
    from silx.io import nxdata

    with silx_io.open(str(made / name)) as file:
        found = nxdata.get_default(file)
        assert found is not None
        assert found.is_valid
        assert found.signal_dataset_name == "data"
        assert found.interpretation == "image"
        assert found.plot_style.signal_scale_type == "log"
        assert found.axes_dataset_names == ["pattern", "y", "x"]
        assert found.axes_names == ["pattern", "ky", "kx"]
        np.testing.assert_allclose(found.axes[2][()], Dataset.open(made).grid.axis)
        np.testing.assert_array_equal(found.signal[2], Dataset.open(made).patterns().raw([2])[0])


@pytest.mark.parametrize("name", FILES)
def test_nexusformat_finds_no_error(name: str, made: Path) -> None:
    pytest.importorskip("nexusformat")
    from nexusformat.nexus.validate import logger, validate_file

    logger.setLevel(logging.ERROR)
    _, errors = validate_file(str(made / name))
    assert errors == 0


@pytest.mark.parametrize("name", FILES)
def test_every_dataset_has_units_and_the_default_slice_is_an_image(name: str, made: Path) -> None:
    with h5py.File(made / name) as file:
        lacking: list[str] = []
        file.visititems(
            lambda path, item: (
                lacking.append(path)
                if isinstance(item, h5py.Dataset) and "units" not in item.attrs
                else None
            )
        )
        assert lacking == []
        assert list(file["entry_1/data_1"].attrs["default_slice"]) == ["0", ".", "."]
        assert file["entry_1/data_1/x"].attrs["units"] == "1/length"
        assert file["cxi_version"][()] == 160


def test_patterns_of_a_shard_are_one_run_of_bytes_with_a_checksum_each(made: Path) -> None:
    with h5py.File(made / FILES[1]) as file:
        data, sums = file["entry_1/data_1/data"], file["entry_1/data_1/checksum"]
        assert (data.shape, data.chunks, data.dtype) == ((256, 9, 9), None, np.float32)
        start = data.id.get_offset()
        stored = (made / FILES[1]).read_bytes()[start : start + data[()].nbytes]
        assert stored == data[()].tobytes()
        words = np.frombuffer(stored, "<u4").reshape(256, 81)
        np.testing.assert_array_equal(sums, words.sum(axis=1, dtype=np.uint64) % 2**32)


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_that_it_is_simulated_and_by_what(name: str, made: Path) -> None:
    with h5py.File(made / name) as file:
        entry = file["entry_1"]
        assert "Simulated" in entry["title"].asstr()[()]
        assert "Nothing here was measured" in entry["experiment_description"].asstr()[()]
        assert entry["instrument_1/source_1/name"].asstr()[()] == "simulation"
        assert entry["process_1/program"].asstr()[()] == "speckle-core"
        recipe = json.loads(entry["process_1/experiment/data"].asstr()[()])
    resolved = experiment().resolved().to_dict()
    assert recipe == (resolved if name == FILES[0] else experiment().data_recipe())


def test_the_master_shows_labels_and_patterns_from_any_place(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.copytree(made, tmp_path / "moved")
    # A decoy where a name relative to the working directory would lead.
    shutil.copytree(made / "shards", tmp_path / "else" / "shards")
    for decoy in (tmp_path / "else" / "shards").iterdir():
        decoy.write_bytes(b"decoy")
    monkeypatch.chdir(tmp_path / "else")
    with h5py.File(moved / "patterns.h5") as file:
        home = file["entry_1/data_1"]
        np.testing.assert_array_equal(home["labels"], np.repeat([2, 3, 4], 200))
        np.testing.assert_array_equal(home["pattern"], np.arange(600))
        np.testing.assert_array_equal(
            home["data"][:], Dataset.open(made).patterns().raw(np.arange(600))
        )
        assert {s.file_name for s in home["data"].virtual_sources()} == {
            f"shards/0000{k}.h5" for k in range(3)
        }


def test_patterns_of_a_lost_shard_show_as_nan(copy: Path) -> None:
    (copy / "shards/00001.h5").unlink()
    with h5py.File(copy / "patterns.h5") as file:
        bad = np.isnan(file["entry_1/data_1/data"][:]).any(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(bad), np.arange(256, 512))
