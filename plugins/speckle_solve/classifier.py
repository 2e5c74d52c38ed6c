"""`solve`: the number of bodies by finding all of them. It is not trained."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w
from numpy.typing import NDArray

from speckle_core import (
    Epoch,
    ExperimentError,
    FloatArray,
    IntArray,
    KGrid,
    ModelError,
    OnEpoch,
    OptionError,
    PatternSet,
    Solution,
    read_toml,
    write_text,
)
from speckle_solve.solver import Patterson

FORMAT = "speckle-solve-1"
_STATE = "state.toml"
# What is left to all classes together: a proof is not certain, and the best so far is a guess.
_DOUBT_SOLVED, _DOUBT_UNSOLVED = 1e-4, 0.2
# Spread of a guess over neighbouring numbers, as a share of n.
_SPREAD = 0.1


def _at_least_one(_: Any, attribute: attrs.Attribute[Any], value: int) -> None:
    if value < 1:
        raise OptionError(f"must be at least 1, not {value}", where=attribute.name)


@attrs.define(kw_only=True, eq=False)
class Solve:
    """Counts the bodies that the solver `patterson` finds.

    Patterns may be raw or standardized, with any pixels blocked; steps that bend the scale of
    intensity, such as ``log``, leave nothing to solve.

    Parameters
    ----------
    shape : str
        What the bodies are: ``disks``, ``spheres``, or ``module:Class`` of a plugin's shape.
    box : float, optional
        Side of the square that holds all bodies [length]; by default π / step.
    starts : int
        Starting structures after which a pattern is given up.
    most : int
        Most bodies that are looked for.
    patterns : int
        Most test patterns that an evaluation asks for, drawn at random: each takes seconds.

    Raises
    ------
    OptionError
        For a number below 1.
    """

    shape: str = "disks"
    box: float | None = None
    starts: int = attrs.field(default=60, validator=_at_least_one)
    most: int = attrs.field(default=120, validator=_at_least_one)
    patterns: int = attrs.field(default=200, validator=_at_least_one)
    grid_: KGrid | None = attrs.field(init=False, default=None, repr=False)
    classes_: IntArray | None = attrs.field(init=False, default=None, repr=False)

    @property
    def classes(self) -> IntArray:
        """The class values in the order of the columns, (classes,)."""
        return self._told()[1]

    @property
    def sample_size(self) -> int:
        """Most test patterns that an evaluation asks for."""
        return self.patterns

    def solver(self) -> Patterson:
        """Return the solver."""
        return Patterson(shape=self.shape, box=self.box, starts=self.starts, most=self.most)

    def fit(
        self, train: PatternSet, valid: PatternSet, *, seed: int, on_epoch: OnEpoch | None = None
    ) -> list[Epoch]:
        """Note classes and grid; no pattern is looked at, so the history gives no accuracy."""
        del valid, seed
        begun, unknown = time.perf_counter(), float("nan")
        self.grid_, self.classes_ = train.grid, train.classes
        epoch = Epoch(
            number=1,
            of=1,
            loss=unknown,
            accuracy=unknown,
            valid_loss=unknown,
            valid_accuracy=unknown,
            seconds=time.perf_counter() - begun,
            learning_rate=0.0,
        )
        if on_epoch is not None:
            on_epoch(epoch)
        return [epoch]

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities, (B, classes).

        Raises
        ------
        PatternError
            For a pattern that cannot be solved at all: constant, or not square.
        """
        grid, classes = self._told()
        solver = self.solver()
        rows = [
            probabilities(solver.solve(p, attrs.evolve(grid, size=p.shape[-1])), classes)
            for p in np.asarray(patterns)
        ]
        return np.stack(rows) if rows else np.zeros((0, len(classes)))

    def save(self, folder: Path) -> None:
        """Write `state.toml` into `folder`."""
        grid, classes = self._told()
        state = {"format": FORMAT, "classes": classes.tolist(), "grid": attrs.asdict(grid)}
        write_text(folder / _STATE, tomli_w.dumps(state))

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote.

        Raises
        ------
        ModelError
            When the file is missing or damaged.
        """
        try:
            state = read_toml(folder / _STATE)
            if state["format"] != FORMAT:
                raise ValueError(f"it holds {state['format']!r}")
            classes = np.array(state["classes"], dtype=np.int64)
            if classes.ndim != 1 or not len(classes) or np.any(np.diff(classes) <= 0):
                raise ValueError("its classes are not ascending whole numbers")
            self.grid_, self.classes_ = KGrid(**state["grid"]), classes
        except (OSError, KeyError, TypeError, ValueError, OverflowError, ExperimentError) as error:
            raise ModelError(f"is no saved 'solve': {error}", where=str(folder / _STATE)) from error

    def _told(self) -> tuple[KGrid, IntArray]:
        if self.grid_ is None or self.classes_ is None:
            raise ModelError(
                "does not know its classes and grid yet",
                where="solve",
                hint="Call fit or load first.",
            )
        return self.grid_, self.classes_


def probabilities(found: Solution, classes: IntArray) -> NDArray[np.float64]:
    """Return the probability of each class, (classes,), that a solution gives.

    Of the numbers that the solver has tried, exp(-criterion / 2) is the weight, as BIC has it
    (A. E. Raftery, Sociological Methodology 25, 111 (1995)). A little is left to all classes, and
    where the pattern is not even explained, more of it to those near the number found.
    """
    tried = {n: value for n, value in found.deviances.items() if np.isfinite(value)}
    tried.setdefault(len(found.configuration), min(tried.values(), default=0.0))
    numbers = np.array(list(tried), dtype=np.float64)
    criteria = np.array(list(tried.values()))
    weights = np.exp(-0.5 * (criteria - criteria.min()))
    # A number beyond the classes speaks for the nearest one.
    nearest = np.abs(numbers[:, None] - classes).argmin(axis=1)
    known = np.bincount(nearest, weights, minlength=len(classes)) / weights.sum()
    doubt = _DOUBT_SOLVED if found.solved or found.explained else _DOUBT_UNSOLVED
    spread = max(1.0, _SPREAD * len(found.configuration))
    near = np.exp(-0.5 * ((classes - len(found.configuration)) / spread) ** 2) + 1e-3
    shares: NDArray[np.float64] = (1 - doubt) * known + doubt * near / near.sum()
    return shares
