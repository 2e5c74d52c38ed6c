"""The only module that imports Keras, with an installed backend and without its log output.

``KERAS_BACKEND`` selects TensorFlow (the default) or PyTorch before Keras is first imported. What
Keras does not abstract — gradients, compiled functions, fused batch norm, devices — is in `engine`,
one module per backend. The other backend is never imported.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speckle_core import MissingDependencyError, PluginError
from speckle_networks.framework import claim

BACKENDS = ("tensorflow", "torch")
_FEATURES = ("amx_bf16", "avx512_bf16")

os.environ.setdefault("KERAS_BACKEND", BACKENDS[0])
# TensorFlow reads this on import; its C++ warnings are of no use to users.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Redirect file descriptor 2, to which C++ code writes, bypassing `sys.stderr`.

    If the block fails, the output is shown after all.
    """
    with tempfile.TemporaryFile() as kept:
        terminal = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(terminal, kept.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _import() -> tuple[Any, Any]:
    loaded = sys.modules.get("keras")
    backend = loaded.config.backend() if loaded else os.environ["KERAS_BACKEND"]
    if backend not in BACKENDS:
        raise PluginError(
            f"Keras networks here run on {' and '.join(BACKENDS)}, not on {backend!r}",
            where="KERAS_BACKEND",
            hint="Set KERAS_BACKEND=tensorflow before Keras is imported.",
        )
    extra = "keras,torch" if backend == "torch" else "keras"
    install = f"Run: pip install 'speckle-core[{extra}]'"
    for package in ("keras", backend):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(
                f"it needs {package}, which is not installed", hint=install
            )
    claim(backend)
    try:
        with _silent():
            keras = importlib.import_module("keras")
            return keras, importlib.import_module(f"speckle_keras.{backend}_engine")
    except ImportError as error:
        raise MissingDependencyError(
            f"Keras does not load with the backend {backend!r}: {error}", hint=install
        ) from error


#: Neither Keras nor its backends have type annotations.
keras: Any
engine: Any
keras, engine = _import()


def cpu_has_bfloat16() -> bool:
    """Return whether the processor supports bfloat16, as reported by Linux."""
    about = Path("/proc/cpuinfo")
    flags = about.read_text("utf-8").partition("\n\n")[0].split() if about.is_file() else []
    return any(feature in flags for feature in _FEATURES)
