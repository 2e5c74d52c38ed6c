"""The components of an experiment: created, their options written out, or built to a pipeline.

The one place where names of an experiment file become objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np

from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Role
from speckle_core.errors import ExperimentError
from speckle_core.experiment.option_files import hashes_of_files
from speckle_core.experiment.schema import Choice, override
from speckle_core.experiment.sections import Grid
from speckle_core.plugins.component import check_options, options_of
from speckle_core.plugins.manager import PluginManager, plugin_manager

if TYPE_CHECKING:
    from speckle_core.experiment.pipeline import Pipeline

#: Keys of the file whose components make patterns, and keys whose components process them.
SIMULATION = ("structure", "scattering", "detector")
READING = ("prepare", "classifier", "baselines", "explainers")
#: The explainer of any classifier, since it needs nothing but predictions.
ANY_EXPLAINER = "occlusion"
#: Path in the file, role and choice.
Chosen: TypeAlias = tuple[str, Role, Choice]


def create(manager: PluginManager | None, path: str, role: Role, choice: Choice) -> Any:
    """Return the chosen component; `path` says where the choice stands, for error messages."""
    manager = manager or plugin_manager()
    return manager.create(role, choice.name, choice.options, where=path)


def grid_of(grid: Grid, sampler: Choice, manager: PluginManager | None) -> KGrid:
    """Return the grid; where it has no step, the step is π / box of the sampler."""
    step = grid.step
    if step is None:
        made = create(manager, "structure.sampler", "sampler", sampler)
        box = getattr(made, "box", None)
        if box is None:
            raise ExperimentError(
                f"no default: the sampler {sampler.name!r} has no 'box'",
                where="grid.step",
                hint="Set grid.step in the file.",
            )
        step = float(np.pi / box)
    return KGrid(grid.layout, grid.size, step)


def write_defaults(
    data: dict[str, Any],
    choices: Iterable[Chosen],
    manager: PluginManager | None,
    only: Collection[str],
) -> None:
    """Write every default of the chosen components into `data`; with `only`, below these keys."""
    manager = manager or plugin_manager()
    for path, role, choice in choices:
        if only and path.partition(".")[0] not in only:
            continue
        factory = manager.factory(role, choice.name)
        given = check_options(factory, choice.options, path)
        full = {o.name: given.get(o.name, o.default) for o in options_of(factory)}
        full |= hashes_of_files(factory, full, path)
        override(data, path, attrs.evolve(choice, options=full).to_dict())


def build(
    choices: Iterable[Chosen],
    grid: KGrid,
    manager: PluginManager | None,
    only: Collection[str],
    where: str,
) -> Pipeline:
    """Return the pipeline of the chosen components below the keys of `only`."""
    from speckle_core.experiment.pipeline import Pipeline

    parts: dict[str, dict[str, Any]] = {part: {} for part in SIMULATION + READING}
    for path, role, choice in choices:
        part, _, place = path.partition(".")
        if part in only:
            # A preprocessor may occur twice, so its position is its key; others have labels.
            key = place if part == "prepare" else choice.key
            parts[part][key] = create(manager, f"{where}{path}", role, choice)
    sampler, scatterer, detector, classifier = (
        next(iter(parts[part].values()), None) for part in (*SIMULATION, "classifier")
    )
    return Pipeline(
        sampler=sampler,
        scatterer=scatterer,
        detector=detector,
        grid=grid,
        prepare=parts["prepare"].values(),
        classifier=classifier,
        baselines=parts["baselines"],
        explainers=parts["explainers"],
    )
