"""Checks that need a new process: what a plugin imports, and whether a saved model loads.

The question is a JSON file, and so is the answer, since a component may print anything.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from speckle_core.testing.check import CheckFailed, CheckSkipped

#: Packages that take a second or more to import.
HEAVY = ("torch", "tensorflow", "keras", "jax", "sklearn", "matplotlib", "h5py", "pandas")
_SECONDS = 600
_PROGRAM = f"import sys; from {__name__} import main; main(sys.argv[1])"


def place_of(module: str) -> dict[str, str | None]:
    """Return name and file of a module, to import it in another process."""
    loaded = sys.modules.get(module)
    return {"module": module, "file": getattr(loaded, "__file__", None)}


def class_place(factory: Callable[..., Any]) -> dict[str, str | None]:
    """Return module, file and name of a class, to import it in another process.

    Raises
    ------
    CheckSkipped
        For a class that is defined in a function or at a prompt.
    """
    place = place_of(factory.__module__)
    path = getattr(factory, "__qualname__", "<unnamed>")
    if "<" in path or (place["module"] == "__main__" and place["file"] is None):
        raise CheckSkipped(f"{path} cannot be imported by another process; define it in a module")
    return place | {"class": path}


def ask(task: str, **details: Any) -> dict[str, Any]:
    """Return the answer of a new process to a task.

    Raises
    ------
    CheckFailed
        When it fails; the message has the last lines of its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        question = Path(folder) / "task.json"
        question.write_text(json.dumps({"task": task, "answer": str(answer), **details}))
        # Our own interpreter and module; no shell.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _PROGRAM, str(question)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
        )
        if done.returncode or not answer.exists():
            tail = " / ".join(done.stderr.strip().splitlines()[-2:])
            raise CheckFailed(f"a new process failed: {tail}")
        found: dict[str, Any] = json.loads(answer.read_text())
        return found


def _import(place: Mapping[str, Any]) -> ModuleType:
    """Import a module by name if that gives the same file, else by file, as pytest does."""
    name, file = place["module"], place["file"]
    if name == "__main__":
        if file is None:  # a prompt, of which nothing can be imported
            return sys.modules[name]
        # A script, whose own guard must hold here: else it would run the checks again, and again.
        name = "__mp_main__"
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is not None and file in (None, found.origin):
        return importlib.import_module(name)
    if file is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module named {name!r} in {file}", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _listing(task: Mapping[str, Any]) -> dict[str, Any]:
    """Import the modules and return the heavy packages that they imported."""
    before = set(sys.modules)
    for place in task["places"]:
        _import(place)
    return {"heavy": sorted(set(HEAVY) & (set(sys.modules) - before))}


def _predict(task: Mapping[str, Any]) -> dict[str, Any]:
    """Load a saved classifier and return its predictions for saved patterns."""
    import numpy as np

    factory: Any = _import(task["place"])
    for part in task["place"]["class"].split("."):
        factory = getattr(factory, part)
    # JSON turns tuples into lists; options are never lists.
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in task["options"].items()}
    classifier = factory(**options)
    classifier.load(Path(task["folder"]))
    patterns = np.load(task["patterns"], allow_pickle=False)
    return {
        "classes": np.asarray(classifier.classes).tolist(),
        "probabilities": np.asarray(classifier.predict_proba(patterns), dtype=float).tolist(),
    }


def main(path: str) -> None:
    """Run the task in the file at `path`."""
    task = json.loads(Path(path).read_text())
    found = {"listing": _listing, "predict": _predict}[task["task"]](task)
    Path(task["answer"]).write_text(json.dumps(found))
