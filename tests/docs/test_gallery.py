"""The programs of the gallery run, at a size that takes no time; `make docs` draws them whole."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.docs.pages import DOCS

PROGRAMS = sorted((DOCS / "gallery").glob("*.py"))
#: What makes a program quick: constants and their values here.
SMALL = {"SIZE": "65", "PATTERNS": "2", "RASTERS": "(101, 201)", "PATCH": "85"}
#: What must be so for what the page says, beside that it draws.
CLAIMS = {
    "there_and_back": "solution.solved and miss(centers) < 1e-6 * disks.box",
    "fft_and_sum": "np.median(error[inside]) < 0.1",
    "masks": "np.mean(measured) < np.mean(known) < 1",
    "patterson": "len(pairs) == 4 * 3",
    "coherence": "contrast < 0.5",
    "first_moments": "np.ptp(mean) < 0.1 * mean.mean()",  # those of one radius, the last drawn
    "occlusion": "model.classes[answer] == 9 and (fall == fall[::-1, ::-1]).all()",
}


def case(path: Path) -> Any:
    marks = [pytest.mark.framework] if "load_model" in path.read_text() else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [case(path) for path in PROGRAMS])
def test_a_program_runs_and_draws_what_it_says(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda: None)
    text = path.read_text("utf-8")
    for name, value in SMALL.items():
        text = re.sub(rf"^{name} = .+$", f"{name} = {value}", text, flags=re.MULTILINE)
    small = tmp_path / path.name
    small.write_text(text, "utf-8")
    try:
        names = runpy.run_path(str(small))
        drawn = [axes for axes in plt.gcf().axes if axes.has_data()]
        plt.gcf().canvas.draw()
    finally:
        plt.close("all")
    assert drawn
    # A program's own names, and numpy as it calls it.
    assert eval(CLAIMS.get(path.stem, "True"), {**names, "np": np})


def test_every_claim_is_of_a_program() -> None:
    assert CLAIMS.keys() <= {path.stem for path in PROGRAMS}
