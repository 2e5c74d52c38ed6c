"""The exception hierarchy.

Every error that a user can cause is a `SpeckleError`, so the command line can print it without a
traceback and a script can catch one class. A message says what is wrong, where, and what to do
next; how it is displayed is up to the caller.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class SplitWarning(UserWarning):
    """A part of a split has no pattern of some class."""


_LONGEST_PLACE = 600


class SlowWarning(UserWarning):
    """Another component does the same much faster; the message names it."""


class DamageWarning(UserWarning):
    """Something was found damaged; the message says what is done about it."""


class SpeckleError(Exception):
    """Base class of every error caused by user input or the environment rather than by a bug.

    Parameters
    ----------
    what : str
        What is wrong, as a sentence without a final full stop.
    where : str, optional
        The file, key, dataset or component in question.
    hint : str, optional
        What to do next.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        where = shorten(self.where or "")
        text = f"{where}: {self.what}" if where else self.what
        return f"{text}\n  {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        # Errors are pickled when a worker process raises them; keyword-only arguments need help.
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _rebuild(
    cls: type[SpeckleError], what: str, where: str | None, hint: str | None
) -> SpeckleError:
    return cls(what, where=where, hint=hint)


class ExperimentError(SpeckleError):
    """An experiment file, a preset or a ``--set`` is invalid."""


class OptionError(ExperimentError):
    """A component was given an unknown option, or a value of the wrong type."""


class PluginError(SpeckleError):
    """A plugin is broken or does not fulfil its role."""


class UnknownComponentError(PluginError):
    """No loaded plugin provides a component of that name in that role."""


class AmbiguousComponentError(PluginError):
    """Several plugins provide a component of that name in one role."""


class MissingDependencyError(PluginError):
    """A component needs a package that is not installed."""


class PackingError(SpeckleError):
    """The requested particles cannot be placed without overlap."""


class DataError(SpeckleError):
    """A file or array of patterns is missing, damaged or unsuitable."""


class PatternError(DataError):
    """A pattern cannot be used: NaN, infinity, zero variance or a wrong shape."""


class ModelError(SpeckleError):
    """A model folder is missing or damaged, or does not match the data."""


class OutputError(SpeckleError):
    """An output cannot be written: the folder contains something else, or the disk is full."""


def printable(text: str, most: int = 2000) -> str:
    """Return `text` safe for a terminal, and shortened to at most `most` characters.

    Newlines and spaces stay; control characters, escapes and marks of writing direction are shown
    as Python escapes.
    """
    cut = text if len(text) <= most else f"{text[:most]}…"
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in cut)


def shorten(place: str) -> str:
    """Return the beginning and end of an overlong path or value."""
    if len(place) <= _LONGEST_PLACE:
        return place
    return f"{place[: _LONGEST_PLACE // 2]}…{place[-_LONGEST_PLACE // 2 :]}"


def combine(faults: Sequence[SpeckleError], kind: type[SpeckleError]) -> SpeckleError:
    """Return one error that lists all `faults`, or the fault itself if there is only one."""
    if len(faults) == 1:
        return faults[0]
    told = "\n".join(f"  - {fault}".replace("\n", "\n  ") for fault in faults)
    return kind(f"{len(faults)} problems\n{told}")


# The cutoff of difflib.get_close_matches. That function orders equal matches alphabetically, which
# would suggest the preset with 513 pixels before the one with 257.
_CLOSE = 0.6
_LONGEST_WORD = 200


def nearest(word: object, known: Iterable[object]) -> list[str]:
    """Return the known words closest in spelling to `word`, best first; equals in given order."""
    if len(str(word)) > _LONGEST_WORD:
        return []
    text = str(word)
    ratios = {str(k): difflib.SequenceMatcher(None, str(k), text).ratio() for k in known}
    close = [k for k, ratio in ratios.items() if ratio >= _CLOSE]
    return sorted(close, key=lambda k: -ratios[k])[:3]
