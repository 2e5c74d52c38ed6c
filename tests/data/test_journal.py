"""Shards are recorded in a journal until all are finished; a crash may leave it in any state."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from speckle_core import DataError, Dataset
from speckle_core.contracts.grid import KGrid
from speckle_core.data import manifest as manifests
from speckle_core.data import plan as plans
from speckle_core.data.generate import generate, patterns_there
from speckle_core.data.journal import NAME
from speckle_core.data.plan import plan
from speckle_core.data.verify import verify
from tests.data.fakes import experiment, hashes


@pytest.fixture
def half_made(copy: Path) -> Path:
    """A set whose manifest lists the first of its three shards, and the journal the other two."""
    data = json.loads((copy / "manifest.json").read_text())
    del data["checksum"]
    later, data["shards"], data["master"] = data["shards"][1:], data["shards"][:1], None
    (copy / "manifest.json").write_text(json.dumps(data))
    (copy / "patterns.h5").unlink()
    with manifests.Journal(copy) as journal:
        for record in later:
            journal.add(record)
    return copy


def _cut_off(text: bytes) -> bytes:
    return text[:-20]


def _flip_a_bit(text: bytes) -> bytes:
    return text[:-20] + bytes([text[-20] ^ 1]) + text[-19:]


def _empty(text: bytes) -> bytes:
    return b""


def test_the_journal_counts_as_the_manifest_does(half_made: Path, made: Path) -> None:
    assert patterns_there(experiment(), half_made) == 600
    assert [p.name for p in verify(half_made).problems] == ["patterns.h5"]
    generate(experiment(), half_made, workers=1)
    assert not (half_made / NAME).exists()
    assert (half_made / "manifest.json").read_bytes() == (made / "manifest.json").read_bytes()


@pytest.mark.parametrize(("spoil", "left"), [(_cut_off, 512), (_flip_a_bit, 512), (_empty, 256)])
def test_a_line_that_a_crash_spoilt_is_not_believed(
    spoil: Callable[[bytes], bytes], left: int, half_made: Path, made: Path
) -> None:
    path = half_made / NAME
    path.write_bytes(spoil(path.read_bytes()))
    assert patterns_there(experiment(), half_made) == left
    # A line appended to one that was cut off is whole.
    generate(experiment(), half_made, workers=1)
    assert hashes(half_made) == hashes(made)
    assert verify(half_made).ok


def test_repair_finishes_what_the_journal_begins(half_made: Path, made: Path) -> None:
    (half_made / NAME).write_bytes(b"\n\xff no record\n" + (half_made / NAME).read_bytes()[:-30])
    assert verify(half_made, repair=True).ok
    assert not (half_made / NAME).exists()
    assert hashes(half_made) == hashes(made)


def test_a_journal_that_names_another_file_is_refused(half_made: Path) -> None:
    record = json.loads((half_made / "manifest.json").read_text())["shards"][0]
    with manifests.Journal(half_made) as journal:
        journal.add(record | {"name": "../../secret.h5"})
    with pytest.raises(DataError, match=r"manifest\.journal: lists '\.\./\.\./secret\.h5'"):
        Dataset.open(half_made)


def test_the_manifest_is_written_as_often_for_many_shards_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    real = manifests.write_json
    monkeypatch.setattr(manifests, "write_json", lambda p, d: (written.append(p), real(p, d)))
    counts = []
    for each in (256, 8):
        monkeypatch.setattr(plans, "PATTERNS", each)
        written.clear()
        dataset = generate(experiment(each=8), tmp_path / str(each), workers=1)
        counts.append((len(list((dataset.folder / "shards").iterdir())), len(written)))
    (few, for_few), (many, for_many) = counts
    assert (few, many) == (1, 3)
    assert for_few == for_many


def test_a_plan_of_any_size_takes_no_memory() -> None:
    paper = plan(10**12, KGrid.centered(257, 0.1))
    assert len(paper) == 10**12 // 256
    assert paper[-1].name == "shards/3906249999.h5"
    assert paper[-1].first + paper[-1].count == 10**12
    assert [s.number for s in paper[3:5]] == [3, 4]


def test_what_a_manifest_promises_and_does_not_hold_costs_nothing(half_made: Path) -> None:
    data = json.loads((half_made / "manifest.json").read_text())
    data["experiment"]["structure"]["patterns_per_count"] = 10**11
    (half_made / "manifest.json").write_text(json.dumps(data))
    (half_made / NAME).unlink()
    with pytest.raises(DataError, match="is incomplete: 1 of 1171875000 shards"):
        Dataset.open(half_made)
    found = verify(half_made).problems
    assert len(found) < 1100
    assert "more shards have not been made yet" in found[-2].what
