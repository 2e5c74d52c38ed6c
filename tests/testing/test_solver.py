"""Each check of solvers passes a good one and fails one that is broken just so."""

import math

import attrs
import numpy as np
import pytest

from speckle_core import Configuration, PatternError, Solution
from speckle_core.testing import CheckFailed, CheckSkipped, checks_for
from speckle_core.testing.specimens import GRID, Blobs


def one_blob(width, box):
    half = np.full((1, 2), box / 2)
    wide = np.array([width])
    return Blobs(centers=half, long=wide, short=wide, angles=np.zeros(1), contrast=np.ones(1))


@attrs.frozen(kw_only=True)
class Guinier:
    """A good solver of one Gaussian body: ln I = ln I(0) - s²k²."""

    starts: int = 7

    def solve(self, pattern, grid, *, mask=None, seed=0):
        valid = np.ones(grid.shape, bool) if mask is None else mask
        if pattern.shape != grid.shape or not valid.any():
            raise PatternError("the pattern does not fit")
        known = np.asarray(pattern, dtype=float)[valid]
        if not np.isfinite(known).all() or np.ptp(known) == 0:
            raise PatternError("NaN, infinity or no variance")
        k = grid.magnitude()[valid]
        lit = known > 0
        slope, height = np.polyfit(k[lit] ** 2, np.log(known[lit]), 1, w=np.sqrt(known[lit]))
        width, box = math.sqrt(max(-slope, 1e-9)), math.pi / grid.step
        scale = math.exp(height) / (2 * math.pi * width**2) ** 2
        bodies = Configuration(one_blob(width, box), box)
        found = Solution(bodies, scale, 0.0, 1e-6, False)
        missed = np.sqrt(found.pattern(grid)[valid]) - np.sqrt(np.maximum(known, 0))
        residual = float(np.linalg.norm(missed) / np.sqrt(np.maximum(known, 0).sum()))
        return attrs.evolve(found, residual=residual, solved=residual < 1e-6)


class Dictionary(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.asdict(found, recurse=False)


class Boundless(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.evolve(found, residual=math.inf)


class Misfit(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.evolve(found, errors=({"x": np.zeros(3)},))


class InTheCorner(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        (body,) = found.configuration.particles
        moved = attrs.evolve(body, centers=body.centers * 0.1)
        return attrs.evolve(found, configuration=Configuration(moved, found.configuration.box))


class Gambler(Guinier):
    luck = np.random.default_rng(0)  # goes on from call to call

    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.evolve(found, scale=found.scale * (1 + 1e-9 * self.luck.random()))


class Normalizes(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        pattern /= 1.5
        return super().solve(pattern, grid, mask=mask, seed=seed)


class WidensTheMask(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        if mask is not None:
            mask[0] = False
        return super().solve(pattern, grid, mask=mask, seed=seed)


class ReadsBehindTheMask(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        filled = np.nan_to_num(pattern, nan=0.0) if mask is not None and mask.any() else pattern
        return super().solve(filled, grid, mask=None if mask is None or mask.any() else mask)


class Patient(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        return super().solve(np.nan_to_num(pattern), grid, mask=mask, seed=seed)


class Crashes(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        if pattern.shape != grid.shape:
            raise ValueError("operands could not be broadcast together")
        return super().solve(pattern, grid, mask=mask, seed=seed)


class Boasts(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.evolve(found, solved=True)


class WrongScale(Guinier):
    def solve(self, pattern, grid, *, mask=None, seed=0):
        found = super().solve(pattern, grid, mask=mask, seed=seed)
        return attrs.evolve(found, scale=1.1 * found.scale)


BROKEN = [
    ("solver.returns-a-solution", Dictionary, "it returned dict, not a Solution"),
    ("solver.returns-a-solution", Boundless, "is not finite"),
    ("solver.returns-a-solution", Misfit, "errors of 'x' do not fit"),
    ("solver.bodies-lie-in-the-box", InTheCorner, "the middle of the bodies' extent"),
    ("solver.deterministic", Gambler, "another answer"),
    ("solver.input-unchanged", Normalizes, "the input pattern has changed"),
    ("solver.input-unchanged", WidensTheMask, "the input mask has changed"),
    ("solver.masked-pixels-do-not-count", ReadsBehindTheMask, "the values of masked pixels"),
    ("solver.refuses-clearly", Patient, "it accepted NaN in an unmasked pixel"),
    ("solver.refuses-clearly", Crashes, "raised ValueError"),
    ("solver.noise-is-not-solved", Boasts, "it reports noise as solved"),
    ("solver.solved-explains", WrongScale, "deviates by 0.1 of the intensity"),
]
CHECKS = {check.id: check for check in checks_for("solver")}


@pytest.mark.parametrize("check", checks_for("solver"), ids=str)
def test_a_good_solver_passes(check):
    check.run(Guinier)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_solver_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_solvers_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}


def test_a_solver_that_gives_up_is_skipped_where_nothing_is_claimed():
    class Modest(Guinier):
        def solve(self, pattern, grid, *, mask=None, seed=0):
            found = super().solve(pattern, grid, mask=mask, seed=seed)
            return attrs.evolve(found, solved=False)

    with pytest.raises(CheckSkipped, match="solves none of the kit's patterns"):
        CHECKS["solver.solved-explains"].run(Modest)


def test_the_pattern_of_a_solution_is_the_direct_sum():
    from speckle_core.testing.specimens import blobs, direct_sum

    bodies = Configuration(blobs(3, 1, contrast=[1.0, 2.0, 0.5]), 2000.0)
    found = Solution(bodies, 0.25, 0.0, 0.0, True, offset=-3.0)
    expected = 0.25 * np.abs(direct_sum(bodies, GRID)) ** 2 - 3.0
    np.testing.assert_allclose(found.pattern(GRID), expected, rtol=1e-11)
