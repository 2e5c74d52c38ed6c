"""The examples in the docstrings of public names run, beside a finished run of three classes."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import speckle_core

FINDER = doctest.DocTestFinder()
EXAMPLES = {
    found.name: found
    for name in speckle_core.__all__
    if getattr(getattr(speckle_core, name), "__module__", "").startswith("speckle_core")
    for found in FINDER.find(
        getattr(speckle_core, name),
        name,
        module=inspect.getmodule(getattr(speckle_core, name)),
        globs={},
    )
    if found.examples
}


@pytest.fixture
def beside_a_run(
    done: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quickstart").symlink_to(done[0].resolve())
    dataset = speckle_core.load_data(done[0])
    seven = int(np.flatnonzero(dataset.labels == 7)[0])
    np.save(tmp_path / "pattern.npy", dataset.patterns().raw([seven])[0])
    monkeypatch.chdir(tmp_path)


def test_the_names_that_open_the_package_have_examples() -> None:
    assert EXAMPLES.keys() >= {
        "KGrid",
        "create",
        "Pipeline",
        "PatternSet",
        "Experiment",
        "Evaluation",
        "TrainedModel",
        "load_data",
        "load_run",
        "first_moments",
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_gives_what_it_shows(name: str, beside_a_run: None) -> None:
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(EXAMPLES[name], out=said.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(said)
