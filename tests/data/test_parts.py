"""Parts of a set made by independent jobs: together they are the set that one call makes."""

from __future__ import annotations

import concurrent.futures as cf
import json
from pathlib import Path

import pytest

from speckle_core import DataError, Dataset, OptionError, OutputError
from speckle_core.data import plan as plans
from speckle_core.data.generate import generate, patterns_there
from speckle_core.data.parts import Part, generate_part, missing_in
from speckle_core.data.verify import verify
from tests.data.fakes import experiment, hashes


def test_parts_made_at_the_same_time_are_the_set_of_one_call(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    experiment().resolved()  # finds the plugins, which threads must not do at the same time
    with cf.ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(generate_part, experiment(), folder, Part(i, 3), workers=1)
            for i in (3, 1, 2)
        ]
        for job in jobs:
            job.result()
    assert patterns_there(experiment(), folder) == 600
    assert not (folder / "patterns.h5").exists()
    generate(experiment(), folder, workers=1)
    assert hashes(folder) == hashes(made)
    assert (folder / "manifest.json").read_bytes() == (made / "manifest.json").read_bytes()
    assert {p.name for p in folder.iterdir()} == {p.name for p in made.iterdir()}
    assert verify(folder).ok


def test_an_interrupted_part_goes_on_where_it_stopped(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plans, "PATTERNS", 100)
    folder, part = tmp_path / "set", Part(2, 2)
    with pytest.raises(KeyboardInterrupt):
        generate_part(experiment(), folder, part, workers=1, on_progress=interrupt)
    told: list[int] = []
    left = sum(shard.count for shard in missing_in(experiment(), folder, part)[0])
    generate_part(experiment(), folder, part, workers=1, on_progress=told.append)
    assert sum(told) == left
    assert missing_in(experiment(), folder, part) == ([], 300)
    with pytest.raises(DataError, match="is incomplete: 3 of 6 shards"):
        Dataset.open(folder)
    # The rest may be divided otherwise, or not at all.
    generate_part(experiment(), folder, Part(1, 3), workers=1)
    assert len(generate(experiment(), folder, workers=1)) == 600
    assert verify(folder).strays == ()


def test_a_set_is_not_collected_while_a_part_is_made(tmp_path: Path) -> None:
    def collect(_: int) -> None:
        with pytest.raises(OutputError, match=r"speckle generate --shard 1/3, since"):
            generate(experiment(), tmp_path / "set")
        with pytest.raises(OutputError, match=r"speckle generate --shard 1/3, since"):
            generate_part(experiment(), tmp_path / "set", Part(1, 3))

    generate_part(experiment(), tmp_path / "set", Part(1, 3), workers=1, on_progress=collect)


def test_a_machine_with_other_software_makes_no_part(tmp_path: Path) -> None:
    generate_part(experiment(), tmp_path / "set", Part(1, 3), workers=1)
    path = tmp_path / "set" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["checksum"]
    manifest["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(manifest))
    with pytest.raises(OutputError, match=r"this machine has numpy .* instead of 1\.0"):
        generate_part(experiment(), tmp_path / "set", Part(2, 3), workers=1)


def test_a_folder_of_something_else_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutputError, match="is not empty and contains no data set"):
        generate_part(experiment(), tmp_path, Part(1, 2))
    with pytest.raises(OutputError, match="the data of another experiment"):
        generate_part(experiment(seed=8), made, Part(1, 2))
    assert not (made / "parts").exists()


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/2", "1.0/4"])
def test_what_is_not_a_part_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"part|form i/N"):
        Part.parse(text)


def test_every_shard_is_in_one_part() -> None:
    whole = plans.Plan(1000, 7)
    parts = [list(Part.parse(f"{i}/5").of_plan(whole)) for i in range(1, 6)]
    assert sorted((s for part in parts for s in part), key=lambda s: s.number) == list(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
