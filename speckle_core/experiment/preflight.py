"""Whether every component that an experiment names can be made: all faults, not the first alone."""

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
    """Return what is wrong with the components of `experiment`, in the order of its keys.

    Options are checked of every component; those below the keys `only`, or all, are also made.
    `where` names the file.
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
            found.append(_placed(error, path, choice, where))
        except SpeckleError as error:
            found.append(error)
    return found


def _placed(error: OptionError, path: str, choice: Choice, file: str) -> OptionError:
    """Name the key, the component and the file; a component itself knows only its option."""
    place = error.where or ""
    if not place.startswith(path):
        place = f"{path}.{place}".rstrip(".")
    if path.partition(".")[2].isdecimal():
        place = f"{place} ({choice.name})"  # a number in a list says little
    return OptionError(error.what, where=f"{file}: {place}" if file else place, hint=error.hint)
