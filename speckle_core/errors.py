"""The one exception tree of the framework.

Whatever a user can cause raises a `SpeckleError`, so that the command line can print it without a
traceback and a script can catch one class. A message says what is wrong, where, and what to do
next; this module must not know how it is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpeckleError(Exception):
    """Base of every error that a user, and not a defect of ours, causes.

    Parameters
    ----------
    what : str
        What is wrong, as one sentence without a final full stop.
    where : str, optional
        The file, key, dataset or component concerned.
    hint : str, optional
        What to do next.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (generation workers); keyword-only arguments need help to.
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _rebuild(
    cls: type[SpeckleError], what: str, where: str | None, hint: str | None
) -> SpeckleError:
    return cls(what, where=where, hint=hint)


class ExperimentError(SpeckleError):
    """An experiment file, a preset or a ``--set`` says something that cannot be."""


class OptionError(ExperimentError):
    """A component was given an option it does not have, or a value of the wrong type."""


class PluginError(SpeckleError):
    """A plugin is broken, or behaves otherwise than its role demands."""


class UnknownComponentError(PluginError):
    """No loaded plugin has a component of that name in that role."""


class AmbiguousComponentError(PluginError):
    """Two plugins offer a component of that name in one role."""


class MissingDependencyError(PluginError):
    """A component needs a package that is not installed."""


class PackingError(SpeckleError):
    """The particles asked for cannot be placed without overlap."""


class DataError(SpeckleError):
    """A file or array of patterns is missing, damaged, foreign or unfit."""


class PatternError(DataError):
    """The values of a pattern cannot be used: NaN, infinity, no variance, a wrong shape."""


class ModelError(SpeckleError):
    """A model folder is missing, damaged, foreign, or does not fit the data."""


class OutputError(SpeckleError):
    """An output cannot be written: the place holds something else, or the disk is full."""


def nearest(word: object, known: Iterable[object]) -> list[str]:
    """Return the known words nearest to `word` in spelling, best first."""
    return difflib.get_close_matches(str(word), [str(k) for k in known], n=3, cutoff=0.6)
