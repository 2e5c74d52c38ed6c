"""What ``speckle explain`` was asked for: explainers with their options, and patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.cli.failure import usage
from speckle_core.contracts.arrays import IntArray
from speckle_core.errors import DataError, ExperimentError
from speckle_core.experiment.components import ANY_EXPLAINER
from speckle_core.experiment.presets import parse_setting
from speckle_core.experiment.schema import Choice
from speckle_core.models.folder import read_record


def chosen_explainers(names: list[str], settings: list[str], model: Path) -> tuple[Choice, ...]:
    """Return the requested explainers with options from ``NAME.option=value`` settings."""
    chosen = tuple(map(Choice, names)) or read_record(model).experiment.explainers
    chosen = chosen or (Choice(ANY_EXPLAINER),)
    if not settings:
        return chosen
    options: dict[str, dict[str, Any]] = {c.name: dict(c.options) for c in chosen}
    with usage(ExperimentError):
        for setting in settings:
            key, value = parse_setting(setting)
            name, _, option = key.rpartition(".")
            if name not in options or not option:
                raise ExperimentError(
                    f"{key!r} is not an option of a requested explainer",
                    where="--set",
                    hint=f"Write --set {next(iter(options))}.OPTION=VALUE.",
                )
            options[name][option] = value
    return tuple(Choice(name, given) for name, given in options.items())


def chosen_patterns(index: list[int] | None, patterns: int) -> IntArray | None:
    """Return the indices of ``--index`` in order, if there are so many patterns."""
    for place in index or ():
        if not 0 <= place < patterns:
            raise DataError(
                f"there is no pattern {place}",
                where="--index",
                hint=f"The data set has the patterns 0 to {patterns - 1}.",
            )
    return np.unique(index) if index else None
