"""What contributors are told agrees with the Makefile, the lint and the version."""

from __future__ import annotations

import re
import tomllib

import yaml

from tests.docs.pages import DOCS

ROOT = DOCS.parent


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", _text("CONTRIBUTING.md")))
    assert {"run", "test", "lint"} <= named <= targets


def test_the_commit_hooks_are_what_make_lint_runs() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", _text("Makefile"), re.MULTILINE)
    assert lint is not None
    tools = {line.split("/")[1].split()[0] for line in lint[1].splitlines() if "$(BIN)" in line}
    (repository,) = yaml.safe_load(_text(".pre-commit-config.yaml"))["repos"]
    hooks = {hook["entry"].split()[0].split("/")[-1] for hook in repository["hooks"]}
    assert hooks == tools


def test_the_map_of_packages_has_every_layer() -> None:
    contracts = tomllib.loads(_text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    packages = {name.strip() for layer in layers for name in layer.split("|")}
    (drawn,) = re.findall(r"```text\n(.*?)```", _text("CONTRIBUTING.md"), re.DOTALL)
    missing = {p for p in packages if not p.startswith("_") and not re.search(rf"\b{p}\b", drawn)}
    assert not missing
