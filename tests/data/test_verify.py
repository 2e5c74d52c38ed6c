"""Every fault is found, and mended into the very same bytes."""

from __future__ import annotations

import json
import os
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import DataError, Dataset, OutputError
from speckle_core.data.generate import generate
from speckle_core.data.nexus import EXPERIMENT
from speckle_core.data.verify import Problem, verify
from tests.data.fakes import experiment, hashes, replace_data, vouch

SHARD = "shards/00001.h5"


def test_a_sound_set_is_found_sound(made: Path) -> None:
    told: list[int] = []
    report = verify(made, on_progress=told.append)
    assert report.ok
    assert (report.checked, report.problems, report.repaired, report.strays) == (3, (), (), ())
    assert told == [256, 256, 88]


def _flip(place: float) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        data = bytearray((folder / SHARD).read_bytes())
        data[int(place * (len(data) - 1))] ^= 0x01
        (folder / SHARD).write_bytes(data)

    return spoil


def _truncate(folder: Path) -> None:
    (folder / SHARD).write_bytes((folder / SHARD).read_bytes()[:-1])


def _remove(folder: Path) -> None:
    (folder / SHARD).unlink()


def _no_hdf5(folder: Path) -> None:
    (folder / SHARD).write_bytes(b"x" * (folder / SHARD).stat().st_size)


def _a_folder(folder: Path) -> None:
    (folder / SHARD).unlink()
    (folder / SHARD).mkdir()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        *((_flip(place), "has changed") for place in (0, 0.001, 0.02, 0.5, 0.9, 1)),
        (_truncate, "bytes instead of"),
        (_remove, "is missing"),
        (_no_hdf5, "has changed"),
    ],
)
def test_a_damaged_shard_is_found_and_mended_into_the_same_bytes(
    spoil: Callable[[Path], None], what: str, copy: Path, made: Path
) -> None:
    spoil(copy)
    report = verify(copy)
    assert not report.ok
    (problem,) = report.problems
    assert problem.name == SHARD
    assert what in problem.what

    untouched = (copy / "shards/00000.h5").stat().st_mtime_ns
    mended = verify(copy, repair=True)
    assert mended.ok
    assert mended.repaired == (SHARD,)
    assert hashes(copy) == hashes(made)
    assert (copy / "shards/00000.h5").stat().st_mtime_ns == untouched
    assert verify(copy).ok


def test_generate_does_not_find_a_flipped_byte_and_verify_does(copy: Path) -> None:
    _flip(0.5)(copy)
    generate(experiment(), copy, workers=1)
    assert [p.name for p in verify(copy).problems] == [SHARD]


@pytest.mark.parametrize("spoil", ["remove", "change"])
def test_a_damaged_master_is_found_and_mended(spoil: str, copy: Path) -> None:
    master = copy / "patterns.h5"
    sound = master.read_bytes()
    if spoil == "remove":
        master.unlink()
    else:
        master.write_bytes(sound[:-1] + b"\xff")
    assert [p.name for p in verify(copy).problems] == ["patterns.h5"]
    assert verify(copy, repair=True).repaired == ("patterns.h5",)
    assert master.read_bytes() == sound
    assert verify(copy).ok


def test_a_set_that_is_not_whole_says_what_is_missing_and_repair_makes_it(
    copy: Path, made: Path
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["checksum"]
    manifest |= {"shards": manifest["shards"][:1], "master": None}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "patterns.h5").unlink()
    assert verify(copy).problems == tuple(
        Problem(name, "has not been made yet")
        for name in ("shards/00001.h5", "shards/00002.h5", "patterns.h5")
    )
    assert verify(copy, repair=True).ok
    assert hashes(copy) == hashes(made)
    assert len(Dataset.open(copy)) == 600


def test_a_shard_that_comes_out_otherwise_is_not_written_and_the_versions_are_named(
    copy: Path,
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["checksum"]
    manifest["shards"][1]["sha256"] = "0" * 64
    manifest["versions"]["numpy"] = "1.0"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    _truncate(copy)
    damaged = (copy / SHARD).read_bytes()
    report = verify(copy, repair=True)
    (problem,) = report.problems
    assert problem.name == SHARD
    assert f"numpy 1.0 then, {np.__version__} now" in problem.what
    assert report.repaired == ()
    assert (copy / SHARD).read_bytes() == damaged


def test_what_a_hostile_manifest_vouches_for_is_looked_at_all_the_same(copy: Path) -> None:
    def away(home: h5py.Group) -> None:
        home["data"] = h5py.ExternalLink("/etc/passwd", "/")

    replace_data(copy / SHARD, away)
    vouch(copy, SHARD)
    (problem,) = verify(copy).problems
    assert "is a link into the file '/etc/passwd'" in problem.what


@pytest.fixture
def soon() -> Iterator[None]:
    """End a test that waits for anything after ten seconds."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("repair", [False, True])
def test_a_recipe_in_another_file_is_not_waited_for(repair: bool, copy: Path, soon: None) -> None:
    pipe = copy.parent / "pipe"
    os.mkfifo(pipe)
    with h5py.File(copy / SHARD, "r+") as file:
        del file[EXPERIMENT]
        file.create_dataset(EXPERIMENT, (1,), "S400", external=[(str(pipe), 0, 400)])
    vouch(copy, SHARD)
    (problem,) = verify(copy, repair=repair).problems
    assert "another file" in problem.what or "regenerating it gives other bytes" in problem.what


def test_a_recipe_that_declares_gigabytes_is_not_read(copy: Path) -> None:
    with h5py.File(copy / SHARD, "r+") as file:
        del file[EXPERIMENT]
        file.create_dataset(EXPERIMENT, (100_000,), "S60000", chunks=(1,))
    vouch(copy, SHARD)
    tracemalloc.start()
    (problem,) = verify(copy).problems
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert EXPERIMENT in problem.what
    assert peak < 50e6


def test_repair_writes_through_no_link(copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (copy / "shards").rename(outside)
    (copy / "shards").symlink_to(outside)
    (outside / "00000.h5").unlink()
    (outside / ".unfinished-mine").write_text("x")
    with pytest.raises(OutputError, match="is a link, and speckle does not write through links"):
        verify(copy, repair=True)
    assert sorted(path.name for path in outside.iterdir()) == [
        ".unfinished-mine",
        "00001.h5",
        "00002.h5",
    ]
    assert not verify(copy).ok


def test_a_shard_of_another_experiment_is_found(copy: Path, tmp_path: Path) -> None:
    generate(experiment(seed=9), tmp_path / "other", workers=1)
    (copy / SHARD).write_bytes((tmp_path / "other" / SHARD).read_bytes())
    vouch(copy, SHARD)
    (problem,) = verify(copy).problems
    assert "is another experiment" in problem.what


def test_strangers_in_the_folder_are_named_and_do_no_harm(copy: Path) -> None:
    (copy / "README").write_text("mine")
    (copy / "shards/extra.h5").write_text("mine")
    report = verify(copy)
    assert report.ok
    assert report.strays == ("README", "shards/extra.h5")


def test_without_a_manifest_nothing_can_be_judged(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json is missing"):
        verify(copy)
