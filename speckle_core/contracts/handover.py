"""Patterns as a deep-learning library's own data set, for those who bring their own loop.

The library is imported when it is asked for, and only then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.errors import MissingDependencyError

#: Reads prepared patterns (B, ny, nx) and the indices of their classes (B,).
Read = Callable[[IntArray], tuple[NDArray[np.float32], IntArray]]


def _import(package: str, extra: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingDependencyError(
            f"patterns for {package} need {package}, which is not installed",
            hint=f"Run: pip install 'speckle-core[{extra}]'",
        ) from None


def torch_dataset(read: Read, count: int) -> Any:
    """Return a `torch.utils.data.Dataset` of `count` patterns; see `PatternSet.as_torch`."""
    torch = _import("torch", "torch")

    class Patterns(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return count

        def __getitem__(self, index: int) -> tuple[Any, int]:
            return self.__getitems__([index])[0]

        def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, int]]:
            """Return several items, which a `DataLoader` asks for at once."""
            values, targets = read(np.arange(count)[list(indices)])
            return list(zip(torch.from_numpy(values)[:, None], targets.tolist(), strict=True))

    return Patterns()


def tensorflow_dataset(read: Read, count: int, shape: tuple[int, int], batch_size: int) -> Any:
    """Return a `tf.data.Dataset` of `count` patterns of a shape; see `PatternSet.as_tf`."""
    tf = _import("tensorflow", "keras")

    def batches() -> Iterator[tuple[NDArray[np.float32], IntArray]]:
        for start in range(0, count, batch_size):
            values, targets = read(np.arange(start, min(start + batch_size, count)))
            yield values[..., None], targets

    signature = (
        tf.TensorSpec((None, *shape, 1), tf.float32),
        tf.TensorSpec((None,), tf.int64),
    )
    steps = -(-count // batch_size)
    made = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(steps))
