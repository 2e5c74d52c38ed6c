"""The samplers: what is in the box, how far apart, and from which random numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import kstest

from speckle_core import ExperimentError, OptionError, PackingError
from speckle_disks.samplers import Monodisperse, Polydisperse

EVERY = [
    Monodisperse(),
    Monodisperse(exclusion="reference"),
    Monodisperse(radius=20.0, gap=5.0),
    Polydisperse(),
    Polydisperse(of="area", radii_per="count", exclusion="reference"),
    Polydisperse(dispersion=1.5, gap=0.0),
]


def only(configuration):
    (disks,) = configuration.particles
    return disks


def rim_distances(disks):
    sums = [a + b for i, a in enumerate(disks.radii) for b in disks.radii[i + 1 :]]
    return pdist(disks.centers) - np.array(sums)


@pytest.mark.parametrize("sampler", EVERY, ids=repr)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(count=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_disks_are_as_many_as_asked_for_and_keep_their_gap(sampler, count, seed):
    disks = only(sampler.sample(count, np.random.default_rng(seed)))
    assert len(disks) == count
    if count > 1:
        assert rim_distances(disks).min() > sampler.gap - 1e-9


@pytest.mark.parametrize("sampler", [s for s in EVERY if s.exclusion == "own"], ids=repr)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(count=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_disks_lie_inside_the_box(sampler, count, seed):
    disks = only(sampler.sample(count, np.random.default_rng(seed)))
    assert (disks.centers - disks.radii[:, None]).min() > -1e-9
    assert (disks.centers + disks.radii[:, None]).max() < sampler.box + 1e-9


def test_thousands_of_disks_keep_their_distances():
    disks = only(Polydisperse(total_area=0.3 * 2000**2).sample(2000, np.random.default_rng(1)))
    assert rim_distances(disks).min() > 2 - 1e-9
    assert (disks.centers - disks.radii[:, None]).min() > 0


@pytest.mark.parametrize("sampler", EVERY, ids=repr)
def test_same_generator_gives_the_same_disks_and_another_does_not(sampler):
    first, again, other = (
        only(sampler.sample(7, np.random.default_rng(seed))) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.centers, again.centers)
    np.testing.assert_array_equal(first.radii, again.radii)
    assert not np.array_equal(first.centers, other.centers)


@pytest.mark.parametrize("sampler", EVERY, ids=repr)
def test_global_random_state_is_neither_read_nor_changed(sampler):
    drawn = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002 the legacy state is what is watched
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        drawn.append(only(sampler.sample(5, np.random.default_rng(0))).centers)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_constant_area_rule_gives_16200_pi_for_every_number(count):
    disks = only(Monodisperse().sample(count, np.random.default_rng(0)))
    np.testing.assert_allclose(disks.radii, 90 * math.sqrt(2 / count), rtol=1e-14)
    assert np.pi * np.sum(disks.radii**2) == pytest.approx(16200 * np.pi, rel=1e-12)


def test_a_given_radius_is_the_same_for_every_number():
    for count in (2, 20):
        disks = only(Monodisperse(radius=90.0).sample(count, np.random.default_rng(0)))
        np.testing.assert_array_equal(disks.radii, 90.0)


@pytest.mark.parametrize("of", ["radius", "area"])
@pytest.mark.parametrize(("total", "expected"), [(None, 16200 * np.pi), (1e5, 1e5)])
def test_total_area_of_polydisperse_disks_is_exact(of, total, expected):
    for count in (1, 2, 20):
        disks = only(Polydisperse(of=of, total_area=total).sample(count, np.random.default_rng(9)))
        assert np.pi * np.sum(disks.radii**2) == pytest.approx(expected, rel=1e-12)


# The index tends to <R⁴>/<R²>². Over 40 000 sizes its standard error is 0.0008 (areas) and 0.003
# (radii); the tolerances are five of these, and for areas the 0.002 that redrawing takes away.
@pytest.mark.parametrize(
    ("of", "expected", "tolerance"), [("area", 1.111, 0.006), ("radius", 1.378, 0.015)]
)
def test_polydispersity_index_tends_to_the_published_value(of, expected, tolerance):
    sampler = Polydisperse(of=of, gap=0.0)
    indices = []
    for seed in range(8):
        radii = only(sampler.sample(5000, np.random.default_rng(seed))).radii
        indices.append(len(radii) * np.sum(radii**4) / np.sum(radii**2) ** 2)
    assert np.mean(indices) == pytest.approx(expected, abs=tolerance)


def test_without_dispersion_disks_are_those_of_the_monodisperse_system():
    disks = only(Polydisperse(dispersion=0.0).sample(8, np.random.default_rng(0)))
    np.testing.assert_allclose(disks.radii, 45.0, rtol=1e-12)


def test_sizes_drawn_per_count_are_shared_by_all_configurations_of_that_count():
    sampler = Polydisperse(radii_per="count")
    one, two = (only(sampler.sample(9, np.random.default_rng(seed))) for seed in (1, 2))
    np.testing.assert_array_equal(one.radii, two.radii)
    assert not np.array_equal(one.centers, two.centers)
    other_seed = only(
        Polydisperse(radii_per="count", sizes_seed=1).sample(9, np.random.default_rng(1))
    )
    assert not np.array_equal(one.radii, other_seed.radii)
    longer = only(sampler.sample(10, np.random.default_rng(1))).radii
    assert not np.allclose(longer[:9] / longer[0], one.radii / one.radii[0])


def test_sizes_drawn_per_configuration_differ():
    one, two = (only(Polydisperse().sample(9, np.random.default_rng(seed))) for seed in (1, 2))
    assert not np.array_equal(np.sort(one.radii), np.sort(two.radii))


def test_reference_exclusion_keeps_centres_as_if_every_radius_were_90():
    sampler = Monodisperse(exclusion="reference")
    centers = [only(sampler.sample(20, np.random.default_rng(s))).centers for s in range(40)]
    assert min(pdist(c).min() for c in centers) == pytest.approx(182, abs=5)
    assert min(pdist(c).min() for c in centers) >= 182 - 1e-9
    assert np.min(centers) >= 90
    assert np.max(centers) <= 1910


def test_own_exclusion_lets_small_disks_closer_to_walls_and_each_other():
    centers = [only(Monodisperse().sample(20, np.random.default_rng(s))).centers for s in range(40)]
    assert min(pdist(c).min() for c in centers) < 100
    assert np.min(centers) < 90


def test_reference_exclusion_of_sizes_keeps_centres_90_from_the_walls():
    sampler = Polydisperse(exclusion="reference")
    centers = [only(sampler.sample(20, np.random.default_rng(s))).centers for s in range(40)]
    assert 90 <= np.min(centers) < 95
    assert 1905 < np.max(centers) <= 1910


def test_a_single_disk_is_uniform_over_the_places_open_to_it():
    sampler = Monodisperse(radius=300.0, box=1000.0)
    centers = np.concatenate(
        [only(sampler.sample(1, np.random.default_rng(s))).centers for s in range(800)]
    )
    for along in centers.T:
        assert kstest(along, "uniform", args=(300, 400)).pvalue > 0.01


def test_the_second_of_two_disks_is_uniform_over_what_the_first_leaves_open():
    # For a first disk in any place, the chance that the second one falls into the right half of the
    # box, given both places, must be that of the area left there: counted over a fine lattice.
    sampler = Monodisperse(radius=150.0, box=1000.0, gap=0.0)
    lattice = np.linspace(150, 850, 200)
    x, y = np.meshgrid(lattice, lattice)
    excess, variance = 0.0, 0.0
    for seed in range(800):
        first, second = only(sampler.sample(2, np.random.default_rng(seed))).centers
        free = np.hypot(x - first[0], y - first[1]) >= 300
        chance = np.mean(x[free] > 500)
        excess += (second[0] > 500) - chance
        variance += chance * (1 - chance)
    assert abs(excess) < 3.5 * math.sqrt(variance)


class CountingGenerator:
    """Hands out uniform numbers and counts them; the sampler's only source of places."""

    def __init__(self):
        self.rng, self.drawn = np.random.default_rng(0), 0

    def random(self, shape):
        self.drawn += math.prod(shape)
        return self.rng.random(shape)


@pytest.mark.parametrize(
    ("count", "coverage"), [(2, 0.6), (20, 0.6), (20, 0.9), (300, 0.7), (50, 0.95), (10**6, 2.0)]
)
def test_an_impossible_packing_says_the_coverage_after_bounded_work(count, coverage):
    sampler = Monodisperse(radius=math.sqrt(coverage * 2000**2 / (np.pi * count)), gap=0.0)
    rng = CountingGenerator()
    with pytest.raises(PackingError) as caught:
        sampler.sample(count, rng)
    assert f"{coverage:.3f}" in str(caught.value)
    assert "larger box" in caught.value.hint
    limit = "0.547" if coverage < 0.9069 else "0.907"
    assert limit in str(caught.value)
    assert rng.drawn <= (2 * (52_000 + 202 * count) if coverage < 0.9069 else 0)


@pytest.mark.parametrize("count", [4, 30, 1000])
def test_a_coverage_of_0_45_is_reached(count):
    radius = math.sqrt(0.45 * 2000**2 / (np.pi * count))
    disks = only(Monodisperse(radius=radius, gap=0.0).sample(count, np.random.default_rng(5)))
    assert rim_distances(disks).min() > -1e-9


def test_a_disk_larger_than_the_box_is_refused():
    with pytest.raises(PackingError, match="box of side 100"):
        Monodisperse(box=100.0, radius=60.0).sample(1, np.random.default_rng(0))


@pytest.mark.parametrize("count", [0, -3, 10**9])
def test_a_count_out_of_range_is_refused(count):
    for sampler in (Monodisperse(gap=0.0), Polydisperse(gap=0.0)):
        with pytest.raises(ExperimentError, match=str(count)):
            sampler.sample(count, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (Monodisperse, {"box": 0.0}),
        (Monodisperse, {"box": math.inf}),
        (Monodisperse, {"radius": -1.0}),
        (Monodisperse, {"gap": -0.1}),
        (Monodisperse, {"exclusion": "owm"}),
        (Polydisperse, {"dispersion": -0.1}),
        (Polydisperse, {"dispersion": math.nan}),
        (Polydisperse, {"of": "volume"}),
        (Polydisperse, {"radii_per": "pattern"}),
        (Polydisperse, {"total_area": 0.0}),
        (Polydisperse, {"sizes_seed": -1}),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(cls, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        cls(**options)
