"""How commands end: statuses, interruption, defects, closed pipes, plugins that misbehave."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from speckle_core.cli import main

Invoke = Callable[..., Result]
Command = Callable[..., list[str]]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


def test_ctrl_c_ends_with_one_line_and_the_same_command_goes_on(
    tiny: Path, tmp_path: Path, command: Command, shell: Shell
) -> None:
    folder = tmp_path / "d"
    words = ("generate", tiny, "-o", folder, "--set", "structure.patterns_per_count=3000")
    begun = subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=dict(os.environ),
        # a suite that a shell runs in the background was told to ignore it, and so are its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 60
        while not list(folder.glob("shards/*.h5")) and begun.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(begun.pid, signal.SIGINT)  # as a terminal does: to the workers too
        out, err = begun.communicate(timeout=60)
    finally:
        begun.kill()
    assert begun.returncode == 130, err
    assert (out, err) == ("", "interrupted; run the same command again to resume\n")
    assert not (folder / "patterns.h5").exists()
    kept = {p: p.stat().st_mtime_ns for p in folder.glob("shards/0*.h5")}
    again = shell(*words, "--workers", 1)
    assert again.returncode == 0, again.stderr
    assert all(p.stat().st_mtime_ns == changed for p, changed in kept.items())
    assert shell("verify", folder).returncode == 0


def test_ctrl_c_promises_nothing_where_nothing_is_kept(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("speckle_core.experiment.presets.presets", interrupted)
    result = invoke("presets")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_before_a_command_has_begun_is_quiet_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("speckle_core.cli.app.app", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_goes_away_is_no_fault(command: Command) -> None:
    begun = subprocess.Popen(
        command("presets", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert begun.stdout is not None
    assert begun.stderr is not None
    begun.stdout.close()
    assert begun.stderr.read() == ""
    begun.stderr.close()
    assert begun.wait(timeout=60) in (0, 1)


def test_a_defect_is_one_line_that_says_whose_it_is(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ValueError("two\nlines")

    monkeypatch.setattr("speckle_core.experiment.presets.presets", broken)
    result = invoke("presets", SPECKLE_DEBUG="")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: this is a bug in speckle-core 0")
    assert "(ValueError: two lines)" in line
    assert "SPECKLE_DEBUG=1" in line
    debugged = invoke("presets", SPECKLE_DEBUG="1").stderr
    assert "Traceback" in debugged
    assert 'raise ValueError("two\\nlines")' in debugged


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for PYTHONPATH with two installed plugins: one is broken, one fails when used."""
    site = tmp_path_factory.mktemp("site")
    for name, version, module in (
        ("no-such", "1.2", "no_such_plugin"),
        ("faulty", "9.9", "faulty_plugin"),
    ):
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[speckle.plugins]\n{name} = {module}\n")
    (site / "no_such_plugin.py").write_text("import there_is_no_such_package\n")
    (site / "faulty_plugin.py").write_text(
        "import attrs\n"
        "from speckle_core import Component, hookimpl\n"
        "@attrs.frozen(kw_only=True)\n"
        "class Faulty:\n"
        "    box: float = 2000.0\n"
        "    def sample(self, count, rng):\n"
        "        raise ZeroDivisionError('in the sampler')\n"
        "@hookimpl\n"
        "def speckle_samplers():\n"
        "    return [Component('faulty', Faulty, 'Fails.')]\n"
    )
    return str(site)


def test_a_broken_plugin_is_one_warning_and_costs_nothing_else(
    strangers: str, tiny: Path, tmp_path: Path, shell: Shell
) -> None:
    done = shell("show", tiny, "-o", tmp_path / "a.png", PYTHONPATH=strangers)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert warning == (
        "warning: no-such==1.2 (plugin no-such) was left out: ModuleNotFoundError: "
        "No module named 'there_is_no_such_package'"
    )


def test_listing_names_a_broken_plugin_its_version_and_the_cause(
    strangers: str, shell: Shell
) -> None:
    done = shell("plugins", "list", PYTHONPATH=strangers)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(
        "Broken and left out:\n  no-such==1.2 (plugin no-such): ModuleNotFoundError: "
        "No module named 'there_is_no_such_package'\n"
    )
    assert shell("plugins", "list", "--strict", PYTHONPATH=strangers).returncode == 1
    assert shell("--help", PYTHONPATH=strangers).returncode == 0


def test_a_plugin_that_raises_is_blamed_by_name_and_version(
    strangers: str, tiny: Path, tmp_path: Path, shell: Shell
) -> None:
    sampler = "structure.sampler={name='faulty'}"
    done = shell("generate", tiny, "-o", tmp_path / "d", "--set", sampler, PYTHONPATH=strangers)
    assert done.returncode == 1
    assert "error: this is a bug in faulty 9.9 (ZeroDivisionError: in the sampler)" in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_there_are_bars_with_rate_and_time_left(
    tiny: Path, tmp_path: Path, command: Command
) -> None:
    mine, theirs = pty.openpty()
    words = ("generate", tiny, "-o", tmp_path / "d", "--workers", 1)
    words += ("--set", "structure.patterns_per_count=500")
    begun = subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(mine, 4096):
            shown += piece
    except OSError:  # how a terminal says that nobody writes any more
        pass
    finally:
        os.close(mine)
    out, _ = begun.communicate(timeout=60)
    assert begun.returncode == 0
    assert out.decode().startswith("data: ")
    text = shown.decode()
    assert "\x1b[" in text
    assert "patterns/s" in text
    assert "left" in text
    assert "generate: 1500 patterns, " in text
