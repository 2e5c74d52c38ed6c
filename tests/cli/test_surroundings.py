"""Odd surroundings: closed streams, no home, folders that may not be written, names of any kind."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import words

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
DROPPED = """
import io, json, os, sys, contextlib
from pathlib import Path
from typer.testing import CliRunner
from speckle_core.cli.app import app
tiny, home = sys.argv[1], Path(sys.argv[2])
run = lambda *args: CliRunner().invoke(app, [str(a) for a in args])
assert run("generate", tiny, "-o", home / "whole").exit_code == 0  # and all is imported
assert run("verify", home / "whole").exit_code == 0
(home / "locked").mkdir()
assert run("generate", tiny, "-o", home / "locked" / "set").exit_code == 0
os.chmod(home / "locked", 0o700)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = {}
for name, args in {
    "write": ("generate", tiny, "-o", home / "new"),
    "read": ("verify", home / "locked" / "set"),
    "verify": ("verify", home / "whole"),
}.items():
    result = run(*args)
    found[name] = [result.exit_code, result.stdout + result.stderr]
print(json.dumps(found))
"""


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may change user"
)
def test_another_user_is_told_in_one_line_what_may_not_be_done(tiny: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3], tiny.parent):
        os.chmod(folder, 0o755)
    done = subprocess.run(
        [sys.executable, "-c", DROPPED, str(tiny), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["verify"][0] == 0, found["verify"][1]
    for name in ("write", "read"):
        status, said = found[name]
        assert status == 1
        assert said.splitlines()[-1].startswith(("error: ", "  "))
        assert "ermission denied" in said
        assert "bug" not in said


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing_of_what_is_done(
    closed: str, tiny: Path, tmp_path: Path
) -> None:
    command = " ".join(map(str, words("generate", tiny, "-o", tmp_path / "set")))
    quoted = " ".join(f"'{word}'" for word in words("generate", tiny, "-o", tmp_path / "set"))
    done = subprocess.run(f"{quoted} {closed}", shell=True, timeout=120, check=False)
    assert done.returncode == 0, command
    assert (tmp_path / "set" / "patterns.h5").is_file()


def test_a_full_standard_output_is_one_error(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    quoted = " ".join(f"'{word}'" for word in words("plugins", "list"))
    done = subprocess.run(
        f"{quoted} > /dev/full",
        shell=True,
        timeout=120,
        check=False,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: No space left on device"]


def test_names_of_any_kind_and_paths_of_any_length_work_or_are_one_error(
    tiny: Path, invoke: Callable[..., object], refused: Callable[..., str], tmp_path: Path
) -> None:
    assert invoke("generate", tiny, "-o", tmp_path / "ö" / "日本語 é").exit_code == 0
    assert "ame too long" in refused("generate", tiny, "-o", tmp_path / ("y" * 300))
    assert "ame too long" in refused("generate", tiny, "-o", tmp_path / "/".join(["z" * 200] * 30))


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_a_clock_that_goes_back_changes_nothing(
    data: Path, tiny: Path, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    clock, folder = tmp_path / "clock", tmp_path / "set"
    clock.write_text("+0")
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    process = subprocess.Popen(
        words("generate", tiny, "-o", folder),
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    for hours in itertools.count(1):
        beside = clock.with_suffix(".new")
        beside.write_text(f"-{hours}h")
        beside.replace(clock)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    _, said = process.communicate()
    assert process.returncode == 0, said
    shards = [(home / "shards/00000.h5").read_bytes() for home in (data, folder)]
    assert shards[0] == shards[1]
    assert invoke("verify", folder).exit_code == 0
