"""A `speckle` for scripts of many commands: a server imports everything once and forks for each.

python -m tests.e2e.warm serve SOCKET FOLDER    writes the program to FOLDER, then serves it
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

#: Needs nothing but the standard library, and Python without its site-packages.
PROGRAM = """#!{python} -IS
import os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    words = "\\0".join([os.getcwd(), *sys.argv[1:]]).encode()
    socket.send_fds(server, [words], [0, 1, 2])
    sys.exit(int(server.recv(10)))
"""


def serve(address: str, folder: Path) -> None:
    import matplotlib.figure  # noqa: F401
    import sklearn.discriminant_analysis  # noqa: F401

    import speckle_core.cli.app
    import speckle_core.models.train
    import speckle_core.run  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        program = folder / "speckle"
        program.write_text(PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)
        print("ready", flush=True)
        while True:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                answer(asked)
            asked.close()


def answer(asked: socket.socket) -> None:
    """Run one command in this process, say its status, and end."""
    from speckle_core.cli import main

    words, descriptors, _, _ = socket.recv_fds(asked, 2**16, 3)
    for ours, theirs in enumerate(descriptors):
        os.dup2(theirs, ours)
    folder, *arguments = words.decode().split("\0")
    os.chdir(folder)
    sys.argv = ["speckle", *arguments]
    status: object = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asked.send(str(status).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[2], Path(sys.argv[3]))
