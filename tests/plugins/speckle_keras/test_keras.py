"""Keras needs a process for each backend: what is asked of it lies in `inside`."""

import importlib.util

import pytest

#: With the parity tests, which need processes of Keras as well.
pytestmark = pytest.mark.xdist_group("keras")
INSIDE = "tests/plugins/speckle_keras/inside"


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_the_network_does_all_that_is_asked_of_it(backend, keras_on, run_python):
    if importlib.util.find_spec(backend) is None or importlib.util.find_spec("keras") is None:
        pytest.skip(f"keras and {backend} are not both installed")
    process = run_python(
        "-m", "pytest", "-p", "no:cacheprovider", "-o", "python_files=inside_*.py", INSIDE,
        python=keras_on(backend), KERAS_BACKEND=backend, PRELOAD="speckle_keras.backend",
    )  # fmt: skip
    assert process.returncode == 0, process.stdout + process.stderr


def test_listing_options_imports_no_framework(run_python):
    code = (
        "import sys\n"
        "from speckle_core.plugins.component import options_of\n"
        "from speckle_core.plugins.manager import plugin_manager\n"
        "of = lambda name: options_of(plugin_manager().factory('classifier', name))\n"
        "assert of('keras-specklenet') == of('torch-specklenet')\n"
        "kind = plugin_manager().factory('classifier', 'keras-resnet50')\n"
        "assert eval(repr(kind(crop=129)), {'KerasResNet50': kind}).crop == 129\n"
        "theirs = plugin_manager().factory('classifier', 'torch-resnet50')\n"
        "assert options_of(kind) == options_of(theirs)\n"
        "print({'keras', 'tensorflow', 'torch'} & set(sys.modules))"
    )
    process = run_python("-c", code)
    assert process.stdout == "set()\n", process.stderr


LACKING = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == sys.argv[1] else find(name, *rest)
from speckle_core import SpeckleError, create
from speckle_keras.resnet50 import KerasResNet50
for make in (lambda: create("classifier", "keras-resnet50"), KerasResNet50()._framework):
    try:
        make()
    except SpeckleError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("backend", "lacking", "extra"),
    [
        ("tensorflow", "keras", "keras"),
        (None, "tensorflow", "keras"),
        ("tensorflow", "tensorflow", "keras"),
        ("torch", "torch", "keras,torch"),
    ],
)
def test_a_missing_backend_gives_the_line_that_installs_it(backend, lacking, extra, run_python):
    chosen = {"KERAS_BACKEND": backend} if backend else {}
    lines = run_python("-c", LACKING, lacking, **chosen).stdout.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("MissingDependencyError") for line in lines[::2])
    assert all(f"needs {lacking}" in line for line in lines[::2])
    assert all(line == f"  Run: pip install 'speckle-core[{extra}]'" for line in lines[1::2])


def test_a_backend_that_does_not_load_is_told_with_its_cause(run_python, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcuda is of another planet')")
    code = "from speckle_keras.resnet50 import KerasResNet50\nKerasResNet50()._framework()"
    process = run_python("-c", code, KERAS_BACKEND="tensorflow", PYTHONPATH=str(tmp_path))
    error = process.stderr.split("The above exception")[-1]
    assert "MissingDependencyError" in error
    assert "libcuda is of another planet" in error
    assert "pip install 'speckle-core[keras]'" in error


def test_another_backend_is_refused(run_python):
    code = "from speckle_keras.resnet50 import KerasResNet50\nKerasResNet50()._framework()"
    process = run_python("-c", code, KERAS_BACKEND="numpy")
    assert "run on tensorflow and torch, not on 'numpy'" in process.stderr
