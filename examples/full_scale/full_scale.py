"""The paper's protocol at full size, for a machine with a CUDA card; it can be split and resumed.

    python examples/full_scale/full_scale.py --list
    python examples/full_scale/full_scale.py -o runs mono
    python examples/full_scale/full_scale.py -o runs --minutes 9

Jobs run in the order of `--list`, each command once: what is done stands in `DIR/log.jsonl`, and a
training that was cut short goes on after its last epoch when the same command is given again.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import attrs
import typer
from jobs import JOBS, Job, Speed

from speckle_core.experiment.provenance import versions
from speckle_core.files import make_folder

ROOT = Path(__file__).parents[2]
#: What the first word of a command stands for here.
PROGRAMS = {
    "speckle": [str(Path(sys.executable).with_name("speckle"))],
    "python": [sys.executable],
}
#: A command that was asked to stop is waited for this long [s].
PATIENCE = 30
#: The status when the time is up: try again (EX_TEMPFAIL).
STOPPED = 75


@attrs.define
class Log:
    """Which commands ended well, one JSON document a line; nothing is taken back."""

    path: Path

    def done(self) -> set[str]:
        """Return the commands that need not run again."""
        if not self.path.exists():
            return set()
        entries = map(json.loads, self.path.read_text("utf-8").splitlines())
        return {entry["command"] for entry in entries if entry["status"] == 0}

    def add(self, command: str, seconds: float, status: int) -> None:
        """Note that a command ended."""
        entry = {"command": command, "seconds": round(seconds, 1), "status": status}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry | {"versions": versions()}) + "\n")


def carry_out(command: Sequence[str], folder: Path, deadline: float) -> int | None:
    """Run a command in `folder`; return its status, or None if it was stopped before its end."""
    process = subprocess.Popen([*PROGRAMS[command[0]], *command[1:]], cwd=folder)
    left = None if deadline == float("inf") else max(deadline - time.monotonic(), 0)
    try:
        return process.wait(left)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    except KeyboardInterrupt:
        pass  # The terminal has told the command too.
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return None


def _chosen(names: Sequence[str]) -> list[Job | Speed]:
    unknown = sorted(set(names) - set(JOBS))
    if unknown:
        raise typer.BadParameter(f"no job {', '.join(unknown)}; there are {', '.join(JOBS)}")
    return [job for name, job in JOBS.items() if not names or name in names]


def main(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Which jobs; all by default.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", metavar="DIR", help="Where all goes.")] = Path(
        "full-scale"
    ),
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so long; the same command goes on.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="For every experiment: to scale down."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Only print the commands.")] = False,
) -> None:
    """Make data, train, evaluate and draw what the paper reports, and what goes beyond it."""
    deadline = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    log = Log(output.resolve() / "log.jsonl")
    done = set() if listing else log.done()
    for job in _chosen(names or []):
        print(f"# {job.name}: {job.says}", flush=True)
        for command in job.commands(ROOT, settings or []):
            spelled = shlex.join(command)
            if listing:
                print(spelled)
                continue
            if spelled in done:
                continue
            print(f"$ {spelled}", flush=True)
            start = time.monotonic()
            status = carry_out(command, make_folder(output), deadline)
            if status is None:
                print(
                    "Stopped before the end; the same command goes on from here.", file=sys.stderr
                )
                raise typer.Exit(STOPPED)
            log.add(spelled, time.monotonic() - start, status)
            if status:
                raise typer.Exit(status)
            done.add(spelled)


if __name__ == "__main__":
    typer.run(main)
