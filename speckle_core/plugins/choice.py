"""Which component a name means."""

from __future__ import annotations

from collections.abc import Sequence

from speckle_core.contracts.roles import Role
from speckle_core.errors import AmbiguousComponentError, UnknownComponentError, nearest
from speckle_core.plugins.records import Failure, Registered


def choose(
    role: Role, name: str, choices: Sequence[Registered], failures: Sequence[Failure]
) -> Registered:
    """Return the one of `choices` called `name`, or ``distribution/name``.

    Raises
    ------
    UnknownComponentError, AmbiguousComponentError
        The message says what to write instead; a plugin among `failures` may have had it.
    """
    matches = [r for r in choices if name in (r.component.name, r.qualified)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise AmbiguousComponentError(
            f"{len(matches)} plugins provide the {role} {name!r}: "
            + ", ".join(str(r.provider) for r in matches),
            hint="Write " + " or ".join(repr(r.qualified) for r in matches) + ".",
        )
    hints = []
    if near := nearest(name, (r.component.name for r in choices)):
        hints.append("Did you mean " + " or ".join(repr(n) for n in near) + "?")
    if failures:
        failed = "; ".join(f"{f.provider}: {f.cause}" for f in failures)
        hints.append(f"It may be in a plugin that was left out ({failed}).")
    known = ", ".join(r.component.name for r in choices) or "none"
    hints.append(f"Installed: {known}.")
    raise UnknownComponentError(f"unknown {role} {name!r}", hint=" ".join(hints))
