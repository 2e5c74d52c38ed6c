"""The documentation as it is built: without a warning, whole, and without a network."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from speckle_core.experiment.presets import presets
from speckle_core.plugins.component import options_of
from speckle_core.plugins.manager import plugin_manager
from speckle_core.testing import KNOWN_NUMBER
from tests.docs.pages import DOCS


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Path:
    """The HTML pages; takes about 10 s."""
    out = tmp_path_factory.mktemp("docs")
    command = ["-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-d", str(out / "trees")]
    done = subprocess.run(
        [programs / "python", *command, str(DOCS), str(out / "html")],
        env={**os.environ, "PRELOAD": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


def _text(page: Path) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8")))


def _one_line(page: Path) -> str:
    return " ".join(_text(page).split())


def test_no_page_loads_anything_from_elsewhere(built: Path) -> None:
    loads = re.compile(r"<(?:script|img|iframe|source|object)\b[^>]*\b(?:src|data)=\"([^\"]*)\"")
    links = re.compile(r"<link\b[^>]*\bhref=\"([^\"]*)\"")
    found = []
    for page in built.rglob("*.html"):
        text = page.read_text("utf-8")
        found += loads.findall(text) + links.findall(text)
    assert found
    assert not [address for address in found if re.match(r"(?:[a-z]+:)?//", address)]
    for sheet in built.rglob("*.css"):
        text = sheet.read_text("utf-8")
        assert "@import" not in text
        assert not re.search(r"url\(['\"]?(?:https?:)?//", text)


def test_every_command_is_described_with_all_its_options(built: Path) -> None:
    from speckle_core.cli.app import app

    page = _text(built / "reference" / "commands.html")

    def leaves(name: str, command: object) -> list[tuple[str, object]]:
        below = getattr(command, "commands", None)
        if below is None:
            return [(name, command)]
        return [leaf for word, c in below.items() for leaf in leaves(f"{name} {word}", c)]

    found = leaves("speckle", typer.main.get_command(app))
    assert len(found) > 10
    for name, command in found:
        section = re.split(rf"^{name}¶?$|{name}¶", page, maxsplit=1, flags=re.MULTILINE)[1]
        for parameter in command.params:
            wanted = parameter.opts[0] if parameter.param_type_name == "option" else None
            assert (wanted or parameter.metavar) in section, (name, parameter.name)


def test_every_component_is_described_with_every_option(built: Path) -> None:
    page = _text(built / "reference" / "components.html")
    ours = [e for e in plugin_manager().components() if e.provider.distribution == "speckle-core"]
    assert len(ours) > 10
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        from generated import descriptions
    finally:
        sys.path.pop(0)
    for entry in ours:
        assert f"{entry.component.name}¶" in page
        factory = entry.component.resolve()
        undescribed = {o.name for o in options_of(factory)} - descriptions(factory).keys()
        assert not undescribed, f"{entry.component.name}: the docstring leaves out {undescribed}"


def test_every_preset_and_every_check_is_shown(built: Path) -> None:
    page = _text(built / "reference" / "presets.html")
    assert all(f"{name}¶" in page for name in presets())
    rows = (built / "reference" / "kit.html").read_text("utf-8").count("<tr ")
    assert rows >= sum(number for role, number in KNOWN_NUMBER.items() if role != "particles")


def test_protocols_are_shown_with_the_signatures_of_the_code(built: Path) -> None:
    page = _one_line(built / "reference" / "hooks" / "speckle_samplers.html")
    assert "speckle_core.plugins.hookspecs.speckle_samplers() → Iterable[Component]" in page
    assert "sample(count: int, rng: Generator) → Configuration" in page
    page = _one_line(built / "reference" / "hooks" / "speckle_classifiers.html")
    assert "predict_proba(patterns: FloatArray) → FloatArray" in page
    assert "*args, **kwargs" not in page
    assert not [p for p in built.rglob("*.html") if "TypeAlias" in p.read_text("utf-8")]


def test_the_readme_points_at_pages_and_pictures_that_are_there() -> None:
    text = (DOCS.parent / "README.md").read_text("utf-8")
    for target in re.findall(r"\]\((docs/[^)#]+)", text):
        assert (DOCS.parent / target).exists(), target
