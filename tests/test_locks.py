"""One process at a time in a folder: the second is told who is there, and the dead hold nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import portalocker
import pytest

from speckle_core import OutputError
from speckle_core.files import LOCK, empty
from speckle_core.locks import lock_folder

HOLD = """
import pathlib, sys, time
from speckle_core.locks import lock_folder
with lock_folder(pathlib.Path(sys.argv[1]), "train"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_told_who_holds_the_folder(holder, tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, lock_folder(tmp_path, "generate"):
        pass
    told = str(caught.value).splitlines()[0]
    assert "another process" in told
    for part in (str(holder.pid), socket.gethostname(), "speckle train", "since 2"):
        assert part in told


def test_what_a_killed_holder_left_is_taken_and_removed(holder, tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK).exists()
    assert empty(tmp_path)
    with lock_folder(tmp_path, "generate"):
        assert json.loads((tmp_path / LOCK).read_text())["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_the_same_process_cannot_hold_a_folder_twice(tmp_path: Path) -> None:
    with lock_folder(tmp_path, "run"):
        with pytest.raises(OutputError, match="another process"), lock_folder(tmp_path, "run"):
            pass
        assert (tmp_path / LOCK).exists()


def _sleep(pipe) -> None:
    pipe.recv()


def test_a_forked_child_does_not_hold_on_after_its_parent_let_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    with lock_folder(tmp_path, "run"):
        child = context.Process(target=_sleep, args=(theirs,))
        child.start()
    try:
        (tmp_path / LOCK).touch()
        with lock_folder(tmp_path, "run"):
            pass
    finally:
        ours.send(None)
        child.join()


@pytest.mark.parametrize(
    ("host", "process", "free"),
    [
        (socket.gethostname(), 2**22 + 1, True),
        (socket.gethostname(), os.getpid(), False),
        ("elsewhere", 1, False),
    ],
    ids=["gone", "alive", "elsewhere"],
)
def test_without_locks_on_the_file_system_the_note_of_the_holder_counts(
    host: str, process: int, free: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> None:
        raise portalocker.LockException("no locks here")

    monkeypatch.setattr(portalocker, "lock", unable)
    note = {"host": host, "process": process, "since": "2026-01-01", "doing": "run"}
    (tmp_path / LOCK).write_text(json.dumps(note))
    if free:
        with lock_folder(tmp_path, "run"):
            pass
        return
    with (
        pytest.raises(OutputError, match=f"another process .{process} on {host}"),
        lock_folder(tmp_path, "run"),
    ):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / LOCK).symlink_to(target)
    with pytest.raises(OutputError), lock_folder(tmp_path / "set", "run"):
        pass
    assert target.read_text() == "mine"
