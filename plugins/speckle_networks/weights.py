"""The tensors of a network on disk, as safetensors and TOML.

A model folder contains `weights.safetensors` (used for prediction), `last.safetensors` (after the
last epoch, if that differs) and `state.toml`. Reading is safe for untrusted files: it runs no code
and takes no more memory than the expected tensors, and needs no framework.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from speckle_core import ModelError, check_safetensors, read_toml, write_bytes, write_text
from speckle_networks.framework import Weights
from speckle_networks.recipe import Standard

WEIGHTS, LAST, STATE = "weights.safetensors", "last.safetensors", "state.toml"
#: A network is built for these before its weights are read, so they bound its memory.
_MOST_CLASSES, _MOST_PIXELS = 10_000, 2**13
#: What safetensors calls the types of tensors.
_TYPES = {"float32": "F32", "float64": "F64", "int64": "I64", "int32": "I32", "bool": "BOOL"}


@attrs.frozen(eq=False)
class Stored:
    """What `state.toml` says of a model.

    Parameters
    ----------
    classes : array of int, (classes,)
        The class of each column.
    size : tuple of int
        (ny, nx) of the training patterns.
    standard : Standard, optional
        Of a network that has learned a value; it has no classes.
    """

    classes: NDArray[np.int64]
    size: tuple[int, int]
    standard: Standard | None = None


def save_model(
    folder: Path, facts: Mapping[str, Any], stored: Stored, weights: Weights, last: Weights | None
) -> None:
    """Write the model folder, each file atomically.

    `facts` are the format and the options that the network depends on.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    write_bytes(folder / WEIGHTS, save(weights))
    if last is not None:
        write_bytes(folder / LAST, save(last))
    state: dict[str, Any] = {**facts, "classes": stored.classes.tolist(), "size": list(stored.size)}
    if stored.standard is not None:
        state["values"] = attrs.asdict(stored.standard)
    write_text(folder / STATE, tomli_w.dumps(state))


def read_state(folder: Path, facts: Mapping[str, Any]) -> Stored:
    """Return what the model folder says of itself, after comparing it with `facts`.

    Raises
    ------
    ModelError
        For a missing or damaged file, another format, or a network with other options.
    """
    path = folder / STATE
    try:
        state = read_toml(path)
    except FileNotFoundError:
        raise ModelError("the file is missing", where=str(path)) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"the file cannot be read: {error}", where=str(path)) from error
    if state.get("format") != facts["format"]:
        raise ModelError(
            f"the format is {state.get('format')!r}, not {facts['format']!r}",
            where=str(path),
            hint="The folder contains the model of another component, or of a newer version.",
        )
    _check_options(state, facts, path)
    classes: Any = state.get("classes")
    size: Any = state.get("size")
    whole = all(
        isinstance(numbers, list) and all(type(n) is int for n in numbers)
        for numbers in (classes, size)
    )
    standard = _standard(state.get("values"), path)
    fits = whole and (len(classes) >= 2 if standard is None else not classes)
    if not fits or len(size) != 2 or sorted(set(classes)) != classes:
        raise ModelError(
            "classes (ascending) and size (two) must be whole numbers", where=str(path)
        )
    if len(classes) > _MOST_CLASSES or not all(0 < pixels <= _MOST_PIXELS for pixels in size):
        raise ModelError(
            f"{len(classes)} classes and {size[0]} × {size[1]} pixels are not those of a network",
            where=str(path),
        )
    return Stored(np.array(classes, dtype=np.int64), (size[0], size[1]), standard)


def _standard(said: Any, path: Path) -> Standard | None:
    if said is None:
        return None
    try:
        found = Standard(float(said["mean"]), float(said["spread"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"its values are damaged: {error}", where=str(path)) from error
    if not (math.isfinite(found.mean) and 0 < found.spread < math.inf):
        raise ModelError("its values have no mean or no spread", where=str(path))
    return found


def _check_options(state: dict[str, Any], facts: Mapping[str, Any], path: Path) -> None:
    """Reject a network with other options, of which `facts` may have a table."""
    for key, given in facts.items():
        theirs = state.get(key)
        if isinstance(given, Mapping):
            table = theirs if isinstance(theirs, dict) else {}
            _check_options(table, given, path)
        elif type(theirs) is not type(given) or theirs != given:
            raise ModelError(
                f"the network has {key} = {theirs!r}, but the options say {given!r}",
                where=str(path),
                hint=f"Set {key} = {theirs!r}, or choose the model of this network.",
            )


def read_weights(folder: Path, like: Weights) -> tuple[Weights, Weights | None]:
    """Return the weights for prediction and those after the last epoch, if they differ.

    Raises
    ------
    ModelError
        For a missing or damaged file, or tensors unlike the given ones.
    """
    last = read_tensors(folder / LAST, like) if (folder / LAST).exists() else None
    return read_tensors(folder / WEIGHTS, like), last


@contextlib.contextmanager
def _opened(path: Path, expected: int) -> Iterator[Any]:
    check_safetensors(path, expected)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the file is damaged or not a safetensors file: {error}", where=str(path)
        ) from error


def read_tensors(path: Path, like: Weights) -> Weights:
    """Read exactly the tensors of `like`, by name, shape and type, from a safetensors file.

    Raises
    ------
    ModelError
        When the file is missing, damaged or too large, or a tensor is missing, unexpected, of a
        wrong shape or type, or not finite.
    """
    found: Weights = {}
    with _opened(path, sum(tensor.nbytes for tensor in like.values())) as file:
        names = set(file.keys())
        for complaint, odd in (("lacks", like.keys() - names), ("has", names - like.keys())):
            if odd:
                raise ModelError(
                    f"the file {complaint} {_some(odd)}, unlike the network", where=str(path)
                )
        for name, tensor in like.items():
            view = file.get_slice(name)
            kind = _TYPES.get(tensor.dtype.name, tensor.dtype.name)
            if tuple(view.get_shape()) != tensor.shape or view.get_dtype() != kind:
                raise ModelError(
                    f"{name} is {view.get_dtype()} of shape {tuple(view.get_shape())}, "
                    f"the network needs {kind} of shape {tensor.shape}",
                    where=str(path),
                )
            found[name] = file.get_tensor(name)
            if not np.isfinite(found[name]).all():
                raise ModelError(f"{name} contains NaN or infinity", where=str(path))
    return found


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
