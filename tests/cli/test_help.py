from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer.main

from speckle_core.cli.app import app

#: What can be said of frames, wherever files are read.
FRAMES = {"--dataset", "--frames-axis", "--mask", "--invalid", "--center", "--step", "--crop"}
FRAMES |= {"--wavelength", "--distance", "--pixel-size", "--unit", "--poni", "--rebin"}
#: Every command with the options that it has besides --help.
PROMISED = {
    "run": {
        "-o",
        "--output",
        "--set",
        "--fresh",
        "--workers",
        "--tensorboard",
        "--dry-run",
        "--json",
    },
    "study": {
        "--vary",
        "--classifiers",
        "--models",
        "--set",
        "-o",
        "--output",
        "--workers",
        "--keep-data",
        "--dry-run",
        "--json",
    },
    "generate": {
        "-o",
        "--output",
        "--workers",
        "--scheduler",
        "--shard",
        "--submit",
        "--jobs",
        "--job",
        "--set",
        "--dry-run",
        "--json",
    },
    "import": {"--labels", "--like", "-o", "--output", "--json"} | FRAMES,
    "verify": {"--repair", "--json"},
    "audit": {"--baseline", "--json"},
    "train": {
        "--data",
        "--from",
        "-o",
        "--output",
        "--set",
        "--tensorboard",
        "--dry-run",
        "--json",
    },
    "evaluate": {"--data", "--split", "-o", "--output", "--json"},
    "predict": {"--json"} | FRAMES,
    "explain": {"--data", "--explainer", "--index", "--set", "-o", "--output", "--json"} | FRAMES,
    "solve": {
        "--index",
        "--solver",
        "--set",
        "--like",
        "--workers",
        "--seed",
        "-o",
        "--output",
        "--json",
        *FRAMES,
    },
    "convert": {"--to", "-o", "--output", "--json"},
    "export": {"-o", "--output", "--json"},
    "moments": {"--json"} | FRAMES,
    "show": {"-o", "--output", "--set"} | FRAMES,
    "presets": {"--json"},
    "bench": {"--size", "--network", "--json"},
    "doctor": {"--json"},
    "models list": {"--json"},
    "models show": set(),
    "plugins list": {"--json", "--strict"},
    "plugins show": {"--json"},
    "plugins check": {"--json"},
    "plugins new": {"--role", "--network", "-o", "--output"},
}


def leaves(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


COMMANDS = dict(leaves(typer.main.get_command(app)))


def test_the_commands_are_those_promised() -> None:
    assert set(COMMANDS) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_a_command_takes_the_options_promised_and_no_others(name: str) -> None:
    found = {flag for p in COMMANDS[name].params for flag in p.opts if flag.startswith("-")}
    assert found - {"--help"} == PROMISED[name]


@pytest.mark.parametrize("name", PROMISED)
def test_help_of_a_command_says_what_it_does_and_shows_an_example(
    name: str, invoke: Callable[..., Any]
) -> None:
    result = invoke(*name.split(), "--help")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert COMMANDS[name].help.split("\n\n")[0].endswith(".")
    # Whole: what stands in brackets would be taken for a style.
    shown = " ".join(result.stdout.split())
    assert " ".join(COMMANDS[name].help.split()) in shown
    assert f"speckle {name}" in result.stdout.partition("For example:")[2]


@pytest.mark.parametrize("name", PROMISED)
def test_help_explains_every_argument_and_option(name: str) -> None:
    assert all(parameter.help for parameter in COMMANDS[name].params)


@pytest.mark.parametrize("name", PROMISED)
def test_examples_fit_a_terminal_of_80_columns(name: str) -> None:
    lines = inspect.cleandoc(COMMANDS[name].callback.__doc__).splitlines()
    assert max(len(line) for line in lines if line.startswith(" ")) <= 78


def test_every_command_ends_in_the_way_that_the_project_says() -> None:
    # `reported` wraps each; a command that was not would show tracebacks.
    assert all(hasattr(c.callback, "__wrapped__") for c in COMMANDS.values())


def test_the_version_is_that_of_the_package(invoke: Callable[..., Any]) -> None:
    import speckle_core

    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout == f"speckle {speckle_core.__version__}\n"


@pytest.mark.parametrize("name", ["", "plugins", "models", *PROMISED])
def test_help_names_no_type_of_python(name: str, invoke: Callable[..., Any]) -> None:
    assert "<" not in invoke(*name.split(), "--help").stdout


@pytest.mark.parametrize("name", PROMISED)
def test_help_shows_every_default(name: str, invoke: Callable[..., Any]) -> None:
    shown = " ".join(invoke(*name.split(), "--help").stdout.replace("│", " ").split())
    for parameter in COMMANDS[name].params:
        if parameter.default not in (None, ()) and not parameter.is_flag:
            assert f"[default: {parameter.default}]" in shown, parameter.name


def test_a_misspelt_command_or_option_is_a_usage_fault_with_the_nearest(
    invoke: Callable[..., Any],
) -> None:
    for args, near in ((("evalute",), "evaluate"), (("verify", ".", "--repare"), "--repair")):
        result = invoke(*args)
        assert result.exit_code == 2
        assert near in result.stderr


HEAVY = "torch tensorflow keras sklearn matplotlib h5py"


def loaded_after(*args: str) -> set[str]:
    code = (
        "import sys\n"
        "from speckle_core.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("args", [("--help",), ("run", "--help"), ("plugins", "list", "--help")])
def test_help_imports_nothing_heavy_and_no_plugin(args: tuple[str, ...]) -> None:
    plugins = {"speckle_disks", "speckle_scatter", "speckle_torch", "speckle_prepare"}
    found = loaded_after(*args)
    assert "typer" in found
    assert not found & {*HEAVY.split(), "numpy", "scipy", "pluggy", *plugins}


def test_listing_plugins_loads_them_and_nothing_heavy() -> None:
    found = loaded_after("plugins", "list", "--json")
    assert "speckle_torch" in found
    assert not found & set(HEAVY.split())
