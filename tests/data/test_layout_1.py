"""Sets whose manifest is of version 1 stay what they are: read, resumed and repaired as such."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import Dataset
from speckle_core.data import manifest
from speckle_core.data.generate import generate
from speckle_core.data.verify import verify
from speckle_core.notes import read_json
from tests.data.fakes import experiment, hashes


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "old"
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "VERSION", 1)
        generate(experiment(), folder, workers=1)
    return folder


def test_its_patterns_are_chunks_that_read_the_same(old: Path, made: Path) -> None:
    with h5py.File(old / "shards/00001.h5") as file:
        data = file["entry_1/data_1/data"]
        assert (data.chunks, data.fletcher32, data.compression) == ((1, 9, 9), True, None)
        assert "checksum" not in file["entry_1/data_1"]
    every = np.arange(600)
    found, expected = (Dataset.open(folder).patterns().raw(every) for folder in (old, made))
    np.testing.assert_array_equal(found, expected)
    assert verify(old).ok


def test_it_is_resumed_and_repaired_to_the_same_bytes(old: Path, tmp_path: Path) -> None:
    before = hashes(old)
    copy = Path(shutil.copytree(old, tmp_path / "copy"))
    (copy / "shards/00002.h5").unlink()
    generate(experiment(), copy, workers=1)
    assert hashes(copy) == before
    (copy / "shards/00000.h5").write_bytes(b"lost")
    assert verify(copy, repair=True).repaired == ("shards/00000.h5",)
    assert hashes(copy) == before
    assert read_json(copy / manifest.NAME)["version"] == 1
