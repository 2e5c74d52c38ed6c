import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests.plugins.parity.processes import run

HERE = Path(__file__).parent
FRAMEWORKS = {
    "torch": ("torch-resnet50", {}, "torch"),
    "keras": ("keras-resnet50", {"KERAS_BACKEND": "tensorflow"}, "tensorflow"),
    "keras on torch": ("keras-resnet50", {"KERAS_BACKEND": "torch"}, "torch"),
}


def ask(who, *tasks):
    component, variables, framework = FRAMEWORKS[who]
    # Never two frameworks in one process, whatever was asked.
    assert run(str(HERE / "answers.py"), component, *tasks, **variables) == framework


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Return a folder with a model trained by torch, one by Keras, and everyone's answers."""
    # Asked without importing them: other tests of this process compute with one of them.
    for package in ("torch", "keras", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("parity")

    def tasks(who, *names):
        return [f"answer:{folder / name}:{folder / f'{name}, {who}.npz'}" for name in names]

    def begin(who):
        return f"small:{folder / f'small, {who}.npz'}"

    ask("torch", f"train:{folder / 'by torch'}:1", *tasks("torch", "by torch"), begin("torch"))
    ask(
        "keras", *tasks("keras", "by torch"), f"train:{folder / 'by keras'}:2",
        *tasks("keras", "by keras"), begin("keras"),
    )  # fmt: skip
    ask("torch", *tasks("torch", "by keras"))
    ask("keras on torch", *tasks("keras on torch", "by torch", "by keras"), begin("keras on torch"))
    return folder


@pytest.fixture
def said(models):
    def load(model, who):
        return np.load(models / f"{model}, {who}.npz")

    return load
