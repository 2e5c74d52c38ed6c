"""What a third party's type checker says of a plugin written against `speckle_core` (mypy, 3 s)."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

PLUGIN = """
from collections.abc import Iterable

from speckle_core import Component, hookimpl


class Net:
    pass


@hookimpl
def speckle_classifiers() -> Iterable[Component]:
    yield Component("a", Net, "One line.", requires=("torch",))
    yield Component("b", "mine:Net", "One line.", requires=["torch", "numpy"], extra="gpu")
    yield Component("c", Net, "One line.", requires=1)  # wrong
    yield Component("d", Net, 4)  # wrong
"""


def test_a_component_takes_names_of_packages_and_rejects_a_number(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN, "utf-8")
    cache = pytestconfig.cache.mkdir("mypy") if pytestconfig.cache else tmp_path / "cache"
    said, trouble, _ = api.run(
        ["--strict", "--config-file=", f"--cache-dir={cache}", str(tmp_path / "mine.py")]
    )
    assert not trouble
    errors = [line for line in said.splitlines() if ": error: " in line]
    wrong = [n for n, line in enumerate(PLUGIN.splitlines(), 1) if "# wrong" in line]
    assert [int(line.split(":")[1]) for line in errors] == wrong, said
