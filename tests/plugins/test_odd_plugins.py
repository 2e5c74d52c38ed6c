"""Plugins that raise what cannot be caught by accident, damage the process, or end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """
from speckle_core import Component, hookimpl
@hookimpl
def speckle_samplers():
    return [Component("NAME", "somewhere:Thing", "It is there.")]
"""
ODD = {
    "base": "class X(BaseException): pass\nraise X('boom')",
    "generator-exit": "raise GeneratorExit",
    "ctrl-c": "raise KeyboardInterrupt",
    "no-message": "class E(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise E()",
    "warnings": "import warnings; warnings.simplefilter('error'); raise ValueError('x')",
    "recursion": "import sys; sys.setrecursionlimit(60); raise ValueError('x')",
    "recursion-good": "import sys; sys.setrecursionlimit(120)\n" + GOOD,
    "descriptor": "import os; os.write(1, b'noise')\n" + GOOD,
    "folder": "import os; os.chdir('/')\n" + GOOD,
    "escapes": "raise ValueError('\\x1b[2J\\x1b]0;title\\x07hello')",
    "long": "raise ValueError('z' * 5_000_000)",
    "exits": "raise SystemExit(3)",
    "closes": "import sys; sys.__stdout__.close()\n" + GOOD,
    "removes": "import os, sys; sys.path.clear(); os.environ.clear()\n" + GOOD,
    "logs": "import logging; logging.basicConfig(); logging.error('\\x1b[2J')\n" + GOOD,
}


def install(site: Path, name: str, source: str, metadata: bytes | None = None) -> None:
    module = f"odd_{name.replace('-', '_')}"
    (site / f"{module}.py").write_text(source.replace("NAME", f"x-{name}"))
    info = site / f"odd_{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    whole = f"Metadata-Version: 2.1\nName: odd-{name}\nVersion: 1.0\n".encode()
    (info / "METADATA").write_bytes(whole if metadata is None else metadata)
    (info / "entry_points.txt").write_text(f"[speckle.plugins]\n{name} = {module}\n")


def speckle(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from speckle_core.cli import main; main()", *args],
        env={**os.environ, "PYTHONPATH": str(site), "_TYPER_FORCE_DISABLE_TERMINAL": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], str]:
    site = tmp_path_factory.mktemp("site")
    for name, source in ODD.items():
        install(site, name, source)
    install(site, "no-metadata", GOOD, b"\xff\xfe\x00")
    for name, text in {"torn": b"\xff\xfe", "senseless": b"[speckle.plugins]\nwhat\n"}.items():
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_bytes(b"\x80" * 100)
        (info / "entry_points.txt").write_bytes(text)
    (site / "pipe-1.0.dist-info").mkdir()
    os.mkfifo(site / "pipe-1.0.dist-info" / "entry_points.txt")
    done = speckle(site, "plugins", "list", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr + done.stdout


def test_each_odd_plugin_is_left_out_and_named_and_the_others_are_there(listed) -> None:
    found, _ = listed
    broken = {entry["plugin"]: entry["cause"] for entry in found["broken"]}
    good = {"recursion-good", "descriptor", "folder", "no-metadata", "closes", "removes", "logs"}
    assert ODD.keys() - good <= broken.keys()
    assert not good & broken.keys()
    names = {component["name"] for component in found["components"]}
    assert {f"x-{name}" for name in good} | {"monodisperse"} <= names
    assert "KeyboardInterrupt" in broken["ctrl-c"]
    assert "message cannot be read" in broken["no-message"]
    assert len(broken["long"]) < 600


def test_damaged_distributions_are_named(listed) -> None:
    causes = {e["distribution"]: e["cause"] for e in listed[0]["broken"] if e["plugin"] == "?"}
    assert {"senseless", "pipe"} <= causes.keys()
    assert all("entry_points.txt cannot be read" in cause for cause in causes.values())


def test_no_escape_sequence_is_printed(listed) -> None:
    assert "\x1b" not in listed[1]
    assert "\\u001b" not in listed[1]


def test_doctor_names_plugins_that_end_python_or_never_return(tmp_path: Path) -> None:
    install(tmp_path, "ends", "import os; os._exit(0)")
    install(tmp_path, "sleeps", "import time; time.sleep(1000)")
    install(
        tmp_path, "waits", f"from threading import *; Thread(target=Event().wait).start()\n{GOOD}"
    )
    code = (
        "from speckle_core.plugins.trial import try_plugins; import json;"
        "fatal, whole = try_plugins(5);"
        "print(json.dumps([{f.provider.plugin: f.cause for f in fatal}, whole]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        # A few of them, so that a slow machine has enough of those seconds for each.
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "SPECKLE_PLUGINS": "ends,sleeps,waits,disks",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    fatal, whole = json.loads(done.stdout)
    assert fatal == {
        "ends": "importing it ends Python with status 0",
        "waits": "importing it starts a thread that keeps Python from ending",
        "sleeps": "importing it takes longer than 5 s",
    }
    assert whole == ["disks"]
