"""Checkpoints of a training: their files, and how they are verified.

After each epoch the tensors are written atomically to files named by the epoch, then
`checkpoint.json` with their names and SHA-256. Only files named there belong to the checkpoint,
whatever an interruption left behind. The previous checkpoint is kept in case the last one is
damaged. Pure NumPy; the trainer decides which tensors there are.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from safetensors.numpy import save

from speckle_core import (
    DamageWarning,
    Epoch,
    ModelError,
    OutputError,
    PatternSet,
    make_folder,
    read_json,
    sweep,
    write_bytes,
    write_json,
)
from speckle_networks.framework import Weights
from speckle_networks.weights import read_tensors

INDEX, BEFORE = "checkpoint.json", "checkpoint-before.json"
FORMAT = "speckle-checkpoint-1"
_FRESH = "Use another folder, or delete this one to train from the start."


@attrs.frozen(eq=False)
class State:
    """A training after a finished epoch.

    Parameters
    ----------
    history : list of Epoch
        The finished epochs.
    tensors : dict of str to array
        Weights and the state of the optimiser.
    best : dict of str to array, optional
        The weights after epoch `best_epoch`, if any.
    best_epoch : int
        0 if there is none.
    """

    history: list[Epoch]
    tensors: Weights
    best: Weights | None
    best_epoch: int


def identity(
    options: Mapping[str, Any], seed: int, train: PatternSet, valid: PatternSet
) -> dict[str, Any]:
    """Return what must match for a training to resume: options, seed, and a digest of each set.

    A digest covers labels, classes, grid, preparation and the raw values of four patterns.
    """
    digests = {
        f"{name} patterns": _digest(patterns)
        for name, patterns in (("training", train), ("validation", valid))
    }
    return {**options, "seed": seed, **digests}


def _digest(patterns: PatternSet) -> str:
    digest = hashlib.sha256(repr((patterns.grid, patterns.steps)).encode())
    for values in (patterns.labels, patterns.classes):
        digest.update(values.tobytes())
    if patterns.values is not None:
        digest.update(patterns.values.tobytes())
    if len(patterns):
        spread = np.linspace(0, len(patterns) - 1, 4).astype(np.int64)
        digest.update(patterns.raw(spread).tobytes())
    return digest.hexdigest()[:16]


@attrs.frozen
class Checkpoint:
    """The checkpoint in `folder` of the training with this `identity`."""

    folder: Path
    identity: dict[str, Any]

    def write(self, state: State) -> None:
        """Replace the checkpoint by `state`; a kill at any time leaves the old or the new one.

        Raises
        ------
        OutputError
            When a file cannot be written.
        """
        make_folder(self.folder)
        try:
            before = _read_index(self.folder / INDEX) or {}
        except ModelError:  # damaged since it was read
            before = {}
        index: dict[str, Any] = {
            "format": FORMAT,
            "identity": self.identity,
            "best_epoch": state.best_epoch,
            "last": self._write_tensors(f"last-{len(state.history):04}", state.tensors),
            "best": before.get("best"),
            "history": [[_plain(v) for v in attrs.astuple(epoch)] for epoch in state.history],
        }
        if state.best is not None and before.get("best_epoch") != state.best_epoch:
            index["best"] = self._write_tensors(f"best-{state.best_epoch:04}", state.best)
        if before:
            write_json(self.folder / BEFORE, before)
        write_json(self.folder / INDEX, index)
        self._sweep()

    def _sweep(self) -> None:
        """Remove tensors that neither checkpoint names, as an interrupted write leaves them."""
        kept: set[str] = set()
        for name in (INDEX, BEFORE):
            try:
                index = _read_index(self.folder / name) or {}
            except ModelError:
                return
            kept |= {index[part]["file"] for part in ("last", "best") if index.get(part)}
        for path in self.folder.glob("*.safetensors"):
            if path.name not in kept:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise OutputError(f"cannot be removed: {error}", where=str(path)) from error
        sweep(self.folder)

    def _write_tensors(self, name: str, tensors: Weights) -> dict[str, str]:
        content = save(tensors)
        write_bytes(self.folder / f"{name}.safetensors", content)
        return {"file": f"{name}.safetensors", "sha256": hashlib.sha256(content).hexdigest()}

    def read(self, like: Weights, best_like: Weights) -> State | None:
        """Return the state in the folder, or None if there is none.

        Its tensors, and the best weights, must have the names, shapes and types of the given ones.

        If the checkpoint is damaged, warn with `DamageWarning` and use the previous one.

        Raises
        ------
        ModelError
            When it belongs to a training with other options, seed or patterns, or both are damaged.
        """
        self._sweep()
        try:
            if not (self.folder / INDEX).exists() and (self.folder / BEFORE).exists():
                raise _DamagedError("the file is missing", where=str(self.folder / INDEX))
            return self._read(INDEX, like, best_like)
        except _DamagedError as error:
            if not (self.folder / BEFORE).exists():
                raise
            state = self._read(BEFORE, like, best_like)
            # The next write must not rely on files of the damaged one.
            write_json(self.folder / INDEX, _read_index(self.folder / BEFORE) or {})
            epochs = len(state.history) if state else 0
            text = f"{error.where}: {error.what}; resuming after epoch {epochs}"
            warnings.warn(text, DamageWarning, stacklevel=2)
            return state

    def _read(self, name: str, like: Weights, best_like: Weights) -> State | None:
        index = _read_index(self.folder / name)
        if index is None:
            return None
        place = str(self.folder / name)
        try:
            theirs = dict(index["identity"])
            history = [Epoch(*(_number(v) for v in epoch)) for epoch in index["history"]]
            files = {part: index[part] for part in ("last", "best")}
            best_epoch = int(index["best_epoch"])
            intact = {
                p: _intact(self.folder, f["file"], f["sha256"]) for p, f in files.items() if f
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _DamagedError("the checkpoint is damaged", where=place, hint=_FRESH) from error
        differing = [
            f"{key} was {theirs.get(key)!r}, but is now {self.identity.get(key)!r}"
            for key in {**theirs, **self.identity}
            if theirs.get(key) != self.identity.get(key)
        ]
        if differing:
            raise ModelError(
                f"the checkpoint belongs to another training: {'; '.join(differing)}",
                where=place,
                hint=_FRESH,
            )
        return State(
            history=history,
            tensors=read_tensors(intact["last"], like),
            best=read_tensors(intact["best"], best_like) if "best" in intact else None,
            best_epoch=best_epoch,
        )


class _DamagedError(ModelError):
    """A damaged checkpoint; the previous one may be usable."""


def _read_index(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        index = read_json(path)
    except (OSError, ValueError) as error:
        raise _DamagedError(
            f"the checkpoint is damaged: {error}", where=str(path), hint=_FRESH
        ) from error
    if index.get("format") != FORMAT:
        raise ModelError(f"this is not a {FORMAT}", where=str(path), hint=_FRESH)
    return index


def _intact(folder: Path, name: str, digest: str) -> Path:
    path = folder / Path(name).name
    try:
        if not path.is_file():
            raise FileNotFoundError(path)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _DamagedError("the file is missing", where=str(path), hint=_FRESH) from error
    if found != digest:
        raise _DamagedError(
            "the file is damaged: its SHA-256 differs", where=str(path), hint=_FRESH
        )
    return path


def _plain(value: float) -> float | str:
    """Replace NaN, which JSON lacks; losses without a validation set are NaN."""
    return value if math.isfinite(value) else str(value)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return float(value)
    if type(value) not in (int, float):
        raise ValueError(value)
    return value
