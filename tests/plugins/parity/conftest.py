import importlib.util
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

SCRIPT = str(Path(__file__).with_name("answers.py"))
FRAMEWORKS = {"torch": "torch", "keras": "tensorflow", "keras on torch": "torch"}


@pytest.fixture(scope="session")
def ask(programs, keras_on):
    """Return a function that lets one framework do tasks of `answers.py`, in its own process."""

    def answer(who, *tasks):
        backend = FRAMEWORKS[who]
        component, python, preload = "torch-resnet50", programs / "python", "torch"
        if who != "torch":
            component, preload = "keras-resnet50", "speckle_keras.backend"
            python = keras_on(backend)
        process = subprocess.run(
            [python, SCRIPT, component, *(":".join(map(str, task)) for task in tasks)],
            env=os.environ | {"KERAS_BACKEND": backend, "PRELOAD": preload},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        # Never two frameworks in one process, whatever was asked.
        assert process.stdout.strip() == backend

    return answer


@pytest.fixture(scope="session")
def models(tmp_path_factory, ask):
    """Return a folder with the network trained by torch, small ones by each, and all answers."""
    # Asked without importing them: other tests of this process compute with one of them.
    for package in ("torch", "keras", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("parity")
    torchs, there = folder / "by torch", folder / "converted"

    def explain(who):
        return "explain", torchs, folder / f"by torch, {who}.npz"

    def small(who):
        return "small", folder / f"small by {who}", folder / f"small, {who}.npz"

    def judge(model, who):
        return "judge", folder / f"small by {model}", folder / f"small by {model}, {who}.npz"

    net, net_there = folder / "net", folder / "net, converted"

    def go_on(who, model=net):
        return "go_on", model, folder / f"net, {who}.npz"

    ask(
        "torch",
        ("train", torchs, 1),
        explain("torch"),
        small("torch"),
        ("learn", net),
        go_on("torch"),
    )
    ask(
        "keras",
        explain("keras"),
        small("keras"),
        judge("keras", "keras"),
        ("convert", torchs, there),
        ("convert", net, net_there, "specklenet"),
        go_on("keras", net_there),
    )
    ask(
        "keras on torch",
        explain("keras on torch"),
        small("keras on torch"),
        judge("keras", "keras on torch"),
        go_on("keras on torch", net_there),
    )
    ask(
        "torch",
        judge("keras", "torch"),
        judge("keras on torch", "torch"),
        ("convert", there, folder / "back"),
        ("convert", net_there, folder / "net, back", "specklenet"),
    )
    return folder


@pytest.fixture
def said(models):
    def load(model, who):
        return np.load(models / f"{model}, {who}.npz")

    return load
