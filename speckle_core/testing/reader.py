"""What a reader is held to: it says what it reads, and no file can make it do anything else."""

# ruff: noqa: D401 - a check's docstring is the demand it makes, as users are shown it

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.testing.check import Check, Subject, require

_NOISE = np.random.default_rng(3).bytes(20_000)


class _Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def _tries(subject: Subject, folder: Path, content: bytes) -> Iterator[tuple[Path, Any]]:
    """Read a file of that content under each ending; yield it, and the counts or what was raised.

    The framework turns whatever a reader raises into a `DataError`, so here anything will do.
    """
    reader = subject.make()
    for suffix in reader.suffixes:
        path = folder / f"file{suffix}"
        path.write_bytes(content)
        try:
            found = reader.read(path, dataset=None, frames_axis=None)
            yield path, np.asarray(found[0].counts)
        except Exception as error:
            yield path, error


def suffixes_are_endings(subject: Subject) -> None:
    """Its endings are texts such as '.npy', lower case, and there is one at least."""
    found = subject.make().suffixes
    require(isinstance(found, tuple) and found, f"its suffixes are {found!r}, not a tuple of texts")
    for suffix in found:
        fine = isinstance(suffix, str) and suffix == suffix.lower() and suffix[:1] == "."
        require(fine and len(suffix) > 1, f"{suffix!r} is not an ending in lower case")


def matches_its_own(subject: Subject) -> None:
    """Asked about noise or nothing, it does not take it for its own format."""
    reader = subject.make()
    for head in (b"", b"\0" * 1024, _NOISE[:1024]):
        require(reader.matches(head) is False, f"it takes {head[:8]!r}… for its own")


def noise_is_refused(subject: Subject) -> None:
    """Of a file of noise under one of its endings it makes no frames."""
    with tempfile.TemporaryDirectory() as folder:
        for path, found in _tries(subject, Path(folder), _NOISE):
            require(isinstance(found, Exception), f"it read frames out of noise in {path.name}")


def runs_nothing(subject: Subject) -> None:
    """A pickle under one of its endings is not run."""
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "ran"
        for path, _ in _tries(subject, Path(folder), pickle.dumps(_Bomb(mark))):
            require(not mark.exists(), f"a pickle in {path.name} was run")


def leaves_no_trace(subject: Subject) -> None:
    """Reading changes no file and leaves none behind."""
    with tempfile.TemporaryDirectory() as folder:
        for path, _ in _tries(subject, Path(folder), _NOISE):
            require(path.read_bytes() == _NOISE, f"{path.name} has changed")
            path.unlink()
            left = [entry.name for entry in Path(folder).iterdir()]
            require(not left, f"reading {path.name} left {left}")


CHECKS = (
    Check("reader.suffixes-are-endings", suffixes_are_endings),
    Check("reader.matches-its-own", matches_its_own),
    Check("reader.noise-is-refused", noise_is_refused),
    Check("reader.runs-nothing", runs_nothing),
    Check("reader.leaves-no-trace", leaves_no_trace),
)
