"""Each check of preprocessors passes a good one and fails one that is broken just so."""

import attrs
import numpy as np
import pytest

from speckle_core.testing import CheckFailed, checks_for


@attrs.frozen(kw_only=True)
class Root:
    """A good preprocessor."""

    power: float = 0.5

    def __call__(self, patterns, grid):
        return patterns**self.power


class Cropped(Root):
    def __call__(self, patterns, grid):
        return patterns[:, 1:]


class Whole(Root):
    def __call__(self, patterns, grid):
        return patterns.astype(int)


class LogOfZero(Root):
    def __call__(self, patterns, grid):
        with np.errstate(divide="ignore"):
            return np.log(patterns - patterns.min())


class InPlace(Root):
    def __call__(self, patterns, grid):
        patterns **= self.power
        return patterns


class Shared(Root):
    def __call__(self, patterns, grid):
        return patterns[:]


class OverTheBatch(Root):
    def __call__(self, patterns, grid):
        return patterns - patterns.mean()


class Noisy(Root):
    noise = np.random.default_rng(0)  # goes on from call to call

    def __call__(self, patterns, grid):
        return patterns * (1 + 1e-9 * self.noise.normal(size=patterns.shape))


BROKEN = [
    ("preprocessor.shape-and-dtype", Cropped, r"became \(3, 32, 33\)"),
    ("preprocessor.shape-and-dtype", Whole, "became int64"),
    ("preprocessor.shape-and-dtype", LogOfZero, "NaN or infinite"),
    ("preprocessor.input-unchanged", InPlace, "input patterns have changed"),
    ("preprocessor.input-unchanged", Shared, "shares memory"),
    ("preprocessor.batch-is-one-by-one", OverTheBatch, "depends on other patterns"),
    ("preprocessor.deterministic", Noisy, "gave other values"),
]
CHECKS = {check.id: check for check in checks_for("preprocessor")}


@pytest.mark.parametrize("check", checks_for("preprocessor"), ids=str)
def test_a_good_preprocessor_passes(check):
    check.run(Root)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_preprocessor_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_preprocessors_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}
