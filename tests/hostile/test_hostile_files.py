"""Files made to take memory, time or other files are refused at the cost of an honest file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from tests.hostile import hdf5_files, other_files

MIB = 2**20
#: An honest array here has 7 kB; a reader may take some room besides.
ROOM = 128 * MIB
KINDS = {
    ".h5": hdf5_files.FILES,
    ".tif": other_files.TIFF,
    ".mat": other_files.MATLAB,
    ".npy": other_files.NUMPY,
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Return what each file took to read, by name."""
    home = tmp_path_factory.mktemp("hostile")
    values = np.ones((3, 17, 17))
    np.save(home / "honest.npy", values)
    tifffile.imwrite(home / "honest.tif", values.astype("f4"), photometric="minisblack")
    scipy.io.savemat(home / "honest.mat", {"x": values}, do_compression=True)
    with h5py.File(home / "honest.h5", "w") as file:
        file.create_dataset("x", data=values, compression="gzip", chunks=(1, 17, 17))
    paths = [home / f"honest{suffix}" for suffix in KINDS]
    for suffix, files in KINDS.items():
        for name, write in files.items():
            ending = next(
                (
                    f".npy{e}"[-len(e) - 4 * (e == ".gz") :]
                    for e in (".npz", ".gz")
                    if name.endswith(e[1:])
                ),
                suffix,
            )
            paths.append(home / f"{name}{ending}")
            write(paths[-1])
    # The same bytes as an HDF5 file are a MATLAB file of version 7.3.
    bomb = home / "version_73_with_a_chunk_that_inflates.mat"
    hdf5_files.FILES["a_chunk_that_inflates_without_end"](bomb)
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.measure", *map(str, [*paths, bomb])],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_there_are_forty_and_more(taken: dict[str, dict[str, float]]) -> None:
    assert len(taken) >= 44


def test_honest_files_are_read(taken: dict[str, dict[str, float]]) -> None:
    assert {n: t["status"] for n, t in taken.items() if n.startswith("honest")} == {
        f"honest{suffix}": 0 for suffix in KINDS
    }


def test_hostile_files_are_refused_with_one_error_or_read_for_what_they_hold(
    taken: dict[str, dict[str, float]],
) -> None:
    assert {n: t["status"] for n, t in taken.items() if t["status"] not in (0, 3)} == {}


def test_none_takes_more_memory_than_an_honest_file_and_some_room(
    taken: dict[str, dict[str, float]],
) -> None:
    usual = max(t["peak"] for n, t in taken.items() if n.startswith("honest"))
    above = {n: t["peak"] // MIB for n, t in taken.items() if t["peak"] > usual + ROOM}
    # A child process may take twice as much to list an HDF5 file before it is refused.
    assert all(size < 3 * ROOM // MIB for size in above.values())
    assert all(taken[name]["status"] == 3 and name.endswith(".h5") for name in above)


def test_none_takes_more_than_thirty_seconds(taken: dict[str, dict[str, float]]) -> None:
    assert {n: t["seconds"] for n, t in taken.items() if t["seconds"] > 30} == {}
