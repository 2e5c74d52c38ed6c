"""The machine, as a bug report should have it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

_TIMEOUT = 120  # seconds; a driver that starts takes long
_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16")
_VARIABLES = ("SPECKLE_PLUGINS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND")


def describe_machine() -> dict[str, Any]:
    """Return platform, processor, cores, threads, GPUs and what the environment sets."""
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
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    done = subprocess.run(  # noqa: S603 # the driver's own tool
        [tool, "-L"], capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    return (done.stdout or done.stderr).strip().splitlines()
