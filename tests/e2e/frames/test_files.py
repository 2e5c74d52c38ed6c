"""Files as detectors and programs write them, each read rightly or refused in the right words.

Whatever a file has beyond the counts is written here as the reports have it that it was made after.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import types
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile

from speckle_core import DataError, open_frames
from tests.e2e.frames.patterns import SIZE, Read, counts, gap, ideal, numbers, say

pytestmark = pytest.mark.xdist_group("frames")


def test_an_eiger_master_is_read_through_its_links_with_its_mask(
    read: Read, model: Path, tmp_path: Path
) -> None:
    for number, n in enumerate((4, 8), start=1):
        with h5py.File(tmp_path / f"run_data_{number:06d}.h5", "w") as file:
            file["entry/data/data"] = counts(n)[None].astype(np.uint32)
    with h5py.File(tmp_path / "run_master.h5", "w") as file:
        for number in (1, 2, 3):
            name = f"run_data_{number:06d}.h5"
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(name, "entry/data/data")
        detector = file.create_group("entry/instrument/detector")
        detector["beam_center_x"] = detector["beam_center_y"] = 32.0
        detector["detectorSpecific/pixel_mask"] = gap().astype(np.uint32)
        detector["detectorSpecific/flatfield"] = np.ones((SIZE, SIZE), np.float32)
    assert numbers(read(tmp_path / "run_master.h5")) == [4, 8]
    said = say("predict", model, tmp_path / "run_master.h5").stderr
    assert "data_000003 is left out" in said
    assert "run_data_000003.h5: file not found" in said
    assert "pixel_mask" in said
    frames = open_frames(tmp_path / "run_master.h5")
    assert frames.geometry.center == (32, 32)
    np.testing.assert_array_equal(frames[0].valid, ~gap())


def test_compressed_frames_are_read_or_the_filter_and_its_package_are_named(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        frame = counts(6)[None].astype(np.uint16)
        made = {"chunks": (1, SIZE, SIZE), **hdf5plugin.Bitshuffle()}
        file.create_dataset("entry/instrument/detector/data", data=frame, **made)
    assert numbers(read(tmp_path / "a.nxs")) == [6]
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: number != 32008)
    monkeypatch.setitem(sys.modules, "hdf5plugin", types.ModuleType("hdf5plugin"))
    with pytest.raises(DataError, match=r"(?s)filter 32008 \(bitshuffle\).*pip install.*hdf5plug"):
        open_frames(tmp_path / "a.nxs")


def test_a_part_of_a_virtual_dataset_that_is_missing_is_named(model: Path, tmp_path: Path) -> None:
    layout = h5py.VirtualLayout((2, SIZE, SIZE), np.uint16)
    for number in range(2):
        layout[number] = h5py.VirtualSource(f"part{number}.h5", "data", (SIZE, SIZE))
    with h5py.File(tmp_path / "part0.h5", "w") as file:
        file["data"] = counts(4).astype(np.uint16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)
    said = say("predict", model, tmp_path / "a.h5")
    assert said.exit_code == 1
    assert "part1.h5: file not found" in said.stderr


def test_a_file_that_is_being_written_is_called_so(model: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_dataset("data", data=counts(4)[None], chunks=(1, SIZE, SIZE))
        file.swmr_mode = True
        shutil.copy(tmp_path / "a.h5", tmp_path / "copy.h5")
    said = say("predict", model, tmp_path / "copy.h5").stderr
    assert "copy.h5: is being written" in said
    assert "h5clear -s" in said
    assert "damaged" not in said


def test_matlab_cells_and_fields_of_structs_are_read(read: Read, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        made = [file.create_dataset(f"#refs#/{n}", data=counts(n).T) for n in (4, 6)]
        cell = file.create_dataset("patterns", (2, 1), dtype=h5py.ref_dtype)
        cell[0, 0], cell[1, 0] = (m.ref for m in made)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file["scan/intensity"], file["scan/n"] = counts(8).T, np.array([[8.0]])
    assert numbers(read(tmp_path / "a.mat", tmp_path / "b.mat")) == [4, 6, 8]
    assert numbers(read(tmp_path / "b.mat", "--dataset", "scan.intensity")) == [8]


def test_one_bad_frame_or_file_takes_no_other_answer(
    read: Read, model: Path, tmp_path: Path
) -> None:
    stack = np.array([counts(n) for n in (2, 4, 6)], np.uint16)
    stack[1] = 0
    with h5py.File(tmp_path / "shutter.h5", "w") as file:
        file["entry/data/data"] = stack
    np.save(tmp_path / "good µ.npy", stack[0])
    (tmp_path / "cut.npy").write_bytes((tmp_path / "good µ.npy").read_bytes()[:2000])
    files = [tmp_path / name for name in ("shutter.h5", "cut.npy", "good µ.npy")]
    assert numbers(read(*files, code=1)) == [2, 6, 2]
    said = say("predict", model, *files).stderr
    assert "shutter.h5: pattern 1: has no variance" in said
    assert said.count("error: ") == 2


def test_edf_npz_and_packed_npy_are_read_and_raw_is_told(
    read: Read, model: Path, tmp_path: Path
) -> None:
    frame = counts(6).astype(np.uint16)
    head = "{\nHeaderID = EH:000001:000000:000000 ;\nByteOrder = LowByteFirst ;\n"
    head += f"DataType = UnsignedShort ;\nDim_1 = {SIZE} ;\nDim_2 = {SIZE} ;\n"
    head += f"Size = {frame.nbytes} ;\nCenter_1 = 32.5 ;\nCenter_2 = 32.5 ;\n"
    (tmp_path / "a.edf").write_bytes((head.ljust(1022) + "}\n").encode() + frame.tobytes())
    np.savez_compressed(tmp_path / "a.npz", data=frame[None], labels=np.array([6]))
    np.save(tmp_path / "A.npy", frame)
    (tmp_path / "a.npy.gz").write_bytes(gzip.compress((tmp_path / "A.npy").read_bytes()))
    (tmp_path / "A.npy").rename(tmp_path / "A.NPY")
    files = [tmp_path / name for name in ("a.edf", "a.npz", "a.npy.gz", "A.NPY")]
    assert numbers(read(*files)) == [6] * 4
    assert open_frames(tmp_path / "a.edf").geometry.center == (32, 32)
    (tmp_path / "a.raw").write_bytes(frame.tobytes())
    assert "Convert other files" in say("predict", model, tmp_path / "a.raw").stderr


def test_imagej_stacks_are_whole(read: Read, tmp_path: Path) -> None:
    stack = np.array([counts(n) for n in (2, 4)], np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    assert numbers(read(tmp_path / "a.tif")) == [2, 4]


def test_kinds_of_numbers(read: Read, model: Path, tmp_path: Path) -> None:
    pattern = ideal(6)
    np.save(tmp_path / "half.npy", (pattern / pattern.max() * 6e4).astype(np.float16))
    np.save(tmp_path / "big.npy", np.asfortranarray(pattern.astype(">f4")))
    np.save(tmp_path / "log.npy", np.log10(1 + pattern))
    found = read(*(tmp_path / name for name in ("half.npy", "big.npy", "log.npy")))
    assert numbers(found)[:2] == [6, 6]
    assert found[2]["far_from_training"] is True
    np.save(tmp_path / "complex.npy", np.sqrt(pattern).astype(np.complex64))
    assert "complex numbers" in say("predict", model, tmp_path / "complex.npy").stderr
