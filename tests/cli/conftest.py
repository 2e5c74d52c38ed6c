"""What the tests of the command line share: ways to run it, and a classifier with gradients."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from typer.testing import Result

# Continuous integration asks for colours, which would stand between the words looked for.
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"

from speckle_core import Component, Epoch, hookimpl, plugin_manager

Invoke = Callable[..., Result]


@pytest.fixture
def refused(invoke: Invoke) -> Callable[..., str]:
    """Run a command that must fail as users should see it; return what it said."""

    def run(*args: object, code: int = 1) -> str:
        result = invoke(*args)
        said = result.stderr
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert sum(line.startswith("error: ") for line in said.splitlines()) == 1, said
        assert "Traceback" not in said
        assert "this is a bug" not in said
        return said

    return run


@pytest.fixture
def shell(tmp_path: Path, programs: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the console script's function in a process of its own."""

    def run(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs / "speckle", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, **environment},
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def command() -> Callable[..., list[str]]:
    """Give the words that start a command in another process."""
    return words


def words(*args: object) -> list[str]:
    start = "from speckle_core.cli import main; main()"
    return [sys.executable, "-c", start, *map(str, args)]


@attrs.define(kw_only=True)
class Ridge:
    """A linear reading of all pixels; it has gradients and epochs, which no baseline has."""

    epochs: int = 3
    weights_: Any = attrs.field(default=None, init=False)
    classes_: Any = attrs.field(default=None, init=False)

    @property
    def classes(self) -> Any:
        return self.classes_

    def fit(self, train: Any, valid: Any, *, seed: int, on_epoch: Any = None) -> list[Epoch]:
        patterns, _ = train.batch(np.arange(len(train)))
        flat = patterns.reshape(len(patterns), -1).astype(np.float64)
        wanted = np.eye(len(train.classes))[train.targets]
        gram = flat @ flat.T + len(flat) * np.eye(len(flat))
        self.weights_ = flat.T @ np.linalg.solve(gram, wanted)
        self.classes_ = train.classes
        history = []
        for number in range(1, self.epochs + 1):
            history.append(Epoch(number, self.epochs, 0.5, 0.75, np.nan, np.nan, 0.1, 1e-3))
            if on_epoch:
                on_epoch(history[-1])
        return history

    def predict_proba(self, patterns: Any) -> Any:
        scores = 20 * patterns.reshape(len(patterns), -1) @ self.weights_
        rates = np.exp(scores - scores.max(axis=1, keepdims=True))
        return rates / rates.sum(axis=1, keepdims=True)

    def input_gradients(self, patterns: Any, targets: Any, *, guided: bool = False) -> Any:
        return 20 * self.weights_.T[targets].reshape(patterns.shape)

    def save(self, folder: Path) -> None:
        np.save(folder / "weights.npy", self.weights_)
        (folder / "classes.json").write_text(json.dumps(self.classes_.tolist()))

    def load(self, folder: Path) -> None:
        self.weights_ = np.load(folder / "weights.npy")
        self.classes_ = np.array(json.loads((folder / "classes.json").read_text()))


class RidgePlugin:
    @hookimpl
    def speckle_classifiers(self) -> list[Component]:
        return [Component("ridge", Ridge, "A linear reading of all pixels.")]


@contextlib.contextmanager
def installed() -> Iterator[str]:
    plugin_manager().register(RidgePlugin(), "ridge")
    yield "ridge"
    plugin_manager.cache_clear()


@pytest.fixture
def ridge() -> Iterator[str]:
    """Name of a classifier with gradients, installed for one test."""
    with installed() as name:
        yield name


@pytest.fixture(scope="session")
def trained_once(
    tiny: Path, data: Path, invoke: Invoke, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("ridge") / "model"
    with installed() as name:
        result = invoke(
            "train", tiny, "--data", data, "-o", folder, "--set", f"classifier={name}", "--json"
        )
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture
def trained(ridge: str, trained_once: tuple[Path, Result]) -> tuple[Path, Result]:
    """A model with gradients, and what training it said; tests only read there."""
    return trained_once
