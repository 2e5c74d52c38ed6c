"""The five baselines reach what physics says, and behave as classifiers must."""

import numpy as np
import pytest

from speckle_baselines.contrast import Contrast
from speckle_baselines.first_moment import FirstMoment
from speckle_baselines.form_factor_fit import FormFactorFit
from speckle_baselines.pair_peaks import PairPeaks
from speckle_baselines.radial_lda import RadialLDA
from speckle_core import DataError, KGrid, ModelError, OptionError, PatternError
from speckle_core.analysis.verdict import evaluate
from speckle_core.contracts.patterns import PatternSet

ALL = [RadialLDA, FirstMoment, FormFactorFit, Contrast, PairPeaks]
COUNTS = range(2, 12)
FITTED = {}


@pytest.fixture
def fitted(simulate):
    def fitted(kind, make):
        if (kind, make) not in FITTED:
            baseline = make()
            baseline.fit(simulate(kind, COUNTS, 60), simulate(kind, COUNTS, 5, first=60), seed=1)
            FITTED[kind, make] = baseline
        return FITTED[kind, make]

    return fitted


@pytest.fixture
def accuracy(fitted, simulate):
    def accuracy(kind, make):
        unseen = simulate(kind, COUNTS, 15, first=65)
        return evaluate(fitted(kind, make), unseen).accuracy

    return accuracy


@pytest.mark.parametrize(
    ("make", "least"),
    [(RadialLDA, 0.97), (FormFactorFit, 0.97), (PairPeaks, 0.97), (FirstMoment, 0.85)],
)
def test_the_size_tells_the_number_where_the_total_area_is_kept(accuracy, make, least):
    assert accuracy("constant area", make) >= least


def test_the_contrast_tells_small_numbers_apart(fitted, simulate):
    found = evaluate(
        fitted("constant area", Contrast), simulate("constant area", COUNTS, 15, first=65)
    )
    assert found.per_class().recall[:2].min() > 0.8
    assert 0.3 < found.accuracy < 0.8


def test_with_one_radius_the_width_of_the_scattering_says_nothing(accuracy):
    chance = 1 / len(COUNTS)
    assert accuracy("fixed radius", FormFactorFit) < 2.5 * chance
    assert accuracy("fixed radius", FirstMoment) < 2.5 * chance


def test_with_one_radius_pairs_are_counted_where_the_profile_fails(accuracy):
    assert accuracy("fixed radius", PairPeaks) > 0.93
    assert accuracy("fixed radius", RadialLDA) < 0.7


def test_the_fitted_radius_is_the_disks(fitted, simulate):
    unseen = simulate("constant area", COUNTS, 15, first=65)
    patterns, labels = unseen.batch(np.arange(0, len(unseen), 3))
    found = fitted("constant area", FormFactorFit).radii(patterns)
    assert found == pytest.approx(90 * np.sqrt(2 / labels), rel=0.01)


def test_a_fit_of_dispersed_sizes_finds_their_mean(simulate):
    fresh = simulate("fresh sizes", [10, 20], 8)
    patterns, labels = fresh.batch(np.arange(16))
    ratios = []
    for dispersion in (0.0, 1 / 3):
        baseline = FormFactorFit(dispersion=dispersion)
        baseline.fit(fresh, fresh, seed=1)
        ratios.append(baseline.radii(patterns) / (90 * np.sqrt(2 / labels)))
    off = [abs(np.median(r) - 0.95) for r in ratios]  # Σr² is kept, so the mean is 1/sqrt(1 + 1/9)
    assert off[1] < 0.05 < off[0]


@pytest.mark.parametrize(("count", "within"), [(2, 0.1), (3, 0.3), (5, 1.0)])
def test_the_number_from_the_contrast_is_one_over_one_minus_beta(fitted, simulate, count, within):
    patterns, _ = simulate("constant area", [count], 20, first=80).batch(np.arange(20))
    assert np.mean(fitted("constant area", Contrast).numbers(patterns)) == pytest.approx(
        count, abs=within
    )


@pytest.mark.parametrize("make", ALL)
def test_one_pattern_alone_is_bit_by_bit_as_in_a_batch(fitted, simulate, make):
    patterns, _ = simulate("constant area", COUNTS, 15, first=65).batch(np.arange(0, 150, 11))
    baseline = fitted("constant area", make)
    together = baseline.predict_proba(patterns)
    alone = np.concatenate([baseline.predict_proba(p[None]) for p in patterns])
    assert np.array_equal(alone, together)
    assert together.sum(axis=1) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("make", ALL)
def test_scale_and_offset_of_a_pattern_do_not_count(fitted, simulate, make):
    unseen = simulate("constant area", COUNTS, 15, first=65)
    standardized, _ = unseen.batch([7, 77, 147])
    raw = unseen.raw([7, 77, 147])
    raw[:, *unseen.grid.block(11)] = 0
    baseline = fitted("constant area", make)
    assert baseline.predict_proba(3 * raw + 1e6) == pytest.approx(
        baseline.predict_proba(standardized), abs=0.02
    )


@pytest.mark.parametrize("make", ALL)
def test_a_larger_pattern_of_the_same_step_is_cut_to_the_range_it_was_trained_on(
    fitted, simulate, make
):
    grid = KGrid.centered(257, np.pi / 2000)
    one = simulate("constant area", [3, 9], 2, size=257, first=65)
    patterns, _ = one.batch(np.arange(4))
    inner, _ = simulate("constant area", [3, 9], 2, first=65).batch(np.arange(4))
    assert patterns.shape[1:] == grid.shape
    baseline = fitted("constant area", make)
    assert baseline.predict_proba(patterns) == pytest.approx(
        baseline.predict_proba(inner), abs=1e-3
    )


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        (np.ones((1, 127, 127)), "129"),
        (np.ones((1, 130, 130)), "no middle pixel"),
        (np.ones((129, 129)), "shape"),
        (np.ones((1, 129, 131)), "shape"),
        (np.full((1, 129, 129), np.nan), "NaN"),
        (np.zeros((1, 129, 129)), "no intensity"),
    ],
)
def test_what_cannot_be_read_is_refused(fitted, patterns, said):
    with pytest.raises(PatternError, match=said):
        fitted("constant area", RadialLDA).predict_proba(patterns)


@pytest.mark.parametrize(
    ("make", "kind", "least"),
    [(RadialLDA, "constant area", 0.95), (PairPeaks, "fixed radius", 0.85)],
)
def test_a_quadrant_is_read_as_well(simulate, make, kind, least):
    options = {"size": 97, "layout": "quadrant"}
    baseline = make()
    nothing = simulate(kind, [2, 4, 6, 8], 1, **options).subset([])
    baseline.fit(simulate(kind, [2, 4, 6, 8], 30, **options), nothing, seed=1)
    assert (
        evaluate(baseline, simulate(kind, [2, 4, 6, 8], 10, first=30, **options)).accuracy >= least
    )


def test_patterns_without_a_beamstop_are_read_as_well(simulate):
    bare = [simulate("constant area", [2, 5, 9], 20, first=f).prepared_with(()) for f in (0, 20)]
    for make in ALL:
        baseline = make()
        baseline.fit(bare[0], bare[1], seed=1)
        assert not baseline.rings_.blocked.any()
        assert evaluate(baseline, bare[1]).accuracy > 0.8


@pytest.mark.parametrize("make", ALL)
def test_the_history_is_one_epoch_and_on_epoch_hears_it(simulate, make):
    heard = []
    train = simulate("constant area", [2, 5], 10)
    history = make().fit(train, train, seed=1, on_epoch=heard.append)
    assert heard == history
    assert [e.number for e in history] == [1]
    assert history[0].accuracy == history[0].valid_accuracy == 1.0
    unwatched = make().fit(train, train.subset([]), seed=1)[0]
    assert np.isnan(unwatched.valid_loss)
    assert np.isnan(unwatched.valid_accuracy)


@pytest.mark.parametrize("make", ALL)
def test_patterns_are_read_in_batches(simulate, make):
    handed = []
    train = simulate("constant area", COUNTS, 60).with_progress(handed.append)
    make().fit(train, train.subset([]), seed=1)
    assert max(handed) <= 64
    assert sum(handed) < 1.1 * len(train)


@pytest.mark.parametrize("make", [*ALL, lambda: PairPeaks(rule="perceptron")])
def test_a_class_without_patterns_is_never_seen(simulate, make):
    some = simulate("constant area", [2, 9], 6)
    both = PatternSet.from_arrays(
        some.raw(np.arange(12)), some.labels, some.grid, classes=[2, 5, 9], steps=some.steps
    )
    baseline = make()
    baseline.fit(both, both, seed=1)
    found = baseline.predict_proba(both.batch(np.arange(12))[0])
    assert found.shape == (12, 3)
    assert found[:, 1].max() == 0
    assert baseline.classes[found.argmax(axis=1)].tolist() == some.labels.tolist()


@pytest.mark.parametrize(
    ("indices", "said"),
    [
        ([], "at least two classes"),
        ([0, 1, 2], "two classes with two patterns each"),
        ([0, 1, 2, 10], "two classes with two patterns each"),
    ],
)
def test_too_little_to_learn_from_is_refused(simulate, indices, said):
    train = simulate("constant area", [2, 5], 10)
    with pytest.raises(DataError, match=said):
        RadialLDA().fit(train.subset(indices), train, seed=1)


def test_a_validation_set_may_lack_a_class_but_not_add_one(simulate):
    train, valid = (simulate("constant area", [2, 5, 9], 8, first=f) for f in (0, 8))

    def holding(patterns, counts):
        kept = np.flatnonzero(np.isin(patterns.labels, counts))
        return PatternSet.from_arrays(
            patterns.raw(kept), patterns.labels[kept], patterns.grid, steps=patterns.steps
        )

    assert RadialLDA().fit(train, holding(valid, [5, 9]), seed=1)[0].valid_accuracy == 1.0
    with pytest.raises(DataError, match="validation set: contains classes"):
        RadialLDA().fit(holding(train, [5, 9]), valid, seed=1)


def test_patterns_that_are_all_dark_but_for_nothing_are_refused():
    images = np.zeros((4, 9, 9))
    images[:, 0, 0] = 1.0
    dark = PatternSet.from_arrays(images, [2, 2, 3, 3], KGrid.centered(9, 0.1))
    with pytest.raises(DataError, match="two rings"):
        RadialLDA().fit(dark, dark, seed=1)


def test_the_perceptron_depends_on_the_seed_and_on_nothing_else(simulate):
    train = simulate("fixed radius", COUNTS, 60).subset(np.arange(0, 600, 10))
    patterns, _ = train.batch(np.arange(20))

    def probabilities(seed):
        baseline = PairPeaks(rule="perceptron")
        baseline.fit(train, train, seed=seed)
        return baseline.predict_proba(patterns)

    first = probabilities(3)
    np.random.seed(0)  # noqa: NPY002 - the legacy state must not matter
    assert np.array_equal(first, probabilities(3))
    assert not np.allclose(first, probabilities(4))


def test_the_better_rule_on_the_validation_set_is_taken(simulate):
    train = simulate("fixed radius", COUNTS, 60).subset(np.arange(0, 600, 6))
    valid = simulate("fixed radius", COUNTS, 15, first=65)
    right = {}
    for rule in ("linear", "perceptron", "best"):
        baseline = PairPeaks(rule=rule)
        right[rule] = baseline.fit(train, valid, seed=1)[0].valid_accuracy
    assert right["best"] == max(right["linear"], right["perceptron"])


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (Contrast, {"floor": -0.1}),
        (Contrast, {"floor": 1.0}),
        (Contrast, {"smoothing": -1.0}),
        (Contrast, {"smoothing": float("nan")}),
        (FormFactorFit, {"dispersion": -0.1}),
        (PairPeaks, {"peaks": 0}),
    ],
)
def test_options_out_of_range_are_refused(make, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        make(**options)


@pytest.mark.parametrize("definition", ["raw", "shifted", "absolute", "normalized"])
def test_each_definition_of_the_first_moment_can_be_asked_for(simulate, definition):
    train = simulate("constant area", [2, 11], 20)
    baseline = FirstMoment(definition=definition)
    assert baseline.fit(train, train, seed=1)[0].accuracy > 0.7


@pytest.mark.parametrize("make", ALL)
def test_before_it_has_learned_anything_it_says_so(make):
    with pytest.raises(ModelError, match="not fitted"):
        make().predict_proba(np.ones((1, 9, 9)))


@pytest.mark.parametrize("make", [FirstMoment, RadialLDA])
def test_balanced_classes_have_equal_priors(make, simulate):
    many = simulate("mono", [2, 3, 4], 60)
    rare = many.subset(np.flatnonzero(many.labels < 4)[:64])
    counts = np.bincount(rare.targets, minlength=len(rare.classes))
    odds = []
    for weights in ("none", "balanced"):
        rule = make(class_weights=weights)
        rule.fit(rare, rare, seed=0)
        odds.append(np.log(rule.predict_proba(many.batch([0, 60])[0])[:, :2]))
    shift = np.diff(odds[1], axis=1) - np.diff(odds[0], axis=1)
    np.testing.assert_allclose(shift, np.log(counts[0] / counts[1]), rtol=1e-3)
    with pytest.raises(ValueError, match="class_weights"):
        make(class_weights="some")
