"""``speckle doctor``: describe the machine and the installation for a bug report."""

from __future__ import annotations

from pathlib import Path
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
_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16")
_VARIABLES = ("SPECKLE_PLUGINS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND")


def doctor(as_json: Json = False) -> None:
    """Print versions, backends, GPUs, threads and plugins, to paste into a bug report.

    Each backend is loaded in a separate process to find out whether it works and which GPUs it
    sees.

    For example:

      speckle doctor
      speckle doctor --json > doctor.json
    """
    from speckle_core.cli.failure import say
    from speckle_core.cli.output import print_json

    say("loading each backend …")
    found = {
        "versions": _versions(),
        "backends": _backends(),
        "machine": _machine(),
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


def _machine() -> dict[str, Any]:
    import os
    import platform

    from threadpoolctl import threadpool_info

    cpu = _cpu_info()
    flags = cpu.get("flags", "").split()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    pools = (f"{p['user_api']} {p['internal_api']} {p['num_threads']}" for p in threadpool_info())
    return {
        "platform": platform.platform(),
        "processor": cpu.get("model name", platform.processor()),
        "processor features": [flag for flag in _FEATURES if flag in flags],
        "cores": os.cpu_count(),
        "cores this process may use": usable,
        "threads": list(pools),
        "NVIDIA GPUs": _nvidia(),
        "environment": [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ],
    }


def _cpu_info() -> dict[str, str]:
    """Return the first processor's entries of ``/proc/cpuinfo`` on Linux, else nothing."""
    path = Path("/proc/cpuinfo")
    first = path.read_text("utf-8").partition("\n\n")[0] if path.is_file() else ""
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _nvidia() -> list[str]:
    import shutil
    import subprocess

    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    done = subprocess.run(  # noqa: S603 # the driver's own tool
        [tool, "-L"], capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    return (done.stdout or done.stderr).strip().splitlines()


def _plugins() -> dict[str, Any]:
    from speckle_core.cli.plugins.find import all_components
    from speckle_core.plugins.manager import ALLOW, PluginManager
    from speckle_core.plugins.trial import try_plugins

    fatal, whole = try_plugins()
    entries, failures = all_components(PluginManager(allow=whole if fatal else None))
    found: dict[str, Any] = {
        str(f.provider): f"FATAL: {f.cause}; leave it out: {ALLOW}={','.join(whole)}" for f in fatal
    }
    for entry in entries:
        found.setdefault(str(entry.provider), []).append(entry.component.name)
    return found | {str(f.provider): f"BROKEN: {f.cause}" for f in failures}
