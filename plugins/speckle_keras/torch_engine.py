"""PyTorch implementation of what Keras does not abstract; see `tensorflow_engine`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional

from speckle_core import ModelError, OptionError

Tensor = Any
OUT_OF_MEMORY = torch.OutOfMemoryError


def normalised_by_batch(
    x: Tensor, scale: Tensor, offset: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise (B, h, w, c) by its own channels; return it, their means, unbiased variances."""
    # With momentum 1, torch's running averages are those of the batch.
    mean, variance = torch.zeros_like(scale), torch.zeros_like(scale)
    planes = x.permute(0, 3, 1, 2)
    found = functional.batch_norm(planes, mean, variance, scale, offset, True, 1.0, epsilon)
    return found.permute(0, 2, 3, 1), mean.detach(), variance.detach()


def normalised(
    x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    """Normalise (B, h, w, c) by given means and variances of its channels."""
    planes = x.permute(0, 3, 1, 2)
    found = functional.batch_norm(planes, mean, variance, scale, offset, False, 0.0, epsilon)
    return found.permute(0, 2, 3, 1)


def compiled(
    function: Callable[..., Any],
    shape: tuple[int | None, int | None],  # noqa: ARG001 - any size
    values: bool,  # noqa: ARG001 - any type
) -> Callable[..., Any]:
    """Return `function` itself: PyTorch executes eagerly."""
    return torch.no_grad()(function)


def by_arrays(
    function: Callable[[Any], Any],
    x: Tensor,
    width: int,  # noqa: ARG001 - it is that of the result
) -> Tensor:
    """Return `function` of float32 arrays (B, …), which returns (B, width), without a gradient."""
    return torch.from_numpy(function(x.detach().float().cpu().numpy())).to(x.device)


def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return d function(x) / d x of a function with one number as its value."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (found,) = torch.autograd.grad(function(x), x)
    return found


def gradients(function: Callable[[], tuple[Tensor, Any]], variables: list[Any]) -> Any:
    """Return d loss / d variables of a function that returns (loss, more), and more."""
    with torch.enable_grad():
        loss, more = function()
        return list(torch.autograd.grad(loss, [v.value for v in variables])), more


def fused(kind: Any) -> Any:
    """Return Keras' Adam or AdamW itself: on PyTorch it updates all variables at once."""
    return kind


def numpy(values: Any) -> Any:
    """Return tensors as arrays."""
    if isinstance(values, tuple):
        return tuple(map(numpy, values))
    return values.detach().float().cpu().numpy()


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's random state, which dropout without a seed draws from, and restore it."""
    cards = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=cards):
        torch.default_generator.manual_seed(seed)
        if cards:
            torch.cuda.manual_seed(seed)
        yield


def place(name: str) -> str:
    """Return Keras' name of a device; ``auto`` is a GPU if there is one, else the CPU.

    Raises
    ------
    OptionError
        When this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if name == "cpu" or (name == "mps" and torch.backends.mps.is_available()):
        return name
    if kind != "cuda" or not (number or "0").isdecimal():
        raise _unavailable(name, "is not the name of a PyTorch device")
    if int(number or 0) >= torch.cuda.device_count():
        raise _unavailable(name, f"does not exist: PyTorch finds {torch.cuda.device_count()} GPUs")
    return f"cuda:{number or 0}"


def _unavailable(name: str, why: str) -> OptionError:
    return OptionError(
        f"{name!r} {why}", where="device", hint="Use 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
    )


def gpu_has_bfloat16(device: str) -> bool:
    """Return whether a GPU supports bfloat16."""
    return device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Turn an out-of-memory error into a `ModelError`."""
    try:
        yield
    except OUT_OF_MEMORY as error:
        raise ModelError(
            "the device is out of memory",
            where="device",
            hint="Lower batch_size, crop the patterns, or set device = 'cpu'.",
        ) from error
