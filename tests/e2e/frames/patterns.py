"""Patterns of systems that no training has seen, as a detector would count them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from speckle_core import KGrid, create
from speckle_core.cli.app import app

STEP = np.pi / 2000
SIZE = 65
FAR = 1e6


def say(*args: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="speckle")


def ideal(n: int, seed: int = 1, *, size: int = SIZE, step: float = STEP) -> NDArray[np.float64]:
    """Return the pattern of n disks that no training has seen."""
    system = create("sampler", "monodisperse").sample(n, np.random.default_rng([n, seed, 99]))
    found = create("scatterer", "analytic").intensity(system, KGrid.centered(size, step))
    return np.asarray(found, dtype=np.float64)


def counts(n: int, photons: float = FAR, seed: int = 1, **about: Any) -> NDArray[np.int64]:
    """Return photon counts, so many outside of the beamstop."""
    pattern = ideal(n, seed, **about)
    middle = len(pattern) // 2
    open_ = np.ones(pattern.shape, dtype=bool)
    open_[middle - 5 : middle + 6, middle - 5 : middle + 6] = False
    drawn = np.random.default_rng(n).poisson(pattern * photons / pattern[open_].sum())
    return np.asarray(drawn, dtype=np.int64)


def gap() -> NDArray[np.bool_]:
    bad = np.zeros((SIZE, SIZE), dtype=bool)
    bad[42:46] = True
    return bad


Read = Callable[..., list[dict[str, Any]]]


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [answer["class"] for answer in found]
