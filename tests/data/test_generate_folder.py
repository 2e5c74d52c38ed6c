"""Folders that are gone on with, mended or left alone, and what ends a generation early."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs
import h5py
import numpy as np
import pytest

from speckle_core import (
    Component,
    OptionError,
    OutputError,
    PackingError,
    hookimpl,
    plugin_manager,
)
from speckle_core.contracts.grid import KGrid
from speckle_core.data.generate import generate
from speckle_core.data.plan import plan
from speckle_core.data.verify import verify
from tests.data.fakes import experiment, hashes


def test_only_what_is_missing_is_made(copy: Path) -> None:
    (copy / "shards/00001.h5").unlink()
    kept = (copy / "shards/00000.h5").stat().st_mtime_ns
    told: list[int] = []
    generate(experiment(), copy, workers=1, on_progress=told.append)
    assert told[0] == 344
    assert sum(told) == 600
    assert (copy / "shards/00000.h5").stat().st_mtime_ns == kept
    assert verify(copy).ok


def test_a_whole_set_is_left_as_it_is(copy: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()}
    generate(experiment(), copy, workers=1)
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()} == before


def test_a_shard_that_was_not_recorded_is_made_again(copy: Path, made: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["checksum"]
    del manifest["shards"][2]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "shards/00002.h5").write_bytes(b"half")
    (copy / "shards/.unfinished-x").write_bytes(b"left")
    generate(experiment(), copy, workers=1)
    assert hashes(copy) == hashes(made)
    assert not list(copy.rglob(".unfinished-*"))


def test_another_split_of_the_same_patterns_is_noted_and_makes_none_anew(copy: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (copy / "shards").iterdir()}
    split = {"train": 300, "valid": 100, "test": 200}
    found = generate(experiment(split=split), copy, workers=1)
    assert {name: len(part) for name, part in found.split.items()} == split
    assert {p: p.stat().st_mtime_ns for p in (copy / "shards").iterdir()} == before
    assert verify(copy).ok


def _listing(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in sorted(folder.rglob("*"))}


def test_a_folder_of_another_experiment_is_refused_by_key_and_not_touched(copy: Path) -> None:
    before = _listing(copy)
    with pytest.raises(OutputError, match=r"differ in grid\.size \(11, not 9\), grid\.step") as e:
        generate(experiment(size=11, grid={"size": 11, "step": 0.02}), copy)
    assert str(copy) in str(e.value)
    assert _listing(copy) == before


@pytest.mark.parametrize("name", ["notes.txt", "shards/00000.h5", ".git/config"])
def test_a_folder_that_holds_something_else_is_refused_and_not_touched(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = _listing(tmp_path)
    with pytest.raises(OutputError, match="is not empty and contains no data set"):
        generate(experiment(), tmp_path)
    assert _listing(tmp_path) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "else"}', "[" * 100_000])
def test_a_folder_with_a_broken_manifest_is_refused_and_not_touched(text: str, copy: Path) -> None:
    (copy / "manifest.json").write_text(text)
    before = _listing(copy)
    with pytest.raises(OutputError, match=r"manifest\.json"):
        generate(experiment(), copy)
    assert _listing(copy) == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="is a file"):
        generate(experiment(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_second_process_at_work_in_the_folder_is_refused(tmp_path: Path) -> None:
    def busy(_: int) -> None:
        with pytest.raises(OutputError, match="another process"):
            generate(experiment(), tmp_path / "set")

    generate(experiment(), tmp_path / "set", workers=1, on_progress=busy)


def test_what_cannot_be_packed_is_said_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(PackingError, match="95 bricks"):
        generate(experiment(counts=[2, 95]), tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("pool", [False, True])
def test_an_error_in_a_worker_comes_as_itself_and_the_folder_can_be_gone_on_with(
    pool: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speckle_core.data.build_shards._is_brief", lambda *_: not pool)
    with pytest.raises(PackingError, match="no pattern of this one"):
        generate(experiment(scatterer={"fail_at": 3}), tmp_path / "set", workers=2)
    manifest = json.loads((tmp_path / "set/manifest.json").read_text())
    listed = {r["name"].split("/")[1]: r["sha256"] for r in manifest["shards"]}
    assert listed == hashes(tmp_path / "set")


def test_a_full_disk_is_one_error_and_the_folder_can_be_gone_on_with(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, iter(range(100))

    def full(handle: int) -> None:
        if next(calls) >= 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="No space left on device"):
            generate(experiment(), tmp_path / "set", workers=1)
    assert not list((tmp_path / "set").rglob(".unfinished-*"))
    assert len(hashes(tmp_path / "set")) < 3
    generate(experiment(), tmp_path / "set", workers=1)
    assert hashes(tmp_path / "set") == hashes(made)


def test_a_limit_on_file_size_is_one_error_without_a_traceback_of_hdf5(
    tmp_path: Path, run_python: Callable[[str], list[str]]
) -> None:
    script = f"""
import resource
from tests.data.fakes import experiment
from speckle_core import OutputError
from speckle_core.data.generate import generate
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    generate(experiment(), {str(tmp_path / "set")!r}, workers=1)
except OutputError as error:
    print(error)
"""
    # What measures coverage could not write its own file either.
    unmeasured = {name: text for name, text in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        run_python(script), capture_output=True, text=True, timeout=60, env=unmeasured
    )
    assert "shards/00000.h5: cannot be written" in done.stdout
    assert done.stderr == ""
    assert done.returncode == 0
    assert hashes(tmp_path / "set") == {}


def test_a_component_of_this_process_alone_is_used_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import masonry_plugin

    monkeypatch.setattr("speckle_core.data.build_shards._is_brief", lambda *_: False)

    @attrs.frozen(kw_only=True)
    class Mine(masonry_plugin.Masonry):  # type: ignore[misc]
        pass

    class Plugin:
        @hookimpl
        def speckle_samplers(self) -> list[Component]:
            return [Component("mine", Mine, "Only here.")]

    plugin_manager().register(Plugin(), "notebook")
    try:
        mine = experiment(sampler={"name": "mine"})
        assert len(generate(mine, tmp_path / "set", workers=2)) == 600
    finally:
        plugin_manager.cache_clear()


def test_workers_must_be_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="at least 1, not 0"):
        generate(experiment(), tmp_path / "set", workers=0)


def test_shards_follow_one_another_and_hold_256_patterns_or_72_megabytes() -> None:
    paper = plan(19_000, KGrid.centered(257, 0.1))
    assert [s.count for s in paper] == [256] * 74 + [56]
    assert [s.first for s in paper] == [256 * k for k in range(75)]
    assert paper[74].name == "shards/00074.h5"
    assert {s.count for s in plan(71 * 2, KGrid.centered(513, 0.1))} == {71}
    assert 4 * 513**2 * 71 <= 72 * 2**20 < 4 * 513**2 * 72


def test_bodies_of_any_shape_are_stored_field_by_field(tmp_path: Path) -> None:
    mixed = experiment(each=10, sampler={"points": True})
    generate(mixed, tmp_path / "set", workers=1)
    pipeline = mixed.build()
    drawn = [pipeline.draw(n, i, 3) for n in (2, 3, 4) for i in range(10)]
    for name in ("shards/00000.h5", "patterns.h5"):
        with h5py.File(tmp_path / "set" / name) as file:
            home = file["entry_1/particles"]
            assert home["Bricks"].attrs["class"] == "masonry_plugin:Bricks"
            bricks = [c.particles[0] for c in drawn]
            np.testing.assert_array_equal(
                home["Bricks/sides"], np.concatenate([b.sides for b in bricks])
            )
            np.testing.assert_array_equal(
                home["Bricks/pattern_index"], np.repeat(np.arange(30), [len(b) for b in bricks])
            )
            assert home["Bricks/sides"].attrs["units"] == "cubit"
            assert home["Bricks/contrast"][0] == 1 + 0.5j
            # Not one row a body: three rows, or one, to each configuration.
            assert home["Bricks/profile"].attrs["index"] == "profile_pattern_index"
            np.testing.assert_array_equal(
                home["Bricks/profile_pattern_index"], np.repeat(np.arange(30), 3)
            )
            np.testing.assert_array_equal(home["Bricks/density_of"], np.full(30, 2.5))
            assert "note" not in home["Bricks"]
            np.testing.assert_array_equal(
                home["Points/centers"], np.concatenate([c.particles[1].centers for c in drawn])
            )
            np.testing.assert_array_equal(home["Points/pattern_index"], np.arange(30))
            np.testing.assert_array_equal(home["box"], np.full(30, 100.0))
