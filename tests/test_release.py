"""What would be released: wheel and sdist as pip and an index see them."""

from __future__ import annotations

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import speckle_core

ROOT = Path(__file__).parents[1]
pytest.importorskip("hatchling", reason="hatchling is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, built without isolation, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_the_description_is_one_that_an_index_can_show(built: tuple[Path, Path]) -> None:
    pytest.importorskip("twine", reason="twine is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_what_it_should_and_nothing_else(built: tuple[Path, Path]) -> None:
    pytest.importorskip("check_wheel_contents", reason="check-wheel-contents is not installed")
    # W009: several packages at the top are meant, the built-in plugins stand beside the core. W002:
    # trained models with the same options have equal files.
    done = subprocess.run(
        [sys.executable, "-m", "check_wheel_contents", "--ignore", "W002,W009", built[0]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_brings_presets_templates_and_every_plugin(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = email.message_from_string(wheel.read(metadata).decode())
        (entries,) = [name for name in names if name.endswith("entry_points.txt")]
        modules = [
            line.partition(" = ")[2]
            for line in wheel.read(entries).decode().splitlines()
            if line.endswith(".plugin")
        ]
    for part in (ROOT / "speckle_core").rglob("*"):
        if part.is_file() and part.suffix not in (".pyc",) and "__pycache__" not in part.parts:
            assert part.relative_to(ROOT).as_posix() in names
    assert modules
    assert all(f"{module.replace('.', '/')}.py" in names for module in modules)
    assert not [name for name in names if name.startswith(("tests/", "docs/", "examples/"))]
    assert about["Version"] == speckle_core.__version__
    for minor in (11, 12, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in about.get_all("Classifier")


def test_the_sdist_builds_the_same_package(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "speckle_core/__init__.py"} <= names
    assert not [name for name in names if name.startswith((".venv", "runs/"))]


def test_the_workflow_of_continuous_integration_runs_what_make_does() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for line in ("make lint", "make test", "twine check", "check-wheel-contents", "sphinx"):
        assert line in text
    assert "index-url" not in text
