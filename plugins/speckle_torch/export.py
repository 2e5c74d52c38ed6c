"""A trained network as an ONNX model, for programs that have no PyTorch."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from speckle_core import MissingDependencyError, PluginError
from speckle_networks.feed import View
from speckle_torch.framework import TorchNetwork

INPUT, OUTPUTS = "patterns", ("scores", "probabilities")


class _Whole(nn.Module):
    """The pixels that are read, what is prepared of them, the network, and the softmax."""

    def __init__(self, network: TorchNetwork, size: tuple[int, int], view: View) -> None:
        super().__init__()
        self.module = network.module
        self._prepare = network.classifier.prepare_inputs
        self._rows, self._columns = view.window(size)

    def forward(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.module(self._prepare(patterns[:, self._rows, self._columns]))
        return scores, scores.softmax(dim=1)


def to_onnx(
    network: TorchNetwork, size: tuple[int, int], view: View, metadata: Mapping[str, str]
) -> bytes:
    """Return the ONNX file of a network that reads prepared patterns of `size` (ny, nx).

    Raises
    ------
    MissingDependencyError
        When onnx or onnxscript is not installed.
    PluginError
        When the network does something that ONNX cannot express.
    """
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(
                f"an ONNX file needs {package}, which is not installed",
                hint="Run: pip install 'speckle-core[onnx]'",
            )
    import onnx

    whole = _Whole(network, size, view).eval()
    # One would be taken for a constant.
    some = torch.zeros(2, *size, device=network.device)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                whole,
                (some,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
            assert program is not None
            model: Any = program.model_proto
    except Exception as error:  # whatever a third party's network makes of it
        # torch's own message is a page of advice; the cause says what it met.
        cause = error.__cause__ or error
        why = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
        raise PluginError(
            f"its network cannot be written as ONNX: {type(cause).__name__}: {why}",
            where=type(network.classifier).__name__,
            hint="Only networks of plain torch operations, without loops that depend on the data, "
            "can be exported.",
        ) from error
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says of its own steps."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
