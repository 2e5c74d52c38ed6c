"""Read the text of an experiment from a preset or a file, and settings from the command line."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

from speckle_core.errors import ExperimentError, nearest
from speckle_core.experiment.plain import read_source_text
from speckle_core.notes import parse_toml


def presets() -> dict[str, str]:
    """Return the text of every preset by name."""
    folder = importlib.resources.files(__name__)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text("utf-8") for f in files}


def read_source(source: str | Path) -> tuple[str, str]:
    """Return (name for messages, TOML text) of a preset or a file."""
    path = Path(source)
    known = presets()
    if str(source) in known and not path.is_file():
        return f"preset {source}", known[str(source)]
    try:
        return str(path), read_source_text(path)
    except FileNotFoundError:
        near = nearest(source, known)
        raise ExperimentError(
            "is neither a file nor a preset",
            where=str(source),
            hint=(f"Did you mean {near[0]!r}? " if near else "") + f"Presets: {', '.join(known)}.",
        ) from None
    except (OSError, ValueError) as error:
        raise ExperimentError(f"cannot be read: {error}", where=str(source)) from error


def parse_setting(
    text: str, option: str = "--set", example: str = "classifier.epochs=3"
) -> tuple[str, Any]:
    """Return path and value of ``key.path=value``; a value that is not TOML is a string.

    `option` is where it was given, and `example` how it may look there, for the message.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ExperimentError(
            f"{text!r} is not key=value", where=option, hint=f"Write {option} {example}."
        )
    try:
        return key.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError:
        return key.strip(), value.strip()
