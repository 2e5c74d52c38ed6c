"""What Keras has no common word for, in TensorFlow; `torch_engine` says the same in PyTorch.

Functions are compiled to graphs, not by XLA: that takes half a minute for this network on a
processor, and a step then takes longer.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from speckle_core import ModelError, OptionError

Tensor = Any


def normalised_by_batch(
    x: Tensor, scale: Tensor, offset: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise (B, h, w, c) by its own channels; return it, their means, unbiased variances."""
    found: tuple[Tensor, Tensor, Tensor] = tf.compat.v1.nn.fused_batch_norm(
        x, scale, offset, epsilon=epsilon, is_training=True
    )
    return found


def normalised(
    x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    """Normalise (B, h, w, c) by given means and variances of its channels."""
    return tf.compat.v1.nn.fused_batch_norm(
        x, scale, offset, mean, variance, epsilon=epsilon, is_training=False
    )[0]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` of patterns (B, ny, nx) and targets (B,) as one graph, made on first use.

    Asked for as such it is made once for any B, ny, nx, and TensorFlow does not warn of having made
    one for every network.
    """
    signature = [
        tf.TensorSpec((None, None, None), tf.float32, "patterns"),
        tf.TensorSpec((None,), tf.int64, "targets"),
    ]

    @functools.cache
    def graph() -> Callable[..., Any]:
        made = tf.function(function, input_signature=signature, autograph=False)
        found: Callable[..., Any] = made.get_concrete_function()
        return found

    return lambda patterns, targets: graph()(patterns, targets)


def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return d function(x) / d x of a function with one number as its value."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


def gradients(function: Callable[[], tuple[Tensor, Any]], variables: list[Any]) -> Any:
    """Return d loss / d variables of a function that gives (loss, more), and more."""
    with tf.GradientTape() as tape:
        loss, more = function()
    return tape.gradient(loss, variables), more


def numpy(values: Any) -> Any:
    """Return tensors as arrays."""
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), values)


def place(name: str) -> str:
    """Return Keras' name of a device of ours; ``auto`` is a card if there is one, else the CPU.

    Raises
    ------
    OptionError
        When there is no such device here.
    """
    cards = len(tf.config.list_logical_devices("GPU"))
    if name == "auto":
        name = "cuda" if cards else "cpu"
    if name == "cpu":
        return "cpu:0"
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise _unavailable(name, "is not the name of a device that TensorFlow has")
    if int(number or 0) >= cards:
        raise _unavailable(name, f"is not here: TensorFlow finds {cards} cards")
    return f"gpu:{number or 0}"


def _unavailable(name: str, why: str) -> OptionError:
    return OptionError(f"{name!r} {why}", where="device", hint="Use 'auto', 'cpu' or 'cuda:1'.")


def card_has_bfloat16(device: str) -> bool:
    """Tell whether a card multiplies in bfloat16 (NVIDIA: since compute capability 8.0)."""
    card = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    about = tf.config.experimental.get_device_details(card)
    return bool(about.get("compute_capability", (0, 0)) >= (8, 0))


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Turn a device's lack of memory into a `ModelError`."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise ModelError(
            "the memory of the device does not suffice",
            where="device",
            hint="Lower batch_size, crop the patterns, or set device = 'cpu'.",
        ) from error
