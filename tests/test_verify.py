"""verify on data sets, models and runs: every flip and every truncation is found or harmless."""

from __future__ import annotations

import json
import random
import shutil
import warnings
from pathlib import Path

import pytest

from speckle_core import DamageWarning, Experiment, ModelError, OutputError, SpeckleError
from speckle_core.models.folder import load_model
from speckle_core.run import Run
from speckle_core.verify import verify

FLIPS = 60


def experiment() -> Experiment:
    return Experiment.from_dict(
        {
            "name": "small",
            "seed": 3,
            "structure": {"counts": [2, 3], "patterns_per_count": 8},
            "grid": {"size": 17},
            "split": {"train": 10, "valid": 2, "test": 4},
            "classifier": {"name": "radial-lda"},
            "baselines": ["first-moment"],
        }
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "run"
    Run.begin(experiment(), folder).execute(workers=1)
    return folder


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "run"))


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_finished_run_its_data_and_its_model_are_whole(done: Path) -> None:
    for folder in (done, done / "data", done / "model"):
        assert verify(folder).ok


def test_random_flips_and_truncations_of_all_files_are_found_or_harmless(copy: Path) -> None:
    rng = random.Random(4)
    names = files(copy)
    missed = []
    for number in range(FLIPS):
        path = copy / names[number % len(names)]
        whole = path.read_bytes()
        if number % 3:
            damaged = bytearray(whole)
            damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        else:
            damaged = bytearray(whole[: rng.randrange(len(whole))])
        path.write_bytes(damaged)
        try:
            found = not verify(copy).ok
        except SpeckleError:
            found = True
        # experiment.toml is for readers: nothing is made from it, and a run writes it again.
        if not found and path.name != "experiment.toml":
            missed.append((path.name, number))
        path.write_bytes(whole)
    assert missed == []


@pytest.mark.parametrize(
    "name",
    [
        "data/shards/00000.h5",
        "data/patterns.h5",
        "model/classifier/rule.safetensors",
        "model/history.csv",
        "evaluation/radial-lda/predictions.csv",
        "report.html",
    ],
)
def test_repair_restores_what_was_damaged_in_a_run(name: str, copy: Path) -> None:
    before = {n: (copy / n).read_bytes() for n in files(copy)}
    (copy / name).write_bytes(before[name][:-7])
    assert [p.name for p in verify(copy).problems] == [name]
    report = verify(copy, repair=True)
    assert report.ok
    assert name in report.repaired
    # Times are measured anew; everything else comes out as it was.
    timed = ("run.json", "model/history.csv", "model/model.toml", "report.html")
    assert {n: (copy / n).read_bytes() for n in files(copy) if n not in timed} == {
        n: data for n, data in before.items() if n not in timed
    }


def test_repair_of_notes_looks_at_what_is_there(copy: Path) -> None:
    (copy / "run.json").write_text(
        (copy / "run.json").read_text().replace('"seed": 3', '"seed": 4')
    )
    with pytest.raises(OutputError, match="was changed"):
        verify(copy)
    assert verify(copy, repair=True).repaired == ("run.json",)
    assert Run.open(copy).experiment.seed == 3


def test_a_run_does_a_stage_again_whose_file_is_damaged(copy: Path) -> None:
    path = copy / "evaluation" / "radial-lda" / "metrics.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    with pytest.warns(DamageWarning, match="evaluate is repeated"):
        Run.begin(experiment(), copy).execute(workers=1)
    assert path.read_bytes() == whole


def test_a_run_brings_back_what_was_removed(copy: Path) -> None:
    for name in ("report.html", "experiment.toml", "data/shards/00000.h5"):
        (copy / name).unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        Run.begin(experiment(), copy).execute(workers=1)
    assert verify(copy).ok
    assert (copy / "experiment.toml").exists()


def test_a_model_with_a_flipped_bit_is_not_loaded(copy: Path) -> None:
    path = copy / "model" / "classifier" / "rule.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(copy / "model")
    assert not verify(copy / "model", repair=True).ok


def test_a_damaged_note_of_how_a_training_began_is_named(copy: Path) -> None:
    path = copy / "model" / "training.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    (problem,) = verify(copy / "model").problems
    assert problem.name == "training.json"
    assert "was changed" in problem.what


def test_a_run_removes_locks_and_a_journal_that_were_left_in_finished_stages(copy: Path) -> None:
    before = files(copy)
    for name in ("data/.speckle-lock", "data/manifest.journal", "model/.speckle-lock"):
        (copy / name).touch()
    Run.begin(experiment(), copy).execute(workers=1)
    assert files(copy) == before


def test_a_set_whose_record_is_wrong_is_told_from_one_whose_data_are(copy: Path) -> None:
    path = copy / "data" / "manifest.json"
    manifest = json.loads(path.read_text())
    whole = path.read_bytes()
    manifest["shards"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    with pytest.raises(SpeckleError, match="was changed"):
        verify(copy / "data")
    report = verify(copy / "data", repair=True)
    assert report.ok
    assert set(report.records) == {"shards/00000.h5", "manifest.json"}
    assert path.read_bytes() == whole


def test_folders_of_version_0_1_0_are_read_without_checksums(copy: Path) -> None:
    for name in ("run.json", "data/manifest.json"):
        data = json.loads((copy / name).read_text())
        del data["checksum"]
        for stage in data.get("stages", {}).values():
            del stage["files"]
        (copy / name).write_text(json.dumps(data))
    lines = (copy / "model" / "model.toml").read_text().splitlines()
    start = lines.index("[files]")
    end = next(i for i in range(start + 1, len(lines)) if lines[i].startswith("["))
    (copy / "model" / "model.toml").write_text("\n".join(lines[1:start] + lines[end:]))
    assert load_model(copy / "model").record.files == {}
    Run.begin(experiment(), copy).execute(workers=1)
    assert verify(copy).ok
