"""TensorFlow implementation of what Keras does not abstract; see `torch_engine` for PyTorch.

Functions are compiled to graphs, not with XLA, which would take half a minute for this network on
a CPU and give slower steps.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from speckle_core import ModelError, OptionError, SpeckleError

Tensor = Any
OUT_OF_MEMORY = tf.errors.ResourceExhaustedError
#: What the functions of `by_arrays` raised, of which a graph tells only the text.
_raised: list[SpeckleError] = []


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


def compiled(
    function: Callable[..., Any], shape: tuple[int | None, int | None], values: bool
) -> Callable[..., Any]:
    """Return `function` of patterns (B, ny, nx) and targets (B,) as a graph, built on first use.

    The explicit signature makes one graph for all B, and with a `shape` of None for all ny, nx, and
    avoids TensorFlow's warning about repeated tracing.
    """
    signature = [
        tf.TensorSpec((None, *shape), tf.float32, "patterns"),
        tf.TensorSpec((None,), tf.float32 if values else tf.int64, "targets"),
    ]

    @functools.cache
    def graph() -> Callable[..., Any]:
        made = tf.function(function, input_signature=signature, autograph=False)
        found: Callable[..., Any] = made.get_concrete_function()
        return found

    def run(patterns: Tensor, targets: Tensor) -> Any:
        try:
            return graph()(patterns, targets)
        except tf.errors.OpError:
            if _raised:
                raise _raised.pop() from None
            raise

    return run


def by_arrays(function: Callable[[Any], Any], x: Tensor, width: int) -> Tensor:
    """Return `function` of float32 arrays (B, …), which returns (B, width), without a gradient.

    Within a graph it is called whenever the graph runs.
    """

    def call(values: Any) -> Any:
        try:
            return function(values)
        except SpeckleError as error:
            _raised.append(error)
            raise

    found = tf.numpy_function(call, [x], tf.float32, stateful=False)
    found.set_shape((None, width))
    return found


def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return d function(x) / d x of a function with one number as its value."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


def gradients(function: Callable[[], tuple[Tensor, Any]], variables: list[Any]) -> Any:
    """Return d loss / d variables of a function that returns (loss, more), and more."""
    with tf.GradientTape() as tape:
        loss, more = function()
    return tape.gradient(loss, variables), more


def fused(kind: Any) -> Any:
    """Return Keras' Adam or AdamW with one operation of TensorFlow for each variable.

    Keras' own formula is a dozen operations, most of what takes time to trace in a training step.
    """

    class Fused(kind):  # type: ignore[misc]
        def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
            """Update a variable and its moments."""
            index = self._get_variable_index(variable)
            step = tf.cast(self.iterations + 1, variable.dtype)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_1**step,
                beta2_power=self.beta_2**step,
                lr=tf.cast(learning_rate, variable.dtype),
                beta1=tf.cast(self.beta_1, variable.dtype),
                beta2=tf.cast(self.beta_2, variable.dtype),
                epsilon=tf.cast(self.epsilon, variable.dtype),
                grad=tf.convert_to_tensor(gradient, variable.dtype),
            )

    return Fused


def numpy(values: Any) -> Any:
    """Return tensors as arrays."""
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), values)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:  # noqa: ARG001 - there is no state to seed
    """Do nothing: on TensorFlow all random numbers come from Keras' seed generators."""
    yield


def place(name: str) -> str:
    """Return Keras' name of a device; ``auto`` is a GPU if there is one, else the CPU.

    Raises
    ------
    OptionError
        When this machine has no such device.
    """
    cards = len(tf.config.list_logical_devices("GPU"))
    if name == "auto":
        name = "cuda" if cards else "cpu"
    if name == "cpu":
        return "cpu:0"
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise _unavailable(name, "is not the name of a TensorFlow device")
    if int(number or 0) >= cards:
        raise _unavailable(name, f"does not exist: TensorFlow finds {cards} GPUs")
    return f"gpu:{number or 0}"


def _unavailable(name: str, why: str) -> OptionError:
    return OptionError(f"{name!r} {why}", where="device", hint="Use 'auto', 'cpu' or 'cuda:1'.")


def gpu_has_bfloat16(device: str) -> bool:
    """Return whether a GPU supports bfloat16 (NVIDIA: from compute capability 8.0)."""
    card = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    about = tf.config.experimental.get_device_details(card)
    return bool(about.get("compute_capability", (0, 0)) >= (8, 0))


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
