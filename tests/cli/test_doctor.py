from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import speckle_core
from speckle_core.cli import doctor

Invoke = Callable[..., Result]

LOADS = "print('noise'); print('[\"one GPU\"]')"
FAILS = "import sys; print('noise', file=sys.stderr); raise OSError('no driver')"


@pytest.fixture(scope="module")
def answers(invoke: Invoke) -> tuple[dict[str, Any], str]:
    """Return the report in JSON and as text, of two backends that are asked in a moment."""
    asked = {"json": LOADS, "csv": FAILS, "no_such": LOADS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "_BACKENDS", asked)
        patch.setenv("KERAS_BACKEND", "torch")
        return json.loads(invoke("doctor", "--json").stdout), invoke("doctor").stdout


def test_the_report_names_versions_backends_machine_and_plugins(
    answers: tuple[dict[str, Any], str],
) -> None:
    found, _ = answers
    assert found["versions"]["speckle-core"] == speckle_core.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert found["backends"] == {
        "json": "loads, sees one GPU",
        "csv": "is installed but does not load: OSError: no driver",
        "no_such": "not installed",
    }
    assert found["machine"]["cores"] >= 1
    assert "KERAS_BACKEND=torch" in found["machine"]["environment"]
    (disks,) = [names for who, names in found["plugins"].items() if "(plugin disks)" in who]
    assert disks == ["monodisperse", "polydisperse"]


def test_as_text_the_report_says_the_same(answers: tuple[dict[str, Any], str]) -> None:
    found, shown = answers
    assert [line for line in shown.splitlines() if not line.startswith(" ")] == list(found)
    for name, version in found["versions"].items():
        assert f"  {name}: {version}\n" in shown


def test_no_backend_is_imported_into_the_commands_own_process(
    monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    asked: list[Any] = []

    class Silent:
        returncode = 0

        def __init__(self, words: list[str], **_: Any) -> None:
            asked.append(words)

        def communicate(self, timeout: float) -> tuple[str, str]:
            return "[]", ""

        def wait(self, timeout: float | None = None) -> int:
            return 77  # as a plugin's import ends that ends well

        def kill(self) -> None: ...

    monkeypatch.setattr(subprocess, "Popen", Silent)
    result = invoke("doctor", "--json")
    assert json.loads(result.stdout)["backends"] == dict.fromkeys(
        ("torch", "tensorflow"), "loads, sees no GPU"
    )
    assert ["import json, torch" in words[-1] for words in asked[:2]] == [True, False]
