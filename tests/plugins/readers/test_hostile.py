"""Files that reach out, boast or explode: refused before a value of them is read."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from speckle_core import DataError, open_frames
from speckle_core.data import reading

STACK = np.random.default_rng(0).random((3, 5, 5)).astype(np.float32)
ONE = STACK[1]


def read_patterns(path: Path, *, dataset: str | None = None) -> tuple[Any, str]:
    """Return all frames of a file as one stack, and where they were found."""
    frames = open_frames(path, dataset=dataset)
    return np.stack([frame.counts for frame in frames]), frames.source


def test_python_objects_and_archives_named_npy_are_not_unpacked(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    np.save(tmp_path / "a.npy", np.array([[Bomb()]], object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", a=ONE)
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    for name in ("a.npy", "b.npy"):
        with pytest.raises(DataError, match=f"{name}: cannot be read"):
            read_patterns(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_an_npy_header_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ONE)
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data.replace(b"(5, 5)", b"(5000000, 5000)")[:128])
    with pytest.raises(DataError, match="cannot be read"):
        read_patterns(tmp_path / "a.npy")


def _secret(folder: Path) -> Path:
    with h5py.File(folder / "secret.h5", "w") as file:
        file["x"] = STACK
    return folder / "secret.h5"


def _external_link(file: h5py.File, secret: Path) -> None:
    file["x"] = h5py.ExternalLink(str(secret), "/x")


def _external_link_beside(file: h5py.File, secret: Path) -> None:
    file["x"] = h5py.ExternalLink(secret.name, "/x")


def _soft_to_external(file: h5py.File, secret: Path) -> None:
    file["away"] = h5py.ExternalLink(str(secret), "/")
    file["x"] = h5py.SoftLink("/away/x")


def _external_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("x", (3, 5, 5), "f4", external=[(str(secret), 2048, 300)])


def _virtual(name: str) -> Callable[[h5py.File, Path], None]:
    def make(file: h5py.File, secret: Path) -> None:
        layout = h5py.VirtualLayout((3, 5, 5), "f4")
        layout[:] = h5py.VirtualSource(name.format(secret), "/x", (3, 5, 5))
        file.create_virtual_dataset("x", layout)

    return make


def _virtual_counted(file: h5py.File, secret: Path) -> None:
    """Name 0.h5, 1.h5 and so on, as many as there are."""
    unlimited = h5py.h5s.UNLIMITED
    space = h5py.h5s.create_simple((0, 5, 5), (unlimited, 5, 5))
    space.select_hyperslab((0, 0, 0), (unlimited, 1, 1), (3, 1, 1), (3, 5, 5))
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_virtual(space, b"%b.h5", b"/x", h5py.h5s.create_simple((3, 5, 5)))
    h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, settings)


def _virtual_repeated(file: h5py.File, secret: Path) -> None:
    file["y"] = STACK
    layout = h5py.VirtualLayout((3000, 5, 5), "f4")
    for i in range(0, 3000, 3):
        layout[i : i + 3] = h5py.VirtualSource(".", "/y", (3, 5, 5))
    file.create_virtual_dataset("x", layout)


def _virtual_with_a_hole(file: h5py.File, secret: Path) -> None:
    file["y"] = np.ones((9, 5, 5), "f4")
    layout = h5py.VirtualLayout((4, 5, 5), "f4")
    layout[:3] = h5py.VirtualSource(".", "/y", (9, 5, 5))[:3]
    file.create_virtual_dataset("x", layout)


def _virtual_of_virtual(file: h5py.File, secret: Path) -> None:
    _virtual("{}")(file, secret)
    file.move("x", "z")
    layout = h5py.VirtualLayout((3, 5, 5), "f4")
    layout[:] = h5py.VirtualSource(".", "/z", (3, 5, 5))
    file.create_virtual_dataset("x", layout)


def _eight_terabytes(file: h5py.File, secret: Path) -> None:
    file.create_dataset("x", (2**21, 1024, 1024), "f4", chunks=(1, 1024, 1024))


def _eight_terabytes_compressed(file: h5py.File, secret: Path) -> None:
    made = file.create_dataset(
        "x", (2**21, 1024, 1024), "f4", chunks=(1, 1024, 1024), compression=9
    )
    made[0] = 0


def _compressed_and_cut_short(file: h5py.File, secret: Path) -> None:
    made = file.create_dataset("x", (3, 5, 5), "f4", chunks=(1, 5, 5), compression=9)
    made[:2] = STACK[:2]


def _contiguous_never_written(file: h5py.File, secret: Path) -> None:
    file.create_dataset("x", (1024, 1024), "f4")


def _objects(file: h5py.File, secret: Path) -> None:
    file.create_dataset("x", (3, 3), h5py.string_dtype())


def _matlab_complex(file: h5py.File, secret: Path) -> None:
    file["x"] = np.zeros((3, 3), [("real", "f8"), ("imag", "f8")])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_external_link, r"is a link into the file '.*secret\.h5'"),
        (_external_link_beside, r"given/secret\.h5: file not found"),
        (_soft_to_external, r"is a link into the file '.*secret\.h5'"),
        (_external_storage, "stores its values in another file"),
        (_virtual("{}"), "outside its own folder"),
        (_virtual("../secret.h5"), "outside its own folder"),
        (_virtual("link.h5"), "outside its own folder"),
        (_virtual("gone.h5"), "file not found"),
        (_virtual_counted, "outside its own folder"),
        (_virtual_repeated, "has regions that no source file covers"),
        (_virtual_with_a_hole, "has regions that no source file covers"),
        (_virtual_of_virtual, "takes its values from other files"),
        (_eight_terabytes, "declares 8796093022208 bytes, but only 0 are stored"),
        (_eight_terabytes_compressed, "declares 8796093022208 bytes"),
        (_compressed_and_cut_short, "declares 300 bytes, but only"),
        (_contiguous_never_written, "but only 0 are stored"),
        (_objects, "not numbers"),
        (_matlab_complex, "complex numbers"),
    ],
)
def test_an_hdf5_file_that_reaches_out_or_boasts_is_refused(
    make: Callable[[h5py.File, Path], None], message: str, tmp_path: Path
) -> None:
    secret = _secret(tmp_path)
    (tmp_path / "given").mkdir()
    (tmp_path / "given/link.h5").symlink_to(secret)
    with h5py.File(tmp_path / "given/a.h5", "w") as file:
        make(file, secret)
    with pytest.raises(DataError, match=message):
        read_patterns(tmp_path / "given/a.h5", dataset="x")


def test_a_virtual_dataset_over_files_beside_it_is_read(tmp_path: Path) -> None:
    _secret(tmp_path)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        _virtual("secret.h5")(file, tmp_path)
    np.testing.assert_array_equal(read_patterns(tmp_path / "a.h5")[0], STACK)


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIMIT", 10_000_000)
    zeros = np.zeros((3, 1000, 1000), np.float32)
    scipy.io.savemat(tmp_path / "a.mat", {"x": zeros}, do_compression=True)
    tifffile.imwrite(tmp_path / "a.tif", zeros, compression="zlib", photometric="minisblack")
    np.savez_compressed(tmp_path / "a.npz", zeros)
    np.save(tmp_path / "a.npy", zeros)
    (tmp_path / "a.npy.gz").write_bytes(gzip.compress((tmp_path / "a.npy").read_bytes()))
    for name in ("a.mat", "a.tif", "a.npz", "a.npy.gz"):
        with pytest.raises(
            DataError, match="takes 12000000 bytes, more than the limit of 10000000"
        ):
            read_patterns(tmp_path / name)


def test_a_mat_file_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"x": np.zeros((100, 100))})
    data = path.read_bytes()
    lie = data.replace(struct.pack("<ii", 100, 100), struct.pack("<ii", 100, 2**30))
    assert lie != data
    path.write_bytes(lie)
    with pytest.raises(DataError, match="107374182400 values has only 80000 bytes"):
        read_patterns(path)


def test_a_mat_variable_that_is_no_number_is_refused(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.array([[{"a": 1}]], object)})
    with pytest.raises(DataError, match=r"MATLAB (cell|struct)"):
        read_patterns(tmp_path / "a.mat", dataset="x")


def _tiff(*, width: int, height: int, next_ifd: int) -> bytes:
    """Return a TIFF of one page of deflated zeros, which may say that another page follows."""
    body = zlib.compress(bytes(100), 9)
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
    ]
    at = 8 + len(body)
    ifd = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    head = struct.pack("<2sHI", b"II", 42, at)
    return head + body + ifd + struct.pack("<I", at if next_ifd else 0)


def test_a_tiff_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(_tiff(width=60_000, height=60_000, next_ifd=0))
    with pytest.raises(DataError, match="more than can be stored in its file"):
        read_patterns(tmp_path / "a.tif")


def test_a_tiff_whose_pages_go_in_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(_tiff(width=10, height=10, next_ifd=1))
    try:
        got, _ = read_patterns(tmp_path / "a.tif")
    except DataError:
        return
    assert got.shape == (1, 10, 10)


def test_ome_metadata_that_name_another_file_open_none(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "b.ome.tif", STACK[:2], metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as other:
        uuid = other.ome_metadata.split('UUID="')[1].split('"')[0]
    xml = f"""<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"
 UUID="urn:uuid:00000000-0000-0000-0000-000000000000"><Image ID="Image:0"><Pixels ID="Pixels:0"
 DimensionOrder="XYCZT" Type="float" SizeX="5" SizeY="5" SizeC="1" SizeZ="1" SizeT="3">
<TiffData FirstT="0" IFD="0" PlaneCount="1"/><TiffData FirstT="1" IFD="0" PlaneCount="2">
<UUID FileName="b.ome.tif">{uuid}</UUID></TiffData></Pixels></Image></OME>"""
    tifffile.imwrite(tmp_path / "a.ome.tif", ONE, description=xml, metadata=None)
    got, _ = read_patterns(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(got, ONE[None])


def test_a_stack_of_frames_is_bounded_frame_by_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIMIT", 10_000)
    zeros = np.zeros((3, 49, 49), np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=zeros, compression=9)
        file.create_dataset("y", data=np.zeros((3, 51, 51), np.float32), compression=9)
    np.save(tmp_path / "a.npy", zeros)
    assert len(open_frames(tmp_path / "a.npy")) == len(open_frames(tmp_path / "a.h5", dataset="x"))
    with pytest.raises(DataError, match="takes 10404 bytes, more than the limit of 10000"):
        read_patterns(tmp_path / "a.h5", dataset="y")


def test_tiff_pages_of_another_size_are_left_out_and_said(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(ONE)
        file.write(np.ones((4, 4), np.float32))
    frames = open_frames(tmp_path / "a.tif")
    assert (len(frames), frames.shape) == (1, (5, 5))
    assert "1 of 2 pages" in frames.notes[0]


def test_other_ways_of_packing_that_python_unpacks_without_a_limit_are_refused(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", b"")
    with pytest.raises(DataError, match=r"a\.npz: is packed in a way"):
        open_frames(tmp_path / "a.npz")


def test_a_packed_file_for_fabio_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fabio")
    (tmp_path / "a.edf.gz").write_bytes(gzip.compress(bytes(33 * 2**20), 1))
    with pytest.raises(DataError, match=r"a\.edf\.gz: unpacks to more than 33554432 bytes"):
        open_frames(tmp_path / "a.edf.gz")
