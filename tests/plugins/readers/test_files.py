"""Files of four formats from somebody else: what is found in them, and what is refused."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from speckle_core import DataError, Experiment, open_frames
from speckle_core.data.generate import generate

STACK = np.random.default_rng(0).random((3, 5, 5)).astype(np.float32)
ONE = STACK[1]


def read_patterns(path: Path, *, dataset: str | None = None) -> tuple[Any, str]:
    """Return all frames of a file as one stack, and where they were found."""
    frames = open_frames(path, dataset=dataset)
    return np.stack([frame.counts for frame in frames]), frames.source


def _h5(path: Path, values: Any, name: str = "entry/speckle") -> None:
    with h5py.File(path, "w") as file:
        file[name] = values


def _npy(path: Path, values: Any) -> None:
    np.save(path, values)


def _mat5(path: Path, values: Any) -> None:
    values = np.moveaxis(values, 0, -1) if values.ndim == 3 else values
    scipy.io.savemat(path, {"I": values, "n": 5, "note": "text"}, do_compression=True)


def _mat73(path: Path, values: Any) -> None:
    """Write as MATLAB does: a block of 512 bytes before the HDF5, and axes in reverse."""
    values = np.moveaxis(values, 0, -1) if values.ndim == 3 else values
    with h5py.File(path, "w", userblock_size=512) as file:
        file["I"] = values.T
        file["n"] = np.array([[5.0]])
        file["note"] = np.array([[ord(c)] for c in "text"], np.uint16)
        file["#refs#/a"] = np.ones((4, 4))
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<HH", 0x0200, 0x4D49))


def _tif(path: Path, values: Any) -> None:
    tifffile.imwrite(path, values, compression="zlib", photometric="minisblack")


WRITERS = {
    "a.h5": _h5,
    "a.hdf5": _h5,
    "a.NXS": _h5,
    "a.cxi": _h5,
    "a.npy": _npy,
    "a5.mat": _mat5,
    "a73.mat": _mat73,
    "a.tif": _tif,
    "a.TIFF": _tif,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("values", [STACK, ONE], ids=["stack", "one"])
def test_a_stack_or_one_pattern_is_read_from_every_format(
    name: str, values: Any, tmp_path: Path
) -> None:
    WRITERS[name](tmp_path / name, values)
    got, source = read_patterns(tmp_path / name)
    expected = values if values.ndim == 3 else values[None]
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == np.float32
    assert source.startswith(str(tmp_path / name))


@pytest.mark.parametrize("kind", [">f4", ">f8", "f2", "u1", "i2", ">u4", "i8"])
@pytest.mark.parametrize("name", ["a.npy", "a.h5"])
def test_numbers_of_any_type_keep_their_values(kind: str, name: str, tmp_path: Path) -> None:
    values = np.arange(75).reshape(3, 5, 5).astype(kind)
    WRITERS[name](tmp_path / name, values)
    got, _ = read_patterns(tmp_path / name)
    np.testing.assert_array_equal(got, np.arange(75).reshape(3, 5, 5))


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_a_scan_of_more_axes_is_flattened_with_the_frames_counted_by_any_of_them(
    axis: int, tmp_path: Path
) -> None:
    scan = np.arange(4 * 3 * 5 * 6).reshape(4, 3, 5, 6)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.moveaxis(scan, 0, axis), chunks=True)
    frames = open_frames(tmp_path / "a.h5", frames_axis=axis)
    assert (len(frames), frames.scan_shape, frames.shape) == (12, (4, 3), (5, 6))
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.counts, scan.reshape(12, 5, 6)[index])


def test_the_axes_of_nexus_say_that_the_last_one_counts(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        home = file.create_group("entry/data")
        home.attrs["axes"] = np.array([b"y", b"x", b"frame"])
        home["counts"] = np.moveaxis(STACK, 0, -1)
        home["counts"].attrs["signal"] = np.array(1)
        file["entry/other"] = ONE
    np.testing.assert_array_equal(read_patterns(tmp_path / "a.h5")[0], STACK)


def test_nan_is_left_to_whoever_uses_the_values(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((3, 3), np.nan))
    assert np.isnan(read_patterns(tmp_path / "a.npy")[0]).all()


def test_a_data_sets_own_files_are_read_with_their_grid(tmp_path: Path) -> None:
    small = Experiment.from_dict(
        {
            "name": "small",
            "structure": {"counts": [2, 3], "patterns_per_count": 2},
            "grid": {"size": 17},
        }
    )
    dataset = generate(small, tmp_path / "data", workers=1)
    whole = dataset.patterns().raw(np.arange(4))
    got, source = read_patterns(tmp_path / "data/patterns.h5")
    np.testing.assert_array_equal(got, whole)
    assert source.endswith("patterns.h5: /entry_1/data_1/data")
    shard = open_frames(tmp_path / "data/shards/00000.h5")
    np.testing.assert_array_equal(shard[3].counts, whole[3])
    assert shard.geometry.step == pytest.approx(dataset.grid.step)
    assert shard.geometry.center == pytest.approx((8, 8))


def test_the_default_plot_of_a_nexus_file_is_found_through_soft_links(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["entry/instrument/detector/data"] = STACK
        file["entry/other"] = STACK + 1
        file["entry/plot/signal_is_here"] = h5py.SoftLink("/entry/instrument/detector/data")
        file.attrs["default"] = np.bytes_("entry")
        file["entry"].attrs["default"] = "plot"
        file["entry/plot"].attrs["signal"] = "signal_is_here"
    got, source = read_patterns(tmp_path / "a.nxs")
    np.testing.assert_array_equal(got, STACK)
    assert source.endswith("/entry/instrument/detector/data")


def test_cxi_data_are_found_among_others(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/instrument_1/detector_1/mask"] = np.ones((5, 5))
        file["entry_1/data_1/data"] = STACK
    np.testing.assert_array_equal(read_patterns(tmp_path / "a.cxi")[0], STACK)


@pytest.mark.parametrize("name", ["a.h5", "a5.mat", "a73.mat"])
def test_of_several_arrays_one_must_be_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "a5.mat":
        scipy.io.savemat(path, {"first": ONE, "second": 2 * ONE})
    else:
        with h5py.File(path, "w") as file:
            file["first"], file["second"] = ONE.T, 2 * ONE.T
    with pytest.raises(DataError, match=r"2 arrays .*first \(5, 5\), .*second \(5, 5\)"):
        read_patterns(path)
    got, source = read_patterns(path, dataset="second")
    np.testing.assert_array_equal(got[0], 2 * (ONE.T if name == "a.h5" else ONE))
    assert "second" in source
    with pytest.raises(DataError, match="third"):
        read_patterns(path, dataset="third")


@pytest.mark.parametrize("name", ["a5.mat", "a73.mat"])
@pytest.mark.parametrize(
    ("shape", "expected"), [((5, 5, 3), (3, 5, 5)), ((3, 5, 5), (3, 5, 5)), ((4, 4, 4), (4, 4, 4))]
)
def test_a_matlab_stack_is_counted_by_its_last_axis_unless_only_the_others_are_equal(
    name: str, shape: tuple[int, ...], expected: tuple[int, ...], tmp_path: Path
) -> None:
    values = np.arange(float(np.prod(shape))).reshape(shape)
    if name == "a5.mat":
        scipy.io.savemat(tmp_path / name, {"I": values})
    else:
        _h5(tmp_path / name, values.T, "I")
    got, _ = read_patterns(tmp_path / name)
    assert got.shape == expected
    first = values[0] if shape == (3, 5, 5) else values[..., 0]
    np.testing.assert_array_equal(got[0], first)


def test_a_missing_file_a_folder_an_empty_file_and_an_unknown_kind_are_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "empty.npy").touch()
    (tmp_path / "a.png").write_bytes(b"x")
    for name, message in {
        "none.h5": "file not found",
        "folder.h5": "is not a file",
        "empty.npy": "is empty",
        "a.png": r"unknown suffix '\.png'\n.*\.h5 .*\.mat .*\.npy .*\.tif \.tiff",
    }.items():
        with pytest.raises(DataError, match=message):
            read_patterns(tmp_path / name)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("spoil", ["text", "cut", "cut hard"])
def test_a_damaged_file_is_one_error(
    name: str, spoil: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    WRITERS[name](path, np.random.default_rng(0).random((3, 65, 65)))
    whole = path.read_bytes()
    cut = {
        "text": b"no such format, just text\n" * 30,
        "cut": whole[:-2000],
        "cut hard": whole[:30],
    }
    path.write_bytes(cut[spoil])
    with caplog.at_level(logging.CRITICAL), pytest.raises(DataError, match=name):
        read_patterns(path)


@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a5.mat"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(7), "neither a pattern|no array of two or three"),
        (np.ones((3, 3), complex), "complex numbers"),
    ],
    ids=["one axis", "complex"],
)
def test_what_is_no_stack_of_numbers_is_refused(
    name: str, values: Any, message: str, tmp_path: Path
) -> None:
    if name == "a5.mat":
        scipy.io.savemat(tmp_path / name, {"I": values})
    else:
        WRITERS[name](tmp_path / name, values)
    dataset = "entry/speckle" if name == "a.h5" and np.iscomplexobj(values) else None
    with pytest.raises(DataError, match=message):
        read_patterns(tmp_path / name, dataset=dataset)


def test_colour_and_complex_tiffs_are_refused_and_sample_planes_are_a_stack(
    tmp_path: Path,
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(DataError, match="is a colour image"):
        read_patterns(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.ones((8, 8), np.complex64))
    with pytest.raises(DataError, match="complex numbers"):
        read_patterns(tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "c.tif", STACK, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_patterns(tmp_path / "c.tif")[0], STACK)


@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a5.mat"])
def test_an_empty_array_is_said(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, np.ones((0, 5, 5)))
    dataset = {"a.h5": "entry/speckle", "a5.mat": "I"}.get(name)
    with pytest.raises(DataError, match="is empty"):
        read_patterns(tmp_path / name, dataset=dataset)


def test_formats_without_names_take_none(tmp_path: Path) -> None:
    for name in ("a.npy", "a.tif"):
        WRITERS[name](tmp_path / name, ONE)
        with pytest.raises(DataError, match="has no named arrays"):
            read_patterns(tmp_path / name, dataset="x")


def test_a_tiff_that_leads_nowhere_is_one_error_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0junk")
    ask = "import sys; from speckle_core import open_frames; open_frames(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path / "a.tif")],
        capture_output=True,
        text=True,
        check=False,
    )
    # The logging of the test runner would take what a user's terminal is shown.
    assert done.stderr.startswith("Traceback")
    assert "DataError: " in done.stderr
    assert "a.tif: contains no image" in done.stderr


def test_groups_with_numbers_are_not_taken_for_a_series(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scans.h5", "w") as file:
        for number in range(3):
            file.create_group(f"scan{number:04d}")
        file["found"] = np.ones((4, 17, 17))
    assert open_frames(tmp_path / "scans.h5").dataset == "/found"


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("nm^-1", 1e-9), ("Å⁻¹", 1e-10), ("rad/nm", 1e-9), ("1/μm", 1e-6), ("inverse_nm", 1e-9)],
)
def test_a_step_in_k_is_read_in_every_spelling_of_its_unit(
    unit: str, metres: float, tmp_path: Path
) -> None:
    _axes(tmp_path / "a.nxs", unit)
    assert open_frames(tmp_path / "a.nxs").geometry.metric_step == pytest.approx(0.5 / metres)


def test_axes_in_another_unit_are_said(tmp_path: Path) -> None:
    _axes(tmp_path / "a.nxs", "furlong")
    (said,) = open_frames(tmp_path / "a.nxs").notes
    assert "'furlong' is not a unit of k" in said


def _axes(path: Path, unit: str) -> None:
    with h5py.File(path, "w") as file:
        file["d/I"] = ONE
        file["d"].attrs.update({"signal": "I", "axes": ["y", "x"]})
        for name in ("y", "x"):
            file[f"d/{name}"] = (np.arange(5) - 2) * 0.5
            file[f"d/{name}"].attrs["units"] = unit


def test_a_mark_that_leads_nowhere_is_called_a_mark(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["d/I"], file["d/J"] = ONE, ONE
        file["d"].attrs["signal"] = "gone"
    with pytest.raises(DataError, match="marked as the signal of /d, but is missing"):
        open_frames(tmp_path / "a.nxs")


def test_frames_that_may_be_counted_last_are_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.moveaxis(STACK, 0, -1))
    assert "give --frames-axis -1" in open_frames(tmp_path / "a.npy").notes[0]
    assert not open_frames(tmp_path / "a.npy", frames_axis=-1).notes
