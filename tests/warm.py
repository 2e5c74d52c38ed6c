"""Programs that start at once: a server imports everything, and forks for each call.

A fresh process spends a second on imports before it does what a test is about. Where that process
is not what is tested, its program comes from here: it runs in a child of the server, in the
caller's folder, environment and streams, and finds plugins as a fresh process does. Tests of
imports, of signals and of closed streams start real processes, and `sys.executable` is a real one.

Of the caller's environment `PYTHONPATH` and `VIRTUAL_ENV` mean what they mean for a real process;
`PRELOAD` names modules that take long to import, for the server to keep from then on.

    python tests/warm.py SOCKET FOLDER    writes the programs to FOLDER, then serves them
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import site
import socket
import subprocess
import sys
import sysconfig
import threading
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import speckle_core

#: Needs nothing but the standard library, and Python without its site-packages.
CLIENT = """#!{python} -IS
import json, os, socket, sys
request = {{"program": {program!r}, "words": sys.argv[1:]}}
request |= {{"folder": os.getcwd(), "env": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps(request).encode())
    server.shutdown(socket.SHUT_WR)
    status = int(server.recv(10))
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""
PROGRAMS = ("speckle", "python", "pytest")
#: What commands import when they need it, beside all modules of the core.
USUAL = ("matplotlib.figure", "matplotlib.backends.backend_agg", "sklearn.discriminant_analysis")
#: Modules that do something, or need what may not be here, when they are imported.
_LEFT_OUT = ("__main__", "tensorboard", "cluster", "templates")


@contextlib.contextmanager
def programs(folder: Path) -> Iterator[Path]:
    """Serve in `folder` what `PROGRAMS` names, for as long as the block runs."""
    address = str(folder / "socket")
    with subprocess.Popen(
        [sys.executable, __file__, address, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"ready\n"
            yield folder
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # with what still runs


def serve(address: str, folder: Path) -> None:
    """Answer until the standard input ends."""
    for module in pkgutil.walk_packages(speckle_core.__path__, "speckle_core."):
        if module.name.rpartition(".")[2] not in _LEFT_OUT:
            importlib.import_module(module.name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        for name in PROGRAMS:
            text = CLIENT.format(python=sys.executable, program=name, address=address)
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        print("ready", flush=True)
        while listening in select.select([listening, 0], [], [])[0]:
            asked, _ = listening.accept()
            streams = socket.recv_fds(asked, 1, 3)[1]
            with asked.makefile("rb") as stream:
                request = json.loads(stream.read())
            if preload(USUAL + tuple(request["env"].get("PRELOAD", "").split())):
                gc.collect()
                gc.freeze()  # so that children do not copy what they only read
            if os.fork() == 0:
                listening.close()
                answer(asked, streams, request)
            asked.close()
            for descriptor in streams:
                os.close(descriptor)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def preload(names: tuple[str, ...]) -> bool:
    """Import modules; say whether any was not here before."""
    new = not sys.modules.keys() >= set(names)
    for name in names:
        importlib.import_module(name)
    return new


def answer(asked: socket.socket, streams: list[int], request: dict[str, Any]) -> None:
    """Run a program in a child of this process, say its status, and end."""
    child = os.fork()
    if child == 0:
        asked.close()
        for ours, theirs in enumerate(streams):
            os.dup2(theirs, ours)
            os.close(theirs)
        status = 1
        try:
            status = run(request)
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    asked.sendall(str(os.waitstatus_to_exitcode(ended)).encode())
    os._exit(0)


def run(request: dict[str, Any]) -> int:
    """Become the process that was asked for, and return its status."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    paths, home = os.environ.get("PYTHONPATH"), os.environ.get("VIRTUAL_ENV")
    sys.path[0:1] = paths.split(os.pathsep) if paths else []
    if home:
        sys.prefix, sys.executable = home, f"{home}/bin/python"
        site.addsitedir(sysconfig.get_path("purelib", vars={"base": home}))
    importlib.invalidate_caches()
    sys.stdin = stream(0, "r", "strict")
    sys.stdout = stream(1, "w", "strict")
    sys.stderr = stream(2, "w", "backslashreplace")
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    status = 0
    try:
        start(request["program"], request["words"], main)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def stream(number: int, mode: str, errors: str) -> Any:
    """Return a standard stream as Python opens it."""
    buffering = 1 if number == 2 or os.isatty(number) else -1
    return open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)


def start(program: str, words: list[str], main: types.ModuleType) -> None:
    """Do what `program` does when it is given `words`."""
    sys.argv = [program, *words]
    if program == "speckle":
        from speckle_core.cli import main as speckle

        speckle()
    elif program == "pytest":
        import pytest

        sys.exit(pytest.console_main())
    elif words[0] in ("-c", "-"):
        sys.path.insert(0, "")
        code, sys.argv = (words[1], ["-c", *words[2:]]) if words[0] == "-c" else (None, words)
        exec(compile(code or sys.stdin.read(), "<string>", "exec"), main.__dict__)
    elif words[0] == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
