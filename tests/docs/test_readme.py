from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import speckle_core
from speckle_core.analysis.confidence import Confidence
from speckle_core.models import confidence

README = Path(__file__).parents[2] / "README.md"


def test_the_python_block_of_the_readme_runs_as_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len([line for line in block.splitlines() if line.strip()]) <= 15
    exec(compile(block, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) >= 0.9


def test_the_picture_of_a_result_comes_before_any_word() -> None:
    title, picture = [line for line in README.read_text("utf-8").splitlines() if line][:2]
    assert title.startswith("# ")
    found = re.search(r"\((docs/images/.*)\)", picture)
    assert found is not None
    assert (README.parent / found[1]).is_file()


def test_the_sample_of_output_has_the_form_that_the_command_gives(
    done: tuple[Path, Result],
    invoke: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (block,) = re.findall(
        r"```text\n\$ speckle predict[^\n]*\n(.*?)```", README.read_text("utf-8"), re.S
    )
    monkeypatch.chdir(tmp_path)
    dataset = speckle_core.load_data(done[0])
    np.save("pattern.npy", dataset.patterns().raw([30])[0])
    model = shutil.copytree(done[0] / "model", "model")
    confidence.save(Confidence(1.0, np.full(100, 0.4)), Path(model))
    result = invoke("predict", model, "pattern.npy", "--step", "0.0015708")
    assert result.exit_code == 0, result.output
    given = result.stdout
    shown, real = (
        [re.split(r" {2,}", line.strip()) for line in text.splitlines()] for text in (block, given)
    )
    assert shown[0] == real[0]
    assert len(shown) == len(real) == 2
    assert [_form(cell) for cell in shown[1][:7]] == [_form(cell) for cell in real[1][:7]]
    assert _form(real[1][7]) == _form("first-moment 7")


def _form(cell: str) -> str:
    return re.sub(r"\d+", "0", cell)
