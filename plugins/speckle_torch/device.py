"""Device and precision of the network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Literal

import torch

from speckle_core import ModelError, OptionError

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is a CUDA device if there is one, else the CPU.

    Under torchrun a GPU without a number is the one of the process's own rank.

    Raises
    ------
    OptionError
        When this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise _unavailable(name, "is not the name of a device") from None
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise _unavailable(name, "does not exist: torch finds no CUDA GPU")
        index = int(os.environ.get("LOCAL_RANK", 0)) if device.index is None else device.index
        if index >= torch.cuda.device_count():
            raise _unavailable(name, f"does not exist: there are {torch.cuda.device_count()} GPUs")
        return torch.device("cuda", index)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise _unavailable(name, "does not exist: torch finds no Apple GPU")
    if device.type not in ("cpu", "mps"):
        raise _unavailable(name, "is not supported")
    return device


def _unavailable(name: str, why: str) -> OptionError:
    return OptionError(
        f"{name!r} {why}", where="device", hint="Use 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
    )


def uses_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Return whether to use bfloat16; ``auto`` does if the hardware supports it natively."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        abilities = torch.cpu.get_capabilities()
        return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))
    return False


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Turn an out-of-memory error into a `ModelError`."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            "the GPU is out of memory",
            where="device",
            hint="Lower batch_size, crop the patterns, or set device = 'cpu'.",
        ) from error
