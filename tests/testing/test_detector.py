"""Each check of detectors passes a good one and fails one that is broken just so."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from speckle_core.testing import CheckFailed, checks_for


@attrs.frozen(kw_only=True)
class Counter:
    """A good detector, of a few photons."""

    photons: float = 1e4

    def record(self, intensity, grid, rng):
        mean = intensity * (self.photons / intensity.sum())
        mask = np.ones(grid.shape, dtype=bool)
        mask[0] = False
        return rng.poisson(mean), mask


class Bare(Counter):
    def record(self, intensity, grid, rng):
        return super().record(intensity, grid, rng)[0]


class Cropped(Counter):
    def record(self, intensity, grid, rng):
        counts, mask = super().record(intensity, grid, rng)
        return counts[1:], mask


class Complex(Counter):
    def record(self, intensity, grid, rng):
        counts, mask = super().record(intensity, grid, rng)
        return counts * 1j, mask


class Weighted(Counter):
    def record(self, intensity, grid, rng):
        counts, mask = super().record(intensity, grid, rng)
        return counts, mask.astype(float)


class Blank(Counter):
    def record(self, intensity, grid, rng):
        _, mask = super().record(intensity, grid, rng)
        return np.full(grid.shape, np.nan), mask


class Inverted(Counter):
    def record(self, intensity, grid, rng):
        counts, mask = super().record(intensity, grid, rng)
        return counts, ~mask


class Unseeded(Counter):
    def record(self, intensity, grid, rng):
        return super().record(intensity, grid, np.random.default_rng())


class Vandal(Counter):
    def record(self, intensity, grid, rng):
        found = super().record(intensity, grid, rng)
        intensity *= 2
        return found


class View(Counter):
    def record(self, intensity, grid, rng):
        return intensity, np.ones(grid.shape, dtype=bool)


BROKEN = [
    ("detector.records-the-grid", Bare, "not a tuple"),
    ("detector.records-the-grid", Cropped, "on a grid"),
    ("detector.records-the-grid", Complex, "counts are complex128"),
    ("detector.records-the-grid", Weighted, "mask are float64"),
    ("detector.finite-where-a-pixel-counts", Blank, "NaN or infinite"),
    ("detector.some-pixels-count", Inverted, "True means that one does"),
    ("detector.deterministic", Unseeded, "another record"),
    ("detector.input-unchanged", Vandal, "has changed"),
    ("detector.input-unchanged", View, "a view of the intensity"),
]
CHECKS = {check.id: check for check in checks_for("detector")}


@pytest.mark.parametrize("check", checks_for("detector"), ids=str)
def test_a_good_detector_passes(check):
    check.run(Counter)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_detector_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_detectors_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}
