"""Convert a model folder to another classifier component that can read the same files.

Any two components can exchange models if one reads the other's files, which is tried here. Only
the target's framework is imported. Nothing is retrained, and no weight changes.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from speckle_core.contracts.roles import Classifier
from speckle_core.errors import ModelError, OutputError, SpeckleError
from speckle_core.experiment.schema import Choice
from speckle_core.files import empty, make_folder, replaced_folder
from speckle_core.models.folder import PARTS, RECORD, ModelRecord, read_whole, write_record
from speckle_core.models.values import rename_intervals
from speckle_core.plugins.component import check_options, options_of
from speckle_core.plugins.manager import plugin_manager


def convert(source: Path, name: str, target: Path) -> ModelRecord:
    """Write the model in `source` to the new folder `target` as a model of the classifier `name`.

    The new model gets the options that both components have, and keeps the training record.

    Parameters
    ----------
    source : Path
        A complete model folder; it is left unchanged.
    name : str
        The classifier to convert to.
    target : Path
        A folder that is empty or does not exist.

    Returns
    -------
    ModelRecord
        The content of the new ``model.toml``.

    Raises
    ------
    ModelError
        When `source` is not a complete model, or the classifier `name` cannot read its files.
    PluginError
        When there is no such classifier, or its packages are not installed.
    OutputError
        When `target` is not empty or cannot be written.
    """
    record = read_whole(source)
    options = _shared_options(name, record.classifier, source)
    classifier: Classifier = plugin_manager().create("classifier", name, options, where=name)
    if not empty(target):
        raise OutputError("is not empty", where=str(target))
    make_folder(target.parent)
    with replaced_folder(target) as unfinished:
        _copy(source, unfinished)
        _check_reads(classifier, unfinished / "classifier", name, record)
        choice = Choice(name, options)
        rename_intervals(unfinished, record.classifier.key, choice.key)
        return write_record(attrs.evolve(record, classifier=choice), unfinished)


def _shared_options(name: str, choice: Choice, source: Path) -> dict[str, Any]:
    """Return the options of the model's classifier that the classifier `name` also has."""
    factory = plugin_manager().factory("classifier", name)
    known = {option.name for option in options_of(factory)}
    shared = {key: value for key, value in choice.options.items() if key in known}
    return check_options(factory, shared, f"{source / RECORD}: classifier")


def _copy(source: Path, target: Path) -> None:
    """Copy what a model folder holds beside its record: weights, baselines, history, profiles."""
    for part in PARTS:
        root = source / part
        if not os.path.lexists(root):
            continue
        for path in (root, *sorted(root.rglob("*"))):
            copy = target / path.relative_to(source)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                copy.mkdir()
            elif stat.S_ISREG(mode):
                shutil.copyfile(path, copy)
            else:
                # A link in an untrusted folder could point to any file on this machine.
                raise ModelError("is neither a file nor a folder", where=str(path))


def _check_reads(classifier: Classifier, files: Path, name: str, record: ModelRecord) -> None:
    theirs = record.classifier.name
    try:
        classifier.load(files)
    except SpeckleError as error:
        raise ModelError(
            f"{name!r} cannot read the files of {theirs!r}: {error.what}",
            where=error.where and error.where.replace(str(files), "classifier"),
            hint=error.hint,
        ) from error
    if not np.array_equal(classifier.classes, record.classes):
        raise ModelError(
            f"{name!r} reads the classes {classifier.classes.tolist()} from the files of "
            f"{theirs!r}, but model.toml says {list(record.classes)}",
            where=RECORD,
        )
