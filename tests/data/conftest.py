"""The fake plugin, found like an installed one, and one small set that tests may only read."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from speckle_core.data.generate import generate
from speckle_core.plugins.manager import plugin_manager
from tests.data.fakes import PLUGIN, experiment


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "masonry_plugin.py").write_text(PLUGIN)
    info = folder / "speckle_masonry-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: speckle-masonry\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[speckle.plugins]\nmasonry = masonry_plugin\n")
    return folder


@contextlib.contextmanager
def only_masonry(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("SPECKLE_PLUGINS", "masonry")
        plugin_manager.cache_clear()
        yield
    plugin_manager.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _no_built_in_plugin(plugin_folder: Path) -> Iterator[None]:
    """Let no built-in plugin matter to the tests of this folder."""
    with only_masonry(plugin_folder):
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, plugin_folder: Path) -> Path:
    """A whole set of 600 patterns in three shards; look, do not touch."""
    folder = tmp_path_factory.mktemp("sets") / "bricks"
    with only_masonry(plugin_folder):
        generate(experiment(), folder, workers=1)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy of that set, to be spoiled."""
    return Path(shutil.copytree(made, tmp_path / "set"))


@pytest.fixture
def run_python(plugin_folder: Path) -> Callable[[str], list[str]]:
    """Return the command line for a script that sees the fake plugin."""

    def command(script: str) -> list[str]:
        paths = [str(plugin_folder), str(Path(__file__).parents[2])]
        return [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{script}"]

    return command
