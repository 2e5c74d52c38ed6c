"""Each check of samplers and particles passes a good one and fails one that is broken just so."""

import random

import attrs
import numpy as np
import pytest

from speckle_core import Configuration, PackingError
from speckle_core.testing import CheckFailed, checks_for, run_checks
from speckle_core.testing.particles import overlap, reaches_outside


@attrs.frozen(eq=False)
class Bricks:
    """Rectangles of sides a, b turned by an angle: nothing round about them."""

    centers: np.ndarray
    sides: np.ndarray
    angles: np.ndarray
    contrast: np.ndarray

    @property
    def bounding_radii(self):
        return np.hypot(*self.sides.T) / 2

    def __len__(self):
        return len(self.centers)

    def _turned(self, i, x, y):
        cos, sin = np.cos(self.angles[i]), np.sin(self.angles[i])
        return cos * x + sin * y, cos * y - sin * x

    def form_factors(self, kx, ky):
        found = []
        for i, (a, b) in enumerate(self.sides):
            u, v = self._turned(i, kx, ky)
            found.append(a * b * np.sinc(u * a / 2 / np.pi) * np.sinc(v * b / 2 / np.pi))
        return np.array(found).reshape(len(self), *np.shape(kx))

    def density(self, i, x, y):
        u, v = self._turned(i, x - self.centers[i, 0], y - self.centers[i, 1])
        a, b = self.sides[i]
        return ((np.abs(u) <= a / 2) & (np.abs(v) <= b / 2)) * 1.0


@attrs.frozen(kw_only=True)
class Brickwork:
    """A good sampler: random bricks, apart by their bounding circles."""

    box: float = 1000.0
    length: float = 90.0
    bodies = Bricks
    margin = 1.0
    apart = 1.0

    def sample(self, count, rng):
        sides = self.length * rng.uniform([0.8, 0.3], [1.0, 0.5], (count, 2))
        radii = np.hypot(*sides.T) / 2
        centers = np.empty((0, 2))
        for _ in range(1000):
            if len(centers) == count:
                break
            reach = self.margin * radii[len(centers)]
            new = rng.uniform(reach, self.box - reach, 2)
            far = np.hypot(*(centers - new).T)
            if (far > self.apart * (radii[: len(centers)] + radii[len(centers)])).all():
                centers = np.vstack([centers, new])
        else:
            raise PackingError(f"{count} bricks cannot be placed")
        angles = rng.uniform(0, np.pi, count)
        return Configuration(self.bodies(centers, sides, angles, np.ones(count)), self.box)


class Remembers(Brickwork):
    calls = 0

    def sample(self, count, rng):
        type(self).calls += 1
        return super().sample(count, np.random.default_rng(type(self).calls))


class Deaf(Brickwork):
    def sample(self, count, rng):
        return super().sample(count, np.random.default_rng(0))


class OneShort(Brickwork):
    def sample(self, count, rng):
        return super().sample(count - (count > 10), rng)


class OverTheEdge(Brickwork):
    margin = 0.0


class Piled(Brickwork):
    apart = 0.0


class LegacyRandom(Brickwork):
    def sample(self, count, rng):
        np.random.random()  # noqa: NPY002 - the fault that the check looks for
        return super().sample(count, rng)


class PythonRandom(Brickwork):
    def sample(self, count, rng):
        random.random()
        return super().sample(count, rng)


@attrs.frozen(eq=False)
class OneContrastForAll(Bricks):
    def __attrs_post_init__(self):
        object.__setattr__(self, "contrast", np.ones(1))


class FlatFormFactors(Bricks):
    def form_factors(self, kx, ky):
        return super().form_factors(kx, ky).reshape(len(self), -1)


class NegativeRadii(Bricks):
    @property
    def bounding_radii(self):
        return -super().bounding_radii


class TooStrong(Bricks):
    def form_factors(self, kx, ky):
        return 1.05 * super().form_factors(kx, ky)


class TurnedTheOtherWay(Bricks):
    def form_factors(self, kx, ky):
        return super().form_factors(kx, -np.asarray(ky))


class OneChordEach(Bricks):
    def chords(self, bodies, k_max):
        half = self.sides[bodies, 0] / 2
        return np.arange(len(bodies)), half, 0 * half, 2 * self.sides[bodies, 1]


class TooTight(Bricks):
    @property
    def bounding_radii(self):
        return self.sides[:, 0] / 2 * 0.9


class Invisible(Bricks):
    def density(self, i, x, y):
        return 0.0 * x


def sampler_of(particles):
    return type(f"Of{particles.__name__}", (Brickwork,), {"bodies": particles})


BROKEN = [
    ("sampler.same-rng-same-configuration", Remembers, "gave another configuration"),
    ("sampler.other-rng-other-configuration", Deaf, "two seeds gave the same"),
    ("sampler.the-count-asked-for", OneShort, "asked for 20 bodies, got 19"),
    ("sampler.inside-the-box", OverTheEdge, "extends beyond the box of side 1000"),
    ("sampler.no-overlap", Piled, "overlap"),
    ("sampler.global-random-state-untouched", LegacyRandom, "NumPy's state"),
    ("sampler.global-random-state-untouched", PythonRandom, "Python's random"),
    ("particles.arrays-fit-together", sampler_of(OneContrastForAll), r"contrast has shape \(1,\)"),
    ("particles.arrays-fit-together", sampler_of(FlatFormFactors), r"returned shape \(20, 10\)"),
    ("particles.arrays-fit-together", sampler_of(NegativeRadii), "not positive"),
    ("particles.forward-form-factor-is-the-area", sampler_of(TooStrong), r"F\(0\) of body"),
    ("particles.forward-form-factor-is-the-area", sampler_of(Invisible), "density of body 0 is 0"),
    ("particles.form-factor-is-the-transform", sampler_of(TurnedTheOtherWay), "the transform of"),
    ("particles.chords-are-the-form-factor", sampler_of(OneChordEach), "the chords of body"),
    ("particles.bounding-radii-bound", sampler_of(TooTight), "beyond its bounding radius"),
]
CHECKS = {check.id: check for check in checks_for("sampler")}


@pytest.mark.parametrize("check", checks_for("sampler"), ids=str)
def test_a_good_sampler_passes(check):
    check.run(Brickwork)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_sampler_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message) as caught:
        CHECKS[name].run(broken)
    assert caught.value.where == f"{name}, {broken.__qualname__}"


def test_every_check_of_samplers_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}


def test_particles_can_be_checked_without_a_sampler():
    def bricks():
        return Brickwork().sample(3, np.random.default_rng(0)).particles[0]

    def strong_bricks():
        return TooStrong(*attrs.astuple(bricks()))

    assert all(result.ok for result in run_checks("particles", bricks))
    failed = [r.id for r in run_checks("particles", strong_bricks) if not r.ok]
    assert failed == [
        "particles.forward-form-factor-is-the-area",
        "particles.form-factor-is-the-transform",
    ]


def test_a_sampler_that_packs_few_bodies_is_asked_for_few():
    crowded = {"box": 400.0, "length": 170.0}
    with pytest.raises(PackingError):
        Brickwork(**crowded).sample(20, np.random.default_rng(0))
    assert all(result.ok for result in run_checks("sampler", Brickwork, options=crowded))


def test_a_sampler_that_can_place_nothing_fails():
    class Full(Brickwork):
        def sample(self, count, rng):
            raise PackingError("there is no room")

    with pytest.raises(CheckFailed, match="not a single body"):
        CHECKS["sampler.no-overlap"].run(Full)


def bricks(centers, angles=0.0, sides=(80.0, 20.0)):
    n = len(centers)
    return Bricks(
        np.array(centers), np.full((n, 2), sides), np.full(n, angles) * np.arange(n), np.ones(n)
    )


@pytest.mark.parametrize(
    ("centers", "turn", "expected"),
    [
        ([[100.0, 100.0], [100.0, 125.0]], 0.0, False),  # side by side, their circles overlap
        ([[100.0, 100.0], [100.0, 118.0]], 0.0, True),
        ([[100.0, 100.0], [100.0, 125.0]], np.pi / 2, True),  # the second stands upright
        ([[100.0, 100.0], [182.0, 100.0]], 0.0, False),
    ],
)
def test_bodies_overlap_by_their_densities_and_not_by_their_circles(centers, turn, expected):
    pair = bricks(centers, turn)
    assert overlap(pair, 0, pair, 1) is expected


@pytest.mark.parametrize(("y", "expected"), [(11.0, False), (9.0, True), (991.0, True)])
def test_a_body_reaches_outside_by_its_density_and_not_by_its_circle(y, expected):
    assert reaches_outside(bricks([[500.0, y]]), 0, 1000.0) is expected
