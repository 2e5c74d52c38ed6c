"""``speckle doctor``: describe the machine and the installation for a bug report."""

from __future__ import annotations

from typing import Any

from speckle_core.cli.options import Json
from speckle_core.cli.output import echo

_BACKENDS = {
    "torch": "import json, torch; print(json.dumps([torch.cuda.get_device_name(i) "
    "for i in range(torch.cuda.device_count())]))",
    "tensorflow": "import json, tensorflow as tf; "
    "print(json.dumps([g.name for g in tf.config.list_physical_devices('GPU')]))",
}
_TIMEOUT = 120  # seconds; a first import from a slow disk takes long


def doctor(as_json: Json = False) -> None:
    """Print versions, backends, GPUs, threads and plugins, to paste into a bug report.

    Each backend is loaded in a separate process to find out whether it works and which GPUs it
    sees.

    For example:

      speckle doctor
      speckle doctor --json > doctor.json
    """
    from speckle_core.cli.failure import say
    from speckle_core.cli.machine import describe_machine
    from speckle_core.cli.output import print_json

    say("loading each backend …")
    found = {
        "versions": _versions(),
        "backends": _backends(),
        "machine": describe_machine(),
        "plugins": _plugins(),
    }
    if as_json:
        print_json(found)
        return
    for title, entries in found.items():
        echo(title)
        for name, value in entries.items():
            many = ", ".join(map(str, value)) if isinstance(value, list) else value
            echo(f"  {name}: {'none' if many in ('', None) else many}")


def _versions() -> dict[str, str]:
    from speckle_core.experiment.provenance import LIBRARIES, versions

    return versions(libraries=(*LIBRARIES, "attrs", "cattrs", "pluggy", "typer", "rich"))


def _backends() -> dict[str, str]:
    """Return the state of each backend; all load in parallel, since each takes seconds."""
    import importlib.util
    import subprocess
    import sys

    processes = {
        name: subprocess.Popen(  # noqa: S603 # fixed code in our own interpreter
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, code in _BACKENDS.items()
        if importlib.util.find_spec(name) is not None
    }
    try:
        return {
            name: _answer(processes[name]) if name in processes else "not installed"
            for name in _BACKENDS
        }
    finally:
        for process in processes.values():
            process.kill()


def _answer(process: Any) -> str:
    import json
    import subprocess

    try:
        out, err = process.communicate(timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"did not answer within {_TIMEOUT} s"
    if process.returncode != 0:
        lines = err.strip().splitlines() or [f"status {process.returncode}"]
        return f"is installed but does not load: {lines[-1]}"
    gpus = json.loads(out.splitlines()[-1])
    return "loads, sees " + (", ".join(gpus) if gpus else "no GPU")


def _plugins() -> dict[str, Any]:
    from speckle_core.cli.plugins.find import all_components
    from speckle_core.plugins.discovery import ALLOW
    from speckle_core.plugins.manager import PluginManager
    from speckle_core.plugins.trial import try_plugins

    fatal, whole = try_plugins()
    entries, failures = all_components(PluginManager(allow=whole if fatal else None))
    found: dict[str, Any] = {
        str(f.provider): f"FATAL: {f.cause}; leave it out: {ALLOW}={','.join(whole)}" for f in fatal
    }
    for entry in entries:
        found.setdefault(str(entry.provider), []).append(entry.component.name)
    return found | {str(f.provider): f"BROKEN: {f.cause}" for f in failures}
