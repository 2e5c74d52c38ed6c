"""Apply ``key=value`` settings to the plain values of an experiment file.

Three settings have side effects, which are returned as notes: replacing a component drops the
options of the old one, a smaller set scales a split given in whole numbers, and fresh training
patterns leave the others alone in the set.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from speckle_core.errors import ExperimentError
from speckle_core.experiment.presets import parse_setting
from speckle_core.experiment.schema import override, structure
from speckle_core.experiment.sections import Structure
from speckle_core.experiment.split import PARTS, Split

_PER_CLASS = "test_per_class"


def apply_settings(
    data: dict[str, Any], settings: Iterable[str], defaults: Mapping[str, str]
) -> list[str]:
    """Apply `settings` to nested `data`; return a sentence for each side effect.

    Parameters
    ----------
    data : dict
        An experiment file as plain values; changed in place.
    settings : iterable of str
        Each ``key.path=value``.
    defaults : mapping of str to str
        Path and name of every default component.

    Raises
    ------
    ExperimentError
        For a setting that cannot be applied.
    """
    before = copy.deepcopy(data)
    given: dict[str, Any] = {}
    notes: list[str] = []
    for key, value in map(parse_setting, settings):
        for path, name in defaults.items():
            if key.startswith(f"{path}.") and _at(data, path) is None:
                override(data, path, {"name": name})
        if key.endswith(".name"):
            notes += _drop_options(data, key.removesuffix(".name"), str(value), given)
        override(data, key, value)
        given[key] = value
    notes += _scale_split(data, before, given)
    if given.get("structure.fresh") is True and _at(before, "structure.fresh") is not True:
        notes += _store_less(data)
    if _at(data, "structure.fresh") is True:
        notes += _spare(data)
    return notes


def _at(data: Any, path: str) -> Any:
    """Return the value at a dotted `path`, or None."""
    for part in path.split("."):
        if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        elif isinstance(data, dict):
            data = data.get(part)
        else:
            return None
    return data


def _drop_options(
    data: dict[str, Any], path: str, name: str, given: Mapping[str, Any]
) -> Iterator[str]:
    """If `name` replaces the component at `path`, remove the old options that are not `given`."""
    table = _at(data, path)
    if not isinstance(table, dict) or table.get("name") in (None, name):
        return
    dropped = [key for key in table if key != "name" and f"{path}.{key}" not in given]
    for key in dropped:
        del table[key]
    if dropped:
        yield (
            f"{path} is now {name}: the options of {table['name']} in the file do not apply "
            f"({', '.join(dropped)})"
        )


def _scale_split(
    data: dict[str, Any], before: dict[str, Any], given: Mapping[str, Any]
) -> Iterator[str]:
    """Scale a split in whole numbers that fitted the set before the settings and no longer does."""
    split = data.get("split")
    if not isinstance(split, dict) or not any(k.startswith("structure") for k in given):
        return
    if _at(before, "structure.fresh") is True:
        return  # the set holds what is not trained on
    try:
        old, new = (structure(d.get("structure", {}), Structure, "") for d in (before, data))
        structure(before.get("split", {}), Split, "").sizes(*_size(old))
    except ExperimentError:
        return  # reported when the whole experiment is read
    if _fits(split, new):
        return
    scaled = dict(split)
    each = new.patterns_per_count / old.patterns_per_count
    whole = _size(new)[0] / _size(old)[0]
    for key in (*PARTS, _PER_CLASS):
        value = split.get(key)
        if isinstance(value, int) and value > 0 and f"split.{key}" not in given:
            scaled[key] = max(1, int(value * (each if key == _PER_CLASS else whole)))
    if isinstance(scaled.get("test"), int) and _PER_CLASS in scaled and "split.test" not in given:
        scaled["test"] = scaled[_PER_CLASS] * len(new.values)
    changed = [key for key in scaled if scaled[key] != split.get(key)]
    if not changed or not _fits(scaled, new):
        return
    data["split"] = scaled
    listed = ", ".join(f"{key} {split[key]} → {scaled[key]}" for key in changed)
    yield f"the split is scaled to the {_size(new)[0]} patterns of this set: {listed}"


def _store_less(data: dict[str, Any]) -> Iterator[str]:
    """Leave the validation and test patterns alone in the set, since training needs no others."""
    try:
        made = structure(data["structure"], Structure, "")
        sizes = structure(data.get("split", {}), Split, "").sizes(*_size(made))
    except ExperimentError:
        return  # reported when the whole experiment is read
    each = -(-(sizes["valid"] + sizes["test"]) // len(made.values))
    data["structure"]["patterns_per_count"] = max(each, 1)
    data["split"] = {**data.get("split", {}), **sizes}
    yield (
        f"only {sizes['valid']} validation and {sizes['test']} test patterns are stored "
        f"(patterns_per_count {made.patterns_per_count} → {max(each, 1)}); the {sizes['train']} "
        "training patterns are new in every epoch"
    )


def _spare(data: dict[str, Any]) -> Iterator[str]:
    """Say how many patterns would be stored for no part of the split, if fewer would do."""
    try:
        made = structure(data["structure"], Structure, "")
        total, classes = _size(made)
        sizes = structure(data.get("split", {}), Split, "").sizes(total, classes, fresh=True)
    except ExperimentError:
        return  # reported when the whole experiment is read
    used = sizes["valid"] + sizes["test"]
    if total - used >= classes:
        yield (
            f"{total - used} of the {total} stored patterns are in no part of the split, since "
            "training patterns are not among them; structure.patterns_per_count="
            f"{max(-(-used // classes), 1)} is enough"
        )


def _size(of: Structure) -> tuple[int, int]:
    """Return the number of patterns and of classes."""
    return len(of.values) * of.patterns_per_count, len(of.values)


def _fits(split: Mapping[str, Any], of: Structure) -> bool:
    try:
        structure(dict(split), Split, "").sizes(*_size(of))
    except ExperimentError:
        return False
    return True
