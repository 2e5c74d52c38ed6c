"""The network's tensors on disk, as safetensors and TOML.

A model folder contains `weights.safetensors` (used for prediction), `last.safetensors` (after the
last epoch, if that differs) and `state.toml`. Names and layouts are those of `architecture`.
Reading is safe for untrusted files: it runs no code and takes no more memory than the expected
tensors, and needs no framework.
"""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from speckle_core import ModelError, write_bytes, write_text
from speckle_resnet.architecture import RESNET50, Plan, Weights, tensors

Shapes = Mapping[str, tuple[int, ...]]

WEIGHTS, LAST, STATE = "weights.safetensors", "last.safetensors", "state.toml"
FORMAT = "speckle-resnet50-1"
#: A safetensors header has about 100 bytes per tensor; ours has at most 320 tensors.
_LARGEST_HEADER = 2**20


@attrs.frozen(eq=False)
class Model:
    """Content of a model folder.

    Parameters
    ----------
    weights : dict of str to array
        Used for prediction.
    last : dict of str to array, optional
        After the last epoch, if different.
    classes : array of int, (classes,)
        The class of each column.
    size : tuple of int
        (ny, nx) of the training patterns; other sizes can be read, too.
    channels : int
        Input channels.
    """

    weights: Weights
    last: Weights | None
    classes: NDArray[np.int64]
    size: tuple[int, int]
    channels: int


def save_model(folder: Path, model: Model) -> None:
    """Write the model folder, each file atomically.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    write_bytes(folder / WEIGHTS, save(model.weights))
    if model.last is not None:
        write_bytes(folder / LAST, save(model.last))
    state = {
        "format": FORMAT,
        "channels": model.channels,
        "classes": model.classes.tolist(),
        "size": list(model.size),
    }
    write_text(folder / STATE, tomli_w.dumps(state))


def load_model(folder: Path, channels: int, plan: Plan = RESNET50) -> Model:
    """Read a model folder.

    Raises
    ------
    ModelError
        For a missing or damaged file, another number of channels, or a tensor that is missing,
        unexpected, of a wrong shape or not finite.
    """
    path = folder / STATE
    state = _read_state(path)
    if state["channels"] != channels:
        raise ModelError(
            f"the network has {state['channels']} input channels, but the options say {channels}",
            where=str(path),
            hint=f"Set channels = {state['channels']}.",
        )
    shapes = tensors(plan, channels, len(state["classes"]))
    last = read_tensors(folder / LAST, shapes) if (folder / LAST).exists() else None
    return Model(
        weights=read_tensors(folder / WEIGHTS, shapes),
        last=last,
        classes=np.array(state["classes"], dtype=np.int64),
        size=(state["size"][0], state["size"][1]),
        channels=channels,
    )


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError("the file is missing", where=str(path)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"the file cannot be read: {error}", where=str(path)) from error
    if state.get("format") != FORMAT:
        raise ModelError(
            f"the format is {state.get('format')!r}, not {FORMAT!r}",
            where=str(path),
            hint="The folder contains the model of another component, or of a newer version.",
        )
    classes: Any = state.get("classes")
    size: Any = state.get("size")
    whole = all(
        isinstance(numbers, list) and all(type(number) is int for number in numbers)
        for numbers in (classes, size, [state.get("channels")])
    )
    if not whole or len(size) != 2 or len(classes) < 2 or sorted(set(classes)) != classes:
        raise ModelError(
            "channels, classes (ascending) and size (two) must be whole numbers", where=str(path)
        )
    return state


@contextlib.contextmanager
def _opened(path: Path, expected: int) -> Iterator[Any]:
    try:
        stored = path.stat().st_size
        if stored > expected + _LARGEST_HEADER:
            raise ModelError(
                f"the file has {stored} bytes, but the network needs {expected}", where=str(path)
            )
        with safe_open(path, framework="numpy") as file:
            yield file
    except FileNotFoundError:
        raise ModelError("the file is missing", where=str(path)) from None
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the file is damaged or not a safetensors file: {error}", where=str(path)
        ) from error


def read_tensors(path: Path, shapes: Shapes) -> Weights:
    """Read exactly the float32 tensors of `shapes` from a safetensors file.

    Raises
    ------
    ModelError
        When the file is missing, damaged or too large, or a tensor is missing, unexpected, of a
        wrong shape or type, or not finite.
    """
    found: Weights = {}
    with _opened(path, 4 * sum(map(math.prod, shapes.values()))) as file:
        names = set(file.keys())
        for complaint, odd in (("lacks", shapes.keys() - names), ("has", names - shapes.keys())):
            if odd:
                raise ModelError(
                    f"the file {complaint} {_some(odd)}, unlike the network", where=str(path)
                )
        for name, shape in shapes.items():
            view = file.get_slice(name)
            if tuple(view.get_shape()) != shape or view.get_dtype() != "F32":
                raise ModelError(
                    f"{name} is {view.get_dtype()} of shape {tuple(view.get_shape())}, "
                    f"the network needs F32 of shape {shape}",
                    where=str(path),
                )
            found[name] = file.get_tensor(name)
            if not np.isfinite(found[name]).all():
                raise ModelError(f"{name} contains NaN or infinity", where=str(path))
    return found


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
