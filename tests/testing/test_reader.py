"""Each check of readers passes a good one and fails one that is broken just so."""

import pickle

import attrs
import numpy as np
import pytest

from speckle_core import DataError, Frames
from speckle_core.testing import CheckFailed, checks_for


@attrs.frozen(kw_only=True)
class Counts:
    """A good reader of a format with a mark, a width, and bytes."""

    @property
    def suffixes(self):
        return (".counts",)

    def matches(self, head):
        return head.startswith(b"CNT")

    def read(self, path, *, dataset=None, frames_axis=None):
        data = path.read_bytes()
        if not self.matches(data):
            raise DataError("is not counts", where=str(path))
        return Frames.from_array(np.frombuffer(data[4:], "u1").reshape(-1, data[3]))


class Shouting(Counts):
    @property
    def suffixes(self):
        return (".COUNTS",)


class Listed(Counts):
    @property
    def suffixes(self):
        return [".counts"]


class Greedy(Counts):
    def matches(self, head):
        return True


class Credulous(Counts):
    def read(self, path, *, dataset=None, frames_axis=None):
        return Frames.from_array(np.frombuffer(path.read_bytes(), "u1").reshape(2, -1))


class Trusting(Counts):
    def read(self, path, *, dataset=None, frames_axis=None):
        pickle.loads(path.read_bytes())
        raise DataError("is not counts")


class Messy(Counts):
    def read(self, path, *, dataset=None, frames_axis=None):
        path.with_suffix(".cache").touch()
        return super().read(path)


class Vandal(Counts):
    def read(self, path, *, dataset=None, frames_axis=None):
        path.write_bytes(b"")
        return super().read(path)


BROKEN = [
    ("reader.suffixes-are-endings", Shouting, "'.COUNTS' is not an ending in lower case"),
    ("reader.suffixes-are-endings", Listed, "not a tuple"),
    ("reader.matches-its-own", Greedy, "for its own"),
    ("reader.noise-is-refused", Credulous, "read frames out of noise"),
    ("reader.runs-nothing", Trusting, "a pickle in file.counts was run"),
    ("reader.leaves-no-trace", Messy, r"left \['file.cache'\]"),
    ("reader.leaves-no-trace", Vandal, "file.counts has changed"),
]
CHECKS = {check.id: check for check in checks_for("reader")}


@pytest.mark.parametrize("check", checks_for("reader"), ids=str)
def test_a_good_reader_passes(check):
    check.run(Counts)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_reader_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_readers_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}
