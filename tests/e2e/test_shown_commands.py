"""Every command that a help text, the README, a page or a hint shows is one that works.

Each is parsed as the shell would hand it over, and what it says of an experiment is loaded with its
settings; the scripts beside this file run the main ones to their end.
"""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from speckle_core.cli.app import app
from speckle_core.cli.options import load_experiment
from speckle_core.experiment.presets import presets

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/*.md")])
#: Stand for whatever the reader has: files and plugins of others.
PLACEHOLDERS = re.compile(r"[A-Z]{3,}|…|\.\.\.|<[^>]+>|\$\(|\$[A-Z]|\|")


def leaves(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS = dict(leaves(GROUP))


def of_helps() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        text = inspect.cleandoc(inspect.unwrap(command.callback).__doc__ or "")
        # A line that goes on is indented further.
        for line in re.sub(r"\n {4,}", " ", text).splitlines():
            if line.strip().startswith("speckle "):
                yield f"{' '.join(name)} --help", line.strip()


def of_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for block in re.findall(r"^```(?:console|bash|sh|text)\n(.*?)^```", text, re.M | re.S):
            for line in re.sub(r"\\\n", " ", block).splitlines():
                words = line.removeprefix("$ ").strip()
                if words.startswith("speckle ") and not words.startswith("speckle-"):
                    yield str(page.relative_to(ROOT)), words.split("  #")[0].strip()
        for words in re.findall(r"`(speckle [a-z][^`\n]*)`", text):
            # Named in a sentence, it need not be whole.
            yield str(page.relative_to(ROOT)), f"{words} …"


SHOWN = sorted({*of_helps(), *of_pages()})


def parsed(words: list[str]) -> dict[str, Any]:
    """Return the parameters that the words give to the command they call."""
    for length in (2, 1):
        command = COMMANDS.get(tuple(words[:length]))
        if command is not None:
            found: dict[str, Any] = command.make_context(words[0], list(words[length:])).params
            return found
    raise AssertionError(f"there is no command {words[:2]}")


def test_commands_were_found_in_every_place() -> None:
    places = {place for place, _ in SHOWN}
    assert {"README.md", "run --help", "explain --help", "docs/howto/predict.md"} <= places
    assert len(SHOWN) > 60


@pytest.mark.parametrize(("place", "shown"), SHOWN)
def test_a_shown_command_is_one_that_the_command_line_takes(place: str, shown: str) -> None:
    words = shlex.split(shown.split(" > ")[0], comments=True)[1:]
    if PLACEHOLDERS.search(shown) or len(words) < 2:
        # A pattern for the reader to fill in: its command and its options must exist.
        known = next((c for n in (2, 1) if (c := COMMANDS.get(tuple(words[:n]))) is not None), None)
        assert known is not None or words[0] in ("plugins", "--help", "--version"), shown
        if known is not None:
            flags = {flag for p in known.params for flag in p.opts} | {"--help"}
            given = {word.partition("=")[0] for word in words if word.startswith("-")}
            assert {g for g in given if re.match(r"--?[a-z]", g)} <= flags
        return
    values = parsed(words)
    source = values.get("experiment") or (values.get("what") if words[0] == "show" else None)
    if source in presets():
        # As the command does before anything else: every component, option and setting.
        assert load_experiment(source, values.get("settings"), only=("structure",))


HINT = re.compile(r"\bspeckle ([a-z]+)(?: ([a-z]+))?")


def test_hints_of_errors_name_commands_that_exist() -> None:
    names = {name[0] for name in COMMANDS}
    found = set()
    for file in [*(ROOT / "speckle_core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        for text in re.findall(r"hint=\(?\s*f?\"([^\"]*)\"", file.read_text("utf-8")):
            for first, _ in HINT.findall(text):
                found.add(first)
    assert found
    assert found - names <= {"training", "run", "data"}, found - names
