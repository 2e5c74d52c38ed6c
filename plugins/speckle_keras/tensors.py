"""Variables and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from speckle_keras.backend import keras
from speckle_networks.framework import Weights


def to_arrays(variables: dict[str, Any]) -> Weights:
    """Copy variables to NumPy; those in half precision, which it lacks, as float32."""
    arrays: Weights = {}
    for name, variable in variables.items():
        half = keras.backend.standardize_dtype(variable.dtype) in ("bfloat16", "float16")
        values = keras.ops.cast(variable, "float32") if half else variable
        arrays[name] = np.array(keras.ops.convert_to_numpy(values), order="C")
    return arrays


def fill(variables: dict[str, Any], arrays: Weights) -> None:
    """Copy the arrays of `to_arrays` into live variables, by name."""
    for name, variable in variables.items():
        variable.assign(arrays[name])
