"""Solve patterns one by one: in this process, or spread over several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from speckle_core.contracts.roles import Solver
from speckle_core.contracts.solution import Solution
from speckle_core.data.workers import cores, one_thread, run_on, worker_pool
from speckle_core.errors import PatternError, PluginError
from speckle_core.experiment.provenance import version_of
from speckle_core.plugins.component import options_of
from speckle_core.plugins.manager import plugin_manager
from speckle_core.solve.records import hdf5, record_of
from speckle_core.solve.source import Subject

# Fewer patterns than this are solved in less time than it takes to start processes.
_WORTH_A_POOL = 4


@attrs.frozen
class Recipe:
    """A solver by name with its options, and the seed of every pattern."""

    name: str = "patterson"
    options: dict[str, Any] = attrs.field(factory=dict)
    seed: int = 0

    def solver(self) -> Solver:
        """Return the solver.

        Raises
        ------
        PluginError, OptionError
            For an unknown solver, or an option that it does not have.
        """
        made: Solver = plugin_manager().create("solver", self.name, self.options, where="--set")
        return made

    def within(self, box: float | None) -> Recipe:
        """Return the recipe for bodies in a square of side `box` [length].

        Sets the solver's option `box` if it has one that is not already set.
        """
        factory = plugin_manager().factory("solver", self.name)
        if box is None or "box" in self.options or "box" not in _names(factory):
            return self
        return attrs.evolve(self, options={**self.options, "box": box})


def _names(factory: Callable[..., Any]) -> set[str]:
    return {option.name for option in options_of(factory)}


@attrs.frozen
class Task:
    """One pattern to solve, which can be sent to another process."""

    recipe: Recipe
    subject: Subject
    files: bool


@attrs.frozen
class Answer:
    """The result for one pattern: a record and files, or the reason why it cannot be solved."""

    index: int
    record: dict[str, Any] | None
    seconds: float | None = None
    files: dict[str, bytes] = attrs.field(factory=dict, repr=False)
    error: PatternError | None = None


def solve_one(task: Task) -> Answer:
    """Solve one pattern; this runs in the worker."""
    subject = task.subject
    begun = time.perf_counter()
    try:
        with one_thread():
            solution = solve_subject(task.recipe, subject)
    except PatternError as error:
        named = PatternError(error.what, where=subject.where or error.where, hint=error.hint)
        return Answer(subject.index, None, error=named)
    seconds = time.perf_counter() - begun
    record = record_of(subject, solution)
    files = {}
    if task.files:
        files = {"h5": hdf5(subject, solution, record), "png": picture(subject, solution)}
    return Answer(subject.index, record, seconds, files)


def solve_subject(recipe: Recipe, subject: Subject) -> Solution:
    """Return the solution of one pattern.

    Raises
    ------
    PatternError
        When the pattern, grid or mask cannot be used.
    PluginError
        When the solver returns anything but a solution.
    """
    solver = recipe.solver()
    found = solver.solve(subject.pattern, subject.grid, mask=subject.mask, seed=recipe.seed)
    if not isinstance(found, Solution):
        raise PluginError(
            f"returned {type(found).__name__}, not a Solution", where=f"solver {recipe.name}"
        )
    return found


def picture(subject: Subject, solution: Solution) -> bytes:
    """Return the picture of a solved pattern as PNG."""
    from speckle_core.figures import encode, solution_panel

    return encode(
        solution_panel(
            subject.pattern,
            solution,
            subject.grid,
            mask=subject.mask,
            truth=subject.truth,
            title=f"pattern {subject.index}: R = {solution.residual:.2g}, "
            f"noise alone would leave {solution.noise_residual:.2g}",
        )
    )


def solve_all(
    recipe: Recipe,
    subjects: Iterable[Subject],
    count: int,
    on_answer: Callable[[Answer], None],
    *,
    files: bool = False,
    workers: int | None = None,
) -> None:
    """Solve `count` subjects and report each answer as it is ready, in any order.

    Parameters
    ----------
    recipe : Recipe
        The solver and its options.
    subjects : iterable of Subject
        Read lazily, a few ahead of those being solved.
    count : int
        Number of subjects.
    on_answer : callable
        Called with each answer, in the calling thread.
    files : bool
        Whether answers include an HDF5 file and a picture.
    workers : int, optional
        Maximum number of processes; by default one per core, or only this one for a few patterns.

    Raises
    ------
    PluginError, OptionError
        When the solver cannot be created, or is broken.
    """
    recipe.solver()
    tasks = (Task(recipe, subject, files) for subject in subjects)
    many = min(workers or (cores() if count >= _WORTH_A_POOL else 1), max(count, 1))
    if many == 1 or _only_here(recipe):
        for task in tasks:
            on_answer(solve_one(task))
        return
    with worker_pool(many) as pool:
        run_on(pool, solve_one, tasks, many + 1, on_answer)


def _only_here(recipe: Recipe) -> bool:
    """Return whether the solver was registered in this process and is not installed."""
    provider = plugin_manager().find("solver", recipe.name).provider
    return version_of(provider.distribution) is None
