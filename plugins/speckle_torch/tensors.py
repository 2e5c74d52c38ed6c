"""Tensors and arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from speckle_networks.framework import Weights


def to_arrays(tensors: Mapping[str, Tensor]) -> Weights:
    """Copy tensors to NumPy; those in half precision, which it lacks, as float32."""
    arrays: Weights = {}
    for name, tensor in tensors.items():
        values = tensor.detach().cpu()
        if values.dtype in (torch.bfloat16, torch.float16):
            values = values.float()
        arrays[name] = np.array(values.numpy(), order="C")
    return arrays


def fill(tensors: Mapping[str, Tensor], arrays: Weights) -> None:
    """Copy the arrays of `to_arrays` into live tensors, by name."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(arrays[name]))
