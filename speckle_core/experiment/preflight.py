"""Check whether every component of an experiment can be created; reports all faults."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Collection

from speckle_core.contracts.grid import KGrid
from speckle_core.errors import ExperimentError, OptionError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.schema import Choice
from speckle_core.plugins.component import check_options
from speckle_core.plugins.manager import PluginManager, plugin_manager

#: Bytes of a shard at most, unless one pattern has more.
_SHARD = 72 * 2**20


def check_memory(grid: KGrid) -> None:
    """Refuse patterns that this machine cannot hold, before any is simulated.

    Raises
    ------
    ExperimentError
        When a shard of them, and what computes it, takes more than there is.
    """
    # A shard is built in memory and copied once; a wave takes 16 bytes a pixel, a few times over.
    needed = 2 * max(_SHARD, 4 * grid.size**2) + 64 * grid.size**2
    there = _memory()
    if needed > there:
        raise ExperimentError(
            f"patterns of {grid.size} × {grid.size} pixels need about {needed / 2**30:.1f} GiB of "
            f"memory; there are {there / 2**30:.1f}",
            where="grid.size",
        )


def _memory() -> float:
    """Return the bytes of memory that this process may have."""
    found = math.inf
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        found = limit if limit != resource.RLIM_INFINITY else found
        found = min(found, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return found


def component_faults(
    experiment: Experiment,
    only: Collection[str] = (),
    manager: PluginManager | None = None,
    *,
    where: str = "",
) -> list[SpeckleError]:
    """Return the faults of the components of `experiment`, in the order of its keys.

    The options of all components are checked; those below the keys `only` (default: all) are also
    created. `where` is the file.
    """
    manager = manager or plugin_manager()
    found: list[SpeckleError] = []
    for path, role, choice in experiment.choices():
        try:
            if not only or path.partition(".")[0] in only:
                manager.create(role, choice.name, choice.options, where=path)
            else:
                check_options(manager.factory(role, choice.name), choice.options, path)
        except OptionError as error:
            found.append(_locate(error, path, choice, where))
        except SpeckleError as error:
            found.append(error)
    return found


def _locate(error: OptionError, path: str, choice: Choice, file: str) -> OptionError:
    """Return the error with key, component and file; the component knows only its option."""
    place = error.where or ""
    if not place.startswith(path):
        place = f"{path}.{place}".rstrip(".")
    if path.partition(".")[2].isdecimal():
        place = f"{place} ({choice.name})"  # an index alone says little
    return OptionError(error.what, where=f"{file}: {place}" if file else place, hint=error.hint)
