"""Structures that were moved, inverted, shuffled and spoilt are laid back over themselves."""

from __future__ import annotations

import numpy as np
import pytest

from speckle_core import Configuration
from speckle_core.analysis.alignment import align
from speckle_disks.disks import Disks

BOX = 2000.0


def structure(n: int, seed: int = 0) -> Disks:
    rng = np.random.default_rng(seed)
    return Disks(rng.uniform(200, 1800, (n, 2)), rng.uniform(20, 80, n))


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_moved_structure_comes_back_onto_itself(n: int, sign: int) -> None:
    true = structure(n)
    order = np.random.default_rng(1).permutation(n)
    moved = Disks(sign * true.centers[order] + [31.0, -250.0], true.radii[order])
    found = align(Configuration(moved, BOX), Configuration(true, BOX))
    np.testing.assert_allclose(
        found.sign * moved.centers[found.found] + found.shift, true.centers[found.true], atol=1e-9
    )
    np.testing.assert_array_equal(order[found.found], found.true)
    assert found.matched() == n
    if n > 1:
        assert found.sign == sign


def test_one_body_too_many_and_one_missing_leave_the_others_in_place() -> None:
    true = structure(9)
    centers = np.concatenate([-true.centers[:8], [[-5000.0, 300.0]]])
    spoilt = Disks(centers, np.append(true.radii[:8], 90.0))
    found = align(Configuration(spoilt, BOX), Configuration(true, BOX))
    assert found.matched() == 8
    missing = Disks(true.centers[:5] + 3.0, true.radii[:5])
    assert align(Configuration(missing, BOX), Configuration(true, BOX)).matched() == 5


def test_what_lies_or_measures_wrongly_by_more_than_a_thousandth_does_not_match() -> None:
    true = structure(6)
    shifted, grown = true.centers.copy(), true.radii.copy()
    shifted[2] += 0.004 * true.radii[2]
    grown[4] *= 1.002
    found = align(Configuration(Disks(shifted, grown), BOX), Configuration(true, BOX))
    assert found.matched() == 4
    assert found.matched(0.01) == 6


def test_nothing_found_matches_nothing() -> None:
    none = Disks(np.zeros((0, 2)), np.zeros(0))
    assert align(Configuration(none, BOX), Configuration(structure(3), BOX)).matched() == 0
