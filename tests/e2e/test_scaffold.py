from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from speckle_core.plugins.scaffold import NewPlugin
from speckle_core.testing import KNOWN_NUMBER
from tests.e2e.fresh_environment import ROLES, Fresh

#: One environment serves all of them.


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, fresh: Fresh) -> Path:
    """One new package of each role, installed in the fresh environment."""
    home = tmp_path_factory.mktemp("written")
    for role in ROLES:
        NewPlugin.named(f"strange-{role}", role).write(home / role)
    fresh.install(*(home / role for role in ROLES))
    return home


def test_every_package_passes_the_kit_and_its_own_tests_as_generated(
    written: Path, fresh: Fresh
) -> None:
    folders = [written / role / "tests" for role in ROLES]
    done = fresh.run(
        "pytest",
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        *folders,
        cwd=written,
    )
    last = done.stdout.strip().splitlines()[-1]
    # The checks of the kit and 14 tests of their own; `intensities` of a scatterer and six methods
    # of a classifier, held to nine checks, are optional, and these have none of them.
    expected = sum(KNOWN_NUMBER[role] for role in ROLES) + 14
    assert done.returncode == 0, done.stdout
    assert last.startswith(f"{expected - 10} passed, 10 skipped"), last


def test_every_package_is_listed_with_its_role(written: Path, fresh: Fresh) -> None:
    listed = fresh.speckle("plugins", "list").splitlines()
    for role in ROLES:
        (line,) = [line for line in listed if f"strange-{role}==0.1.0" in line]
        assert line.startswith(role)


@pytest.mark.parametrize("role", ROLES)
def test_the_command_checks_it(role: str, written: Path, fresh: Fresh) -> None:
    assert "fail" not in fresh.speckle("plugins", "check", f"strange-{role}")


@pytest.mark.parametrize("role", ROLES)
def test_there_is_one_place_for_the_physics_and_the_readme_names_it(
    role: str, written: Path
) -> None:
    sources = list((written / role).rglob("*.py"))
    (place,) = [path for path in sources if "Put your " in path.read_text()]
    assert place == written / role / f"strange_{role}" / f"{role}.py"
    assert f"strange_{role}/{role}.py" in (written / role / "README.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_ruff_finds_nothing_in_what_is_written(role: str, written: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    settings = ("--isolated", "--line-length", "100", ".")
    for arguments in (
        ("check", "--select", "A,B,E,F,I,N,NPY,PIE,RET,SIM,UP,W", *settings),
        ("format", "--diff", *settings),
    ):
        done = subprocess.run(
            [ruff, *arguments], cwd=written / role, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_command_says_where_the_physics_goes(tmp_path: Path, fresh: Fresh) -> None:
    said = fresh.speckle("plugins", "new", "odd-shapes", "--role", "sampler", cwd=tmp_path)
    assert "Your code goes into odd-shapes/odd_shapes/sampler.py" in said
    assert (tmp_path / "odd-shapes" / "odd_shapes" / "sampler.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("Bad", "--role", "sampler"), 2),
        (("fine", "--role", "smpler"), 2),
        (("fine", "--role", "sampler", "-o", "."), 1),
    ],
)
def test_the_command_ends_with_the_status_of_its_fault(
    arguments: tuple[str, ...], status: int, tmp_path: Path, fresh: Fresh
) -> None:
    done = fresh.run(
        "speckle",
        "plugins",
        "new",
        *arguments,
        cwd=tmp_path,
    )
    assert done.returncode == status
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
