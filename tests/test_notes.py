"""A record that was changed by one bit, or cut short, is never taken for what was written."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from speckle_core import ModelError, check_safetensors, notes
from speckle_core.models.history import read_history
from speckle_core.models.novelty import TrainingProfiles

DATA = {
    "name": "a",
    "files": {"x/y.h5": "0" * 64},
    "numbers": [1, 2.5, -3],
    "text": "sha256:" + "0" * 64,
}
KINDS = [("json", notes.write_json, notes.read_json), ("toml", notes.write_toml, notes.read_toml)]


@pytest.mark.parametrize(("kind", "write", "read"), KINDS)
def test_what_was_written_is_read(kind, write, read, tmp_path: Path) -> None:
    write(tmp_path / "note", DATA)
    assert read(tmp_path / "note") == DATA


@pytest.mark.parametrize(("kind", "write", "read"), KINDS)
def test_every_flipped_bit_is_noticed_or_changes_nothing(kind, write, read, tmp_path: Path) -> None:
    path = tmp_path / "note"
    write(path, DATA)
    whole = path.read_bytes()
    rng = random.Random(1)
    places = rng.sample(range(8 * len(whole)), 300)
    for place in places:
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        try:
            found = read(path)
        except ValueError:
            continue
        # The one word that can be lost is the checksum's own name: what it vouches for is whole.
        found = {key: value for key, value in found.items() if not str(value).startswith("sha256:")}
        assert found == {k: v for k, v in DATA.items() if k != "text"}


@pytest.mark.parametrize(("kind", "write", "read"), KINDS)
def test_a_record_that_was_cut_short_is_noticed(kind, write, read, tmp_path: Path) -> None:
    path = tmp_path / "note"
    write(path, DATA)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        if read is notes.read_toml and not whole[:length].strip():
            continue
        with pytest.raises(ValueError, match=r"."):
            read(path)


def test_a_record_without_a_checksum_is_one_of_version_0_1_0(tmp_path: Path) -> None:
    (tmp_path / "note").write_text('{"a": 1}')
    assert notes.read_json(tmp_path / "note") == {"a": 1}


@pytest.mark.parametrize(
    "text",
    ["[" * 10**5, '{"a":' * 10**5, "1" * 5000, "[]", '{"checksum": 3}', '{"checksum": "sha256:x"}'],
)
def test_json_from_anywhere_is_one_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "note").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        notes.read_json(tmp_path / "note")


def test_a_text_that_is_too_large_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * 101)
    with pytest.raises(ValueError, match="101 bytes, more than the limit of 100"):
        notes.read_text(tmp_path / "large", largest=100)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        notes.read_text(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["rule.safetensors", "familiar.json", "history.csv"])
def test_no_file_of_a_model_is_waited_for_or_read_without_end(name: str, tmp_path: Path) -> None:
    read = {
        "rule.safetensors": lambda: check_safetensors(tmp_path / name, 100),
        "familiar.json": lambda: TrainingProfiles.load(tmp_path),
        "history.csv": lambda: read_history(tmp_path),
    }[name]
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelError, match="not a regular file"):
        read()
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="not a regular file"):
        read()


def test_damage_names_what_is_missing_changed_or_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret").write_text("s")
    for name in ("whole", "changed"):
        (home / name).write_text("x")
    recorded = notes.digests(home, ["whole", "changed"]) | {
        "gone": "0",
        "../secret": "0",
        "/etc/passwd": "0",
    }
    (home / "changed").write_text("y")
    found = notes.find_damage(home, recorded)
    assert set(found) == {"changed", "gone", "../secret", "/etc/passwd"}
    assert found["gone"] == "is missing"
    assert found["../secret"] == found["/etc/passwd"] == "is a link out of the folder"
