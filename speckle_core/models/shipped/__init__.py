"""The trained models that come with the package: a folder each, found by name.

Beside the files of every model folder each has `card.md`: what it was trained on, how good it is
and what it cannot do.
"""

from __future__ import annotations

from pathlib import Path

from speckle_core.errors import ModelError, nearest
from speckle_core.files import inside_run

CARD = "card.md"
_RECORD = "model.toml"


def shipped_models() -> dict[str, Path]:
    """Return the folder of every model that comes with the package, by name."""
    folders = sorted(f.parent for f in Path(__file__).parent.glob(f"*/{_RECORD}"))
    return {folder.name: folder for folder in folders}


def model_folder(path: Path) -> Path:
    """Return the folder of a model: itself, that in a run folder, or the shipped one of that name.

    A folder of that name in the working directory comes first.
    """
    if not path.exists():
        return shipped_models().get(str(path), path)
    return inside_run(path, "model", _RECORD)


def suggestion(name: str) -> str:
    """Return which model of almost this name comes with the package, as a hint; else nothing."""
    near = nearest(name, shipped_models())
    return f"Did you mean the model {near[0]!r}? 'speckle models list' shows them." if near else ""


def shipped_folder(name: str) -> Path:
    """Return the folder of a model that comes with the package.

    Raises
    ------
    ModelError
        When there is none of that name.
    """
    known = shipped_models()
    if name not in known:
        raise ModelError(
            "is not a model that comes with speckle-core",
            where=name,
            hint=suggestion(name) or "'speckle models list' shows them.",
        )
    return known[name]
