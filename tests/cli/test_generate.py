from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import Result

from speckle_core import Experiment

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("shards/*")}


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "copy"))


def damage(folder: Path) -> Path:
    shard = next(iter(sorted(folder.glob("shards/*.h5"))))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    return shard


def test_generate_writes_the_patterns_that_python_simulates(data: Path, tiny: Path) -> None:
    pipeline = Experiment.load(tiny).build()
    expected = pipeline.simulate([pipeline.draw(7, 3, 5)])[0]
    with h5py.File(data / "patterns.h5") as file:
        np.testing.assert_array_equal(file["/entry_1/data_1/data"][24 + 3], expected)


def test_generate_gives_the_same_bytes_again_whatever_the_workers(
    data: Path, tiny: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke("generate", tiny, "-o", tmp_path / "d", "--workers", 2)
    assert result.exit_code == 0
    assert result.stdout == f"data: {tmp_path / 'd'} (72 patterns of 33 x 33 pixels)\n"
    assert digests(tmp_path / "d") == digests(data)


def test_json_of_generate_says_what_is_there(tiny: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("generate", tiny, "-o", tmp_path / "d", "--set", "grid.size=17", "--json")
    found = json.loads(result.stdout)
    assert found == {
        "data": str(tmp_path / "d"),
        "patterns": 72,
        "size": 17,
        "step": pytest.approx(np.pi / 2000),
    }


def test_generate_goes_on_where_files_are_missing(copy: Path, tiny: Path, invoke: Invoke) -> None:
    before = digests(copy)
    for shard in copy.glob("shards/*.h5"):
        shard.unlink()
    assert invoke("generate", tiny, "-o", copy).exit_code == 0
    assert digests(copy) == before


def test_generate_refuses_a_folder_of_something_else(
    tiny: Path, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert str(tmp_path) in refused("generate", tiny, "-o", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_workers_of_a_cluster_are_not_ours_to_count(tiny: Path, invoke: Invoke) -> None:
    result = invoke("generate", tiny, "-o", "d", "--scheduler", "tcp://x:1", "--workers", 2)
    assert result.exit_code == 2
    assert "--workers" in result.stderr


def test_a_scheduler_that_does_not_answer_is_named(
    tiny: Path, refused: Refused, tmp_path: Path
) -> None:
    said = refused("generate", tiny, "-o", tmp_path / "d", "--scheduler", "nonsense://")
    assert "nonsense://" in said
    assert not (tmp_path / "d").exists()


def test_verify_finds_an_undamaged_set_whole(data: Path, invoke: Invoke) -> None:
    result = invoke("verify", data)
    assert result.exit_code == 0
    assert result.stdout == f"{data}: intact, 1 shard checked\n"


def test_verify_names_a_flipped_bit_and_repair_brings_the_same_bytes_back(
    copy: Path, invoke: Invoke
) -> None:
    before = digests(copy)
    shard = damage(copy)
    found = invoke("verify", copy)
    assert found.exit_code == 1
    assert f"shards/{shard.name}: " in found.stdout
    assert "--repair" in found.stdout
    repaired = invoke("verify", copy, "--repair")
    assert repaired.exit_code == 0
    assert f"shards/{shard.name}: regenerated" in repaired.stdout
    assert digests(copy) == before


def test_json_of_verify_lists_problems_and_strays(copy: Path, invoke: Invoke) -> None:
    shard = damage(copy)
    (copy / "notes.txt").write_text("mine")
    result = invoke("verify", copy, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["ok"], found["shards"], found["repaired"]) == (False, 1, [])
    assert list(found["problems"]) == [f"shards/{shard.name}"]
    assert found["strays"] == ["notes.txt"]


def test_what_is_there_already_is_no_work_of_this_call(
    tiny: Path, invoke: Invoke, tmp_path: Path
) -> None:
    first = invoke("generate", tiny, "--output", tmp_path / "d", "--workers", 1)
    again = invoke("generate", tiny, "-o", tmp_path / "d", "--workers", 1)
    assert "72 patterns, " in first.stderr
    assert "patterns/s" not in again.stderr
    assert "complete already" in again.stderr
    assert again.stdout == first.stdout


def test_parts_of_an_array_and_the_call_that_collects_them(
    invoke: Invoke, tiny: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d"
    for i in (2, 1):
        said = json.loads(invoke("generate", tiny, "-o", out, "--shard", f"{i}/2", "--json").stdout)
        assert (said["part"], said["of"]) == (i, 2)
    assert not (out / "patterns.h5").exists()
    invoke("generate", tiny, "-o", out)
    assert (out / "patterns.h5").exists()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "half"])
def test_what_is_not_a_part_is_named(
    shard: str, refused: Refused, tiny: Path, tmp_path: Path
) -> None:
    assert "shard: " in refused("generate", tiny, "-o", tmp_path / "d", "--shard", shard)
