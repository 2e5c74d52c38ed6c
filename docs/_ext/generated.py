"""Parts of pages that are generated from the code: commands, components, presets, checks.

A page includes one by a line ``<!-- generated: NAME -->``. Everything here returns Markdown. Tables
and numbers from docs/results are in `results`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import results
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef

from speckle_core.contracts.roles import ROLES
from speckle_core.experiment.presets import presets
from speckle_core.experiment.schema import plain
from speckle_core.plugins.component import Option, options_of
from speckle_core.plugins.manager import plugin_manager
from speckle_core.testing import checks_for

_MARK = re.compile(r"^<!-- generated: ([a-z]+) -->$", re.MULTILINE)
#: Components of the distribution itself; whatever else is installed is not documented here.
OURS = "speckle-core"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", _escape, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", _plain_signature)
    # It stands for an alias such as FloatArray, and Sphinx prints it as it is.
    TypeAliasForwardRef.__repr__ = lambda self: self.name
    return {"parallel_read_safe": True}


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    text = results.fill(source[0])
    source[0] = _MARK.sub(lambda found: TEXTS[found[1]](), text)


def _escape(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Let a docstring say |A|² and (n, *kx.shape), which reStructuredText would take as markup."""
    for number, line in enumerate(lines):
        text = line.split("`")
        text[::2] = [part.replace("|", r"\|") for part in text[::2]]
        if line.count("*") == 1:
            text[::2] = [part.replace("*", r"\*") for part in text[::2]]
        lines[number] = "`".join(text)


def _plain_signature(
    app: Sphinx,
    what: str,
    name: str,
    thing: Any,
    options: Any,
    called: str | None,
    given: str | None,
) -> tuple[str | None, str | None]:
    """Show no constructor for a protocol, which nobody calls."""
    return ("", None) if getattr(thing, "_is_protocol", False) else (called, given)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    # A bar would end the cell.
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |"
        for line in lines
    )


def commands() -> str:
    """Return every command of the shell, as its own help has it."""
    import typer

    from speckle_core.cli.app import app

    root = typer.main.get_command(app)
    return "\n\n".join(
        _command(name, command) for name, command in _leaves("speckle", root)
    )


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from _leaves(f"{name} {word}", below)
        else:
            yield f"{name} {word}", below


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    needed = [f"{p.opts[0]} {p.metavar}" for p in options if p.required]
    usage = " ".join(
        [f"$ {name}", *(p.metavar for p in arguments), *needed, "[OPTIONS]"]
    )
    rows = [(f"`{p.metavar}`", p.help or "") for p in arguments]
    rows += [
        (
            f"`{' '.join([p.opts[0], *_value(p)])}`",
            f"{p.help or ''}{_used_without(p)}",
        )
        for p in options
    ]
    help_text = "\n\n".join(
        map(_paragraph, inspect.cleandoc(command.help or "").split("\n\n"))
    )
    return "\n\n".join(
        [
            f"## {name}",
            f"```console\n{usage}\n```",
            help_text,
            _table(("", ""), rows) if rows else "",
        ]
    )


def _value(option: Any) -> list[str]:
    if option.is_flag:
        return []
    return [option.metavar or "VALUE"]


def _used_without(option: Any) -> str:
    """Return what stands for an option that is left out, where its help does not say it."""
    if option.is_flag or option.default is None or option.required:
        return ""
    return f" [default: {option.default}]"


def _paragraph(text: str) -> str:
    """Return a paragraph of help; examples, which are indented, become a block."""
    if not text.startswith("  "):
        return text
    lines = [f"$ {line.strip()}" for line in text.splitlines()]
    return "```console\n" + "\n".join(lines) + "\n```"


def components() -> str:
    """Return every component that comes with the framework, with its options."""
    parts = []
    for role in ROLES:
        parts.append(f"## {role.capitalize()}s")
        for entry in plugin_manager().components(role):
            if entry.provider.distribution != OURS:
                continue
            component = entry.component
            parts += [f"### {component.name}", component.summary]
            if component.extra:
                parts.append(f"Needs `pip install '{OURS}[{component.extra}]'`.")
            if component.reference:
                parts.append(f"Reference: {component.reference}.")
            parts.append(_options(component.resolve()))
    return "\n\n".join(parts)


def _options(factory: Callable[..., Any]) -> str:
    described = descriptions(factory)
    rows = [
        (
            f"`{option.name}`",
            option.type_name,
            _default(option),
            described.get(option.name, ""),
        )
        for option in options_of(factory)
    ]
    return (
        _table(("option", "type", "default", "description"), rows)
        if rows
        else "No options."
    )


def _default(option: Option) -> str:
    if option.default is Option.required:
        return "required"
    value = plain(option.default)
    if isinstance(value, float) and value != float(f"{value:.5g}"):
        return f"≈ {value:.5g}"
    return f"`{json.dumps(value)}`"


def descriptions(factory: Callable[..., Any]) -> dict[str, str]:
    """Return what docstrings say of each parameter, as one line of Markdown.

    Options may come from a base class, and then so does what is said of them.
    """
    found: dict[str, str] = {}
    for kind in reversed(
        inspect.getmro(factory) if inspect.isclass(factory) else (factory,)
    ):
        found |= _parameters(inspect.cleandoc(vars(kind).get("__doc__") or ""))
    # reStructuredText's two backticks are Markdown's one.
    return {name: said.replace("``", "`") for name, said in found.items()}


def _parameters(docstring: str) -> dict[str, str]:
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=\n\n\w[\w ]*\n-+\n|\Z)",
        docstring,
        re.DOTALL | re.MULTILINE,
    )
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section[1].splitlines() if section else ():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.partition(":")[0].split(",")]
        for name in names if line.startswith(" ") else ():
            found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def preset_files() -> str:
    """Return every preset as its file has it."""
    return "\n\n".join(
        f"## {name}\n\n```toml\n{text}```" for name, text in presets().items()
    )


def checks() -> str:
    """Return what the conformance kit demands, by role."""
    parts = []
    for role in ROLES:
        rows = [(f"`{check.id}`", check.demand) for check in checks_for(role)]
        parts.append(
            f"## {role.capitalize()}\n\n" + _table(("check", "requirement"), rows)
        )
    return "\n\n".join(parts)


TEXTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "components": components,
    "presets": preset_files,
    "checks": checks,
}
