from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Refused = Callable[..., str]


def test_export_refuses_what_it_cannot_write_and_where_it_must_not(
    model: Path, refused: Refused, tmp_path: Path
) -> None:
    said = refused("export", model, "-o", tmp_path / "x.onnx")
    assert "radial-lda cannot be written as ONNX" in said
    (tmp_path / "x.onnx").write_text("mine")
    assert "exists already" in refused("export", model, "-o", tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").read_text() == "mine"
