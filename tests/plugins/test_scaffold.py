"""What `NewPlugin` refuses, and what it writes; that it works where it is installed is in e2e."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from speckle_core import API_VERSION, PluginManager
from speckle_core._version import __version__
from speckle_core.contracts.roles import ROLES, Role
from speckle_core.errors import OutputError, PluginError
from speckle_core.plugins.scaffold import NewPlugin


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to import new packages from, for one test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("ending", ["", "-of-role"])
def test_it_writes_one_component_of_that_name_and_role(
    role: Role, ending: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"odd-new-{role}" if ending else "odd-new"
    package = name.replace("-", "_")
    folder = site / "made" / "here"
    NewPlugin.named(name, role).write(folder)
    files = {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert set(files) == {
        "pyproject.toml",
        "README.md",
        f"{package}/__init__.py",
        f"{package}/plugin.py",
        f"{package}/{role}.py",
        "tests/test_kit.py",
        "tests/test_physics.py",
    }
    assert folder.stat().st_mode & 0o777 == 0o755
    assert [p.name for p in folder.parent.iterdir()] == ["here"]
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == name
    assert project["entry-points"]["speckle.plugins"] == {name: f"{package}.plugin"}
    assert f"speckle-core>={__version__}" in project["dependencies"]
    assert f"speckle plugins check {name}\n" in files["README.md"]
    assert f"{package}/{role}.py" in files["README.md"]
    assert "Select it with `" in files["README.md"]
    assert name in files["README.md"].split("Select it with `")[1]

    monkeypatch.syspath_prepend(str(folder))
    plugin = importlib.import_module(f"{package}.plugin")
    assert plugin.SPECKLE_API == API_VERSION
    manager = PluginManager(entry_points=tuple)
    manager.register(plugin, name)
    (found,) = manager.components()
    assert (found.role, found.component.name) == (role, name)
    assert found.component.summary.endswith(".")
    assert found.component.summary in files["README.md"]
    assert found.component.resolve().__name__ == f"OddNew{role.capitalize()}"


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("My-Shapes", "not a valid component name"),
        ("my_shapes", "not a valid component name"),
        ("../escape", "not a valid component name"),
        ("", "not a valid component name"),
        ("class", "'class' is not a valid package name"),
        ("tests", "'tests' is not a valid package name"),
        ("json", "is already installed"),
        ("speckle-disks", "is already installed"),
        ("monodisperse", "already provides a sampler 'monodisperse'"),
    ],
)
def test_a_bad_name_is_refused(name: str, cause: str) -> None:
    with pytest.raises(PluginError, match=cause):
        NewPlugin.named(name, "sampler")


def test_a_name_that_is_taken_in_another_role_is_free() -> None:
    assert NewPlugin.named("monodisperse", "scatterer").package == "monodisperse"


def test_a_misspelt_role_is_named_with_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"(?s)unknown role 'smpler'.*Did you mean 'sampler'\?"):
        NewPlugin.named("strange", "smpler")
    with pytest.raises(PluginError, match=r"\n  Roles: sampler, scatterer, "):
        NewPlugin.named("strange", "qqq")


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_already_is_left_alone(there: str, tmp_path: Path) -> None:
    place = tmp_path / "strange"
    if there == "folder":
        place.mkdir()
    elif there == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="already exists") as refused:
        NewPlugin.named("strange", "sampler").write(place)
    assert refused.value.where == str(place)
    assert list(tmp_path.iterdir()) == [place]
    assert there != "file" or place.read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = Path.write_text

    def full(self: Path, text: str, *rest: str) -> int:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(text)
        return write(self, text, *rest)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left on device"):
        NewPlugin.named("strange", "sampler").write(tmp_path / "strange")
    assert not list(tmp_path.iterdir())
