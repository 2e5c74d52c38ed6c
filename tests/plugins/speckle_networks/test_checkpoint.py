"""A damaged checkpoint falls back to the one before it, with a warning."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from speckle_core import DamageWarning, Epoch, ModelError
from speckle_networks.checkpoint import Checkpoint, State

LIKE = {"weights": np.zeros(3, np.float32)}


def state(epochs: int) -> State:
    history = [Epoch(n, 3, 1 / n, 0.5, 1 / n, 0.5, 0.0, 0.1) for n in range(1, epochs + 1)]
    best = {"weights": np.full(3, -epochs, np.float32)}
    return State(history, {"weights": np.full(3, epochs, np.float32)}, best, epochs)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    made = Checkpoint(tmp_path, {"seed": 1})
    for epochs in (1, 2):
        made.write(state(epochs))
    return made


def test_two_checkpoints_are_kept_and_the_last_is_read(checkpoint: Checkpoint) -> None:
    assert {path.name for path in checkpoint.folder.iterdir()} == {
        "checkpoint.json",
        "checkpoint-before.json",
        *(f"{kind}-000{n}.safetensors" for kind in ("last", "best") for n in (1, 2)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = checkpoint.read(LIKE, LIKE)
    assert found is not None
    assert found.tensors["weights"].tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "name", ["checkpoint.json", "last-0002.safetensors", "best-0002.safetensors"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped"])
def test_a_damaged_one_falls_back_to_the_one_before(
    name: str, damage: str, checkpoint: Checkpoint
) -> None:
    path = checkpoint.folder / name
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        place = random.Random(0).randrange(len(whole))
        flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        path.write_bytes({"empty": b"", "cut": whole[:-5], "flipped": flipped}[damage])
    with pytest.warns(DamageWarning, match=r"; resuming after epoch 1$") as heard:
        found = checkpoint.read(LIKE, LIKE)
    assert name in str(heard[0].message)
    assert found is not None
    assert found.best is not None
    assert (len(found.history), found.best_epoch) == (1, 1)
    assert found.tensors["weights"].tolist() == [1, 1, 1]
    assert found.best["weights"].tolist() == [-1, -1, -1]

    checkpoint.write(state(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = checkpoint.read(LIKE, LIKE)
    assert again is not None
    assert again.tensors["weights"].tolist() == [2, 2, 2]


def test_two_damaged_ones_are_one_error(checkpoint: Checkpoint) -> None:
    for path in checkpoint.folder.glob("last-*"):
        path.write_bytes(b"")
    with pytest.raises(ModelError, match="SHA-256"):
        checkpoint.read(LIKE, LIKE)


def test_the_one_of_another_training_is_no_reason_to_fall_back(checkpoint: Checkpoint) -> None:
    other = Checkpoint(checkpoint.folder, {"seed": 2})
    with pytest.raises(ModelError, match=r"another training: seed was 1, but is now 2"):
        other.read(LIKE, LIKE)
