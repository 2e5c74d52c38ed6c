"""Parts of a data set as jobs that submitit submits: to Slurm, or as processes of this machine.

submitit hands work and results over as pickles in a folder of the jobs, beside that of the set.
Whoever may write there may run code, so nobody else may.
"""

from __future__ import annotations

import collections
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from speckle_core.data.build_shards import check_first
from speckle_core.data.generate import find_missing, read_or_begin
from speckle_core.data.parts import Part, generate_part
from speckle_core.errors import MissingDependencyError, OptionError, OutputError, SpeckleError
from speckle_core.experiment.experiment import Experiment
from speckle_core.words import counted

CLUSTERS = ("slurm", "local")
#: What a job asks for unless its parameters say otherwise; submitit itself says 5 minutes.
_DEFAULTS = {"name": "speckle", "timeout_min": 120}
#: Parameters that submitit has for every cluster; others belong to one.
_SHARED = ("name", "timeout_min", "mem_gb", "nodes", "cpus_per_task", "stderr_to_stdout")
#: Seconds between two looks at the jobs, from the first to the last.
_SOON, _LATE = 0.05, 2.0
_ENDING = 5.0


@attrs.frozen
class Jobs:
    """How the parts of a set are submitted.

    Parameters
    ----------
    cluster : {"slurm", "local"}
        Where they run.
    number : int
        Most jobs, each of one part of the set.
    workers : int, optional
        Processes in each job; by default as many as it has CPUs, one unless `parameters` say more.
    parameters : mapping
        What submitit passes on for each job, such as `timeout_min`, `mem_gb`, or of Slurm
        `partition` and `account`.
    """

    cluster: str = attrs.field()
    number: int = 16
    workers: int | None = None
    parameters: Mapping[str, Any] = attrs.field(factory=dict)

    @cluster.validator
    def _known(self, _: object, value: str) -> None:
        if value not in CLUSTERS:
            raise OptionError(f"{value!r} is neither {' nor '.join(CLUSTERS)}", where="--submit")

    @property
    def processes(self) -> int:
        """Processes in each job."""
        return self.workers or int(self.parameters.get("cpus_per_task", 1))

    def for_submitit(self) -> dict[str, Any]:
        """Return the parameters under submitit's names."""
        wanted = {**_DEFAULTS, "cpus_per_task": self.processes, **self.parameters}
        own = f"{self.cluster}_"
        return {
            key if key in _SHARED or key.startswith(own) else own + key: value
            for key, value in wanted.items()
        }


@attrs.frozen
class PartJob:
    """Makes one part of a set when it is called; where it was stopped before, it goes on."""

    experiment: dict[str, Any]
    folder: str
    part: Part
    workers: int

    def __call__(self) -> None:
        """Make the part."""
        experiment = Experiment.from_dict(self.experiment)
        generate_part(experiment, self.folder, self.part, workers=self.workers)

    def checkpoint(self) -> Any:
        """Return what is submitted again after a preemption or at the end of the job's time."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def submit_parts(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    jobs: Jobs,
    *,
    on_progress: Callable[[int], None] = lambda _: None,
    on_note: Callable[[str], object] = lambda _: None,
) -> None:
    """Make what is missing of the set of `experiment` in jobs, and wait for them.

    Afterwards `generate` collects the parts. When this is interrupted the jobs are cancelled.

    Parameters
    ----------
    experiment, folder
        As for `generate`; all machines must see the folder under the same path.
    jobs : Jobs
        How many, and where.
    on_progress : callable
        Called with the number of patterns of every job that has finished.
    on_note : callable
        Called with a sentence about the jobs, and about each that failed.

    Raises
    ------
    MissingDependencyError
        When submitit is not installed.
    OptionError
        When submitit does not know a parameter.
    OutputError
        When a job cannot be submitted, or has failed; the others have finished before.
    """
    folder = Path(folder).absolute()
    resolved = experiment.resolved()
    manifest = read_or_begin(folder, resolved)
    number = min(jobs.number, len(manifest.plan))
    patterns: collections.Counter[int] = collections.Counter()
    for shard in find_missing(folder, manifest, manifest.plan):
        patterns[shard.number % number + 1] += shard.count
    if not patterns:
        return
    check_first(resolved)
    home = Path(f"{folder}-jobs")
    try:
        executor = _executor(home, jobs)
    except SpeckleError:
        with contextlib.suppress(OSError):  # it is not empty, or was never made
            home.rmdir()
        raise
    work = [
        PartJob(resolved.to_dict(), str(folder), Part(i, number), jobs.processes)
        for i in sorted(patterns)
    ]
    waiting = dict(zip(_submitted(executor, jobs, work), work, strict=True))
    on_note(f"{counted(len(work), 'job')} submitted; the logs are in {home}")
    failed: list[OutputError] = []
    try:
        for job, part in _finished(waiting):
            error = _failure(job, part)
            if error is None:
                on_progress(patterns[part.number])
            else:
                failed.append(error)
                on_note(f"failed: {error.where}: {error.what}")
    except BaseException:
        _cancel(waiting, jobs.cluster)
        raise
    if failed:
        raise failed[0]


def _executor(home: Path, jobs: Jobs) -> Any:
    try:
        import submitit
    except ImportError:
        raise MissingDependencyError(
            "submitit is not installed",
            where="--submit",
            hint="Run: pip install 'speckle-core[submitit]'",
        ) from None
    _make_private(home)
    try:
        executor = submitit.AutoExecutor(folder=home, cluster=jobs.cluster)
        executor.update_parameters(**jobs.for_submitit())
    except RuntimeError as error:
        raise SpeckleError(str(error), where="--submit") from error
    except (NameError, ValueError, AssertionError, TypeError) as error:
        raise OptionError(str(error).splitlines()[0], where="--job") from error
    return executor


def _make_private(home: Path) -> None:
    """Make a folder that others may not write in, or raise if it is one in which they may."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = home.stat()
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror}", where=str(home)) from error
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        raise OutputError(
            "others may write in this folder, whose files submitit runs",
            where=str(home),
            hint=f"Remove it, or: chmod go-w {home}",
        )


def _submitted(executor: Any, jobs: Jobs, work: list[PartJob]) -> list[Any]:
    try:
        hidden = _hidden_stderr() if jobs.cluster == "local" else contextlib.nullcontext()
        with hidden, executor.batch():
            submitted = [executor.submit(one) for one in work]
    except (RuntimeError, OSError) as error:
        lines = str(error).strip().splitlines() or ["it said nothing"]
        raise OutputError(
            f"the jobs could not be submitted: {lines[-1]}", where="--submit"
        ) from error
    return submitted


@contextlib.contextmanager
def _hidden_stderr() -> Iterator[None]:
    """Let processes that start here have no stderr, where they would tell of Ctrl-C at length."""
    before = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _finished(waiting: dict[Any, PartJob]) -> Iterator[tuple[Any, Part]]:
    """Iterate over jobs and their parts as they finish; they are taken from `waiting`."""
    pause = _SOON
    while waiting:
        for job in [job for job in waiting if job.done()]:
            yield job, waiting.pop(job).part
        if waiting:
            time.sleep(pause)
            pause = min(2 * pause, _LATE)


def _failure(job: Any, part: Part) -> OutputError | None:
    """Return why a job has failed, in a line, and where its log is; None if it has not."""
    error = job.exception()
    if error is None:
        return None
    # The traceback stands between two lines of hyphens; what is indented belongs to what is above.
    trace = str(error).split(f"\n{'-' * 22}\n")
    lines = [x for x in trace[1].splitlines() if x and not x[0].isspace()] if len(trace) > 2 else []
    state = "" if job.state == "FINISHED" else f" ({job.state})"
    cause = lines[-1] if lines else f"it ended before its work was done{state}"
    if cause.startswith("speckle_core."):
        cause = cause.partition(": ")[2]
    return OutputError(
        cause,
        where=f"job {job.job_id}, part {part.number} of {part.of}",
        hint=f"Its log: {job.paths.stderr}. Finished shards are kept; run the same command again "
        "to resume.",
    )


def _cancel(waiting: Mapping[Any, PartJob], cluster: str) -> None:
    """Cancel what has not finished; wait for processes of this machine, which hold locks."""
    for job in waiting:
        with contextlib.suppress(OSError, RuntimeError):
            job.cancel(check=False)
    end = time.monotonic() + _ENDING
    while cluster == "local" and time.monotonic() < end and not all(j.done() for j in waiting):
        time.sleep(_SOON)
