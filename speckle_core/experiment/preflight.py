"""Check whether every component of an experiment can be created; reports all faults."""

from __future__ import annotations

from collections.abc import Collection

from speckle_core.errors import OptionError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.schema import Choice
from speckle_core.plugins.component import check_options
from speckle_core.plugins.manager import PluginManager, plugin_manager


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
