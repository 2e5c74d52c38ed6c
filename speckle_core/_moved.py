"""Modules of version 0.1.0 under their old names, for scripts that import them.

Importing one returns the module that replaced it, with a `DeprecationWarning`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
import warnings
from collections.abc import Sequence

_HOME = __name__.rpartition(".")[0]
_MOVED = {
    "atomic": "files",
    "dataset": "data",
    "dataset.dataset": "data.dataset",
    "dataset.hdf5": "data.hdf5",
    "dataset.manifest": "data.manifest",
    "dataset.master": "data.master",
    "dataset.nexus": "data.nexus",
    "dataset.particles": "data.columns",
    "dataset.pool": "data.workers",
    "dataset.produce": "data.build_shards",
    "dataset.reader": "data.reader",
    "dataset.shard": "data.shard",
    "dataset.verification": "data.verify",
    "familiar": "models.novelty",
    "generate": "data.generate",
    "grid": "contracts.grid",
    "patterns": "contracts.patterns",
    "readers": "data.foreign_files",
    "splits": "experiment.split",
    "training": "models.train",
}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last in the search, and answers only for names in this package without a file."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(f"{_HOME}.") or name[len(_HOME) + 1 :] not in _MOVED:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=name.endswith(".dataset"))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:  # noqa: ARG002
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        now = f"{_HOME}.{_MOVED[module.__name__[len(_HOME) + 1 :]]}"
        warnings.warn(f"{module.__name__} is now {now}", DeprecationWarning, stacklevel=2)
        there = vars(importlib.import_module(now))
        vars(module).update({k: v for k, v in there.items() if not k.startswith("__")})


def register() -> None:
    """Make the old names importable."""
    sys.meta_path.append(_Finder())
