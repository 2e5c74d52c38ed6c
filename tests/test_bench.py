"""`measure`: every figure is there, and what cannot be measured says why. About 3 s."""

from __future__ import annotations

import pytest

from speckle_core import ExperimentError
from speckle_core import bench as benchmarks
from speckle_core.bench import measure


def test_every_figure_is_measured_and_one_that_is_not_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    presets = {"equal disks": "paper-mono-257", "spheres": "no-such-preset"}
    monkeypatch.setattr(benchmarks, "_PER_COUNT", 5)
    monkeypatch.setattr(benchmarks, "_REPEATS", 1)
    monkeypatch.setattr(benchmarks, "SOLVED", 2)
    monkeypatch.setattr(benchmarks, "_PRESETS", presets | {"unequal disks": "paper-poly-257"})
    found = {figure.name: figure for figure in measure(33, network=False)}
    assert "nor a preset" in found.pop("spheres").note
    for name in ("product", "simulate, unequal disks", "read and prepare", "fit radial-lda"):
        assert 0 < found[name].ms < 1000
    assert all(figure.ms or figure.note for figure in found.values())


def test_an_even_size_has_no_middle_pixel() -> None:
    with pytest.raises(ExperimentError, match="odd"):
        next(measure(64))
