from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from speckle_core import plugin_manager

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def test_list_shows_every_component_with_role_summary_and_provider(invoke: Invoke) -> None:
    lines = invoke("plugins", "list").stdout.splitlines()
    assert lines[0].split() == ["role", "name", "summary", "from"]
    for entry in plugin_manager().components():
        name = entry.component.name
        (line,) = [row for row in lines if row.split()[:2] == [entry.role, name]]
        assert entry.component.summary in line
        assert str(entry.provider) in line


def test_json_of_list_says_what_is_missing_and_broken(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "torch" else real(n, *a)
    )
    found = json.loads(invoke("plugins", "list", "--json").stdout)
    assert found["broken"] == []
    (torch,) = [c for c in found["components"] if c["name"] == "torch-resnet50"]
    assert (torch["role"], torch["missing"], torch["extra"]) == ("classifier", ["torch"], "torch")
    assert torch["qualified"] == "speckle-core/torch-resnet50"
    shown = invoke("plugins", "list").stdout
    assert "pip install 'speckle-core[torch]'" in shown.partition("Not ready:")[2]


def test_show_tells_options_with_type_and_default(invoke: Invoke) -> None:
    shown = invoke("plugins", "show", "monodisperse").stdout
    assert shown.startswith("sampler monodisperse, from speckle-core==")
    rows: dict[str, str] = {}
    for line in filter(None, shown.splitlines()):
        rows.setdefault(line.split()[0], line)
    # After the table each option says its meaning and its unit.
    assert "[length]" in rows["box:"]
    assert "\nradius: " in shown
    assert "a number or none" in rows["radius"]
    assert rows["radius"].split()[-1] == '"none"'
    assert rows["box"].split()[-1] == "2000.0"
    assert "'own' or 'reference'" in rows["exclusion"]


def test_json_of_show_takes_a_qualified_name(invoke: Invoke) -> None:
    found = json.loads(invoke("plugins", "show", "speckle-core/block-center", "--json").stdout)
    (component,) = found["components"]
    assert component["role"] == "preprocessor"
    (size,) = component["options"]
    assert size.pop("meaning").startswith("Pixels along each side")
    assert size == {"name": "size", "type": "a whole number", "default": 11}


def test_a_component_that_is_nowhere_is_met_with_the_nearest(refused: Refused) -> None:
    for command in ("show", "check"):
        assert "'standardize'" in refused("plugins", command, "standardise")


def test_check_prints_every_check_and_passes_a_good_component(invoke: Invoke) -> None:
    result = invoke("plugins", "check", "standardize")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(line.split()[0] in ("passed", "skipped") for line in lines)
    assert lines[-1].split()[1] == "kit.complete"


def test_check_fails_a_component_that_does_not_hold(ridge: str, invoke: Invoke) -> None:
    # Its class is none that a fresh process could import, so what it saved cannot be read there.
    result = invoke("plugins", "check", ridge, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["ok"] is False
    (component,) = found["components"]
    assert component["name"] == "in-process/ridge"
    outcomes = {check["id"]: check["outcome"] for check in component["checks"]}
    assert outcomes["classifier.probabilities-sum-to-one"] == "passed"
    assert "failed" in outcomes.values()
