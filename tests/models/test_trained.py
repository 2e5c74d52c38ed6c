from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import speckle_core
from speckle_core import DataError, Experiment, KGrid, ModelError, PatternSet, Pipeline, PluginError
from speckle_core.analysis.confidence import Confidence
from speckle_core.models import confidence
from speckle_core.run import Run

SETTINGS = (
    "baselines=['first-moment']",
    "explainers=[]",
    "structure.counts=[2, 12]",
    "structure.count_step=5",
    "structure.patterns_per_count=24",
    "grid.size=33",
    "prepare.0.size=3",
    "classifier.name=radial-lda",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    Run.begin(Experiment.load("quickstart", SETTINGS), folder).execute(workers=1)
    return folder


def test_a_model_loaded_from_a_run_reads_arrays_and_files_alike(run: Path, tmp_path: Path) -> None:
    model = speckle_core.load_model(str(run))
    data = speckle_core.load_data(run)
    raw = data.patterns().raw([0, 40, 71])
    np.save(tmp_path / "three.npy", raw)
    assert model.classes.tolist() == [2, 7, 12]
    assert model.predict(raw).tolist() == [2, 7, 12]
    assert model.predict(tmp_path / "three.npy").tolist() == [2, 7, 12]
    assert model.predict(str(tmp_path / "three.npy")).tolist() == [2, 7, 12]
    assert model.predict(raw[1]).tolist() == [7]
    rates = model.predict_proba(raw)
    assert rates.shape == (3, 3)
    np.testing.assert_allclose(rates.sum(axis=1), 1)
    assert "radial-lda, n = 2 to 12, 33 × 33 pixels" in repr(model)


def test_an_answer_says_the_second_choice_the_baselines_and_how_far_the_pattern_lies(
    run: Path,
) -> None:
    model = speckle_core.load_model(run)
    raw = speckle_core.load_data(run).patterns().raw([0, 71])
    first, last = model.answer(raw)
    rates = np.sort(model.predict_proba(raw), axis=1)
    assert (first.number, last.number) == (2, 12)
    assert first.second != first.number
    assert [first.probability, last.probability] == pytest.approx(rates[:, -1].tolist())
    assert [first.second_probability, last.second_probability] == pytest.approx(
        rates[:, -2].tolist()
    )
    assert set(first.baselines) == {"first-moment"}
    assert not first.far
    assert first.why == ""
    (told,) = model.answer(model.grid.magnitude())  # brightest at the edge
    assert told.far
    assert told.distance > 1.5
    assert "training pattern" in told.why


def test_an_answer_says_what_the_validation_part_makes_of_its_probability(
    run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(run / "model", folder)
    raw = speckle_core.load_data(run).patterns().raw(np.arange(0, 72, 5))
    plain = speckle_core.load_model(folder).answer(raw)
    assert all(answer.calibrated is None and answer.sets == {} for answer in plain)
    scores = np.linspace(0, 1, 38)
    confidence.save(Confidence(3.0, scores), folder)
    model = speckle_core.load_model(folder)
    for rates, answer in zip(model.predict_proba(raw), model.answer(raw), strict=True):
        odds = rates ** (1 / 3)
        assert answer.calibrated == pytest.approx(max(odds) / sum(odds))
        assert answer.probability == pytest.approx(max(rates))
        assert answer.sets.keys() == {0.9, 0.95}
        # The rank is ⌈39 · 0.95⌉ = 38, that is a probability of 0 or more; ⌈39 · 0.9⌉ = 36.
        assert answer.sets[0.95] == (2, 7, 12)
        inside = [n for n, p in zip((2, 7, 12), rates, strict=True) if 1 - p <= scores[35]]
        assert list(answer.sets[0.9]) == inside


def test_a_rule_is_explained_by_what_needs_no_gradients(run: Path) -> None:
    model = speckle_core.load_model(run)
    raw = speckle_core.load_data(run).patterns().raw([3])
    found = model.explain(raw)
    np.testing.assert_array_equal(found, model.explain(raw, "occlusion"))
    assert found.shape == (1, 33, 33)
    assert np.ptp(found) > 0


def test_a_run_and_its_parts_are_opened_by_path(run: Path) -> None:
    opened = speckle_core.load_run(str(run))
    assert opened.experiment.structure.values == (2, 7, 12)
    assert set(opened.evaluations()) == {"radial-lda", "first-moment"}
    assert len(speckle_core.load_data(opened.data)) == 72
    assert speckle_core.load_model(opened.model).grid.size == 33


def test_a_model_solves_one_pattern_on_its_own_k_step(run: Path, tmp_path: Path) -> None:
    model, data = speckle_core.load_model(run), speckle_core.load_data(run)
    raw = data.patterns().raw([1, 40])
    np.save(tmp_path / "one.npy", raw[0])
    found = model.solve(tmp_path / "one.npy", "patterson", seed=3)
    pipeline = Experiment.load("quickstart", SETTINGS).build(only=("structure",))
    (truth,) = pipeline.draw(2, 1, 20221115).particles
    (bodies,) = found.configuration.particles
    # A pattern tells neither the place of the whole nor which of its two mirror images it is.
    apart = np.hypot(*(bodies.centers[0] - bodies.centers[1]))
    assert apart == pytest.approx(np.hypot(*(truth.centers[0] - truth.centers[1])), rel=1e-3)
    assert sorted(bodies.bounding_radii) == pytest.approx(sorted(truth.bounding_radii), rel=1e-3)
    with pytest.raises(DataError, match="one pattern, not 2"):
        model.solve(raw, "patterson")
    with pytest.raises(PluginError, match="patterson"):
        model.solve(raw[0], "paterson")


def test_what_a_model_cannot_do_is_said(run: Path, tmp_path: Path) -> None:
    model = speckle_core.load_model(run)
    assert not model.explains
    with pytest.raises(PluginError, match="needs gradients"):
        model.explain(np.ones((33, 33)), "saliency")
    with pytest.raises(DataError, match="one pattern, not 2"):
        model.solve(np.ones((2, 33, 33)), "phase-retrieval")
    with pytest.raises(ModelError, match=r"model\.toml"):
        speckle_core.load_model(tmp_path)


@pytest.fixture
def five() -> PatternSet:
    patterns = np.arange(5 * 9, dtype=np.float32).reshape(5, 3, 3)
    halved = [lambda values, grid: values / 2]
    return PatternSet.from_arrays(patterns, [2, 3, 2, 3, 2], KGrid.centered(3, 1.0), steps=halved)


def test_a_pattern_set_is_indexed_sliced_and_iterated_over_as_a_sequence(five: PatternSet) -> None:
    whole = np.arange(45).reshape(5, 3, 3) / 2
    np.testing.assert_array_equal(five[0], whole[0])
    np.testing.assert_array_equal(five[-1], whole[4])
    np.testing.assert_array_equal(np.asarray(five), whole)
    assert np.asarray(five).dtype == np.float32
    assert np.asarray(five, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(list(five), whole)
    part = five[1:4]
    assert isinstance(part, PatternSet)
    assert part.labels.tolist() == [3, 2, 3]
    np.testing.assert_array_equal(np.asarray(part), whole[1:4])
    assert len(five[five.labels == 2]) == 3
    with pytest.raises(IndexError):
        five[5]


def test_an_estimator_of_scikit_learn_can_be_the_classifier() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import LinearSVC

    def pipeline(classifier: Any) -> Pipeline:
        return Pipeline(
            sampler="monodisperse",
            scatterer="analytic",
            grid=KGrid.centered(17, np.pi / 400),
            prepare=["log", "standardize"],
            classifier=classifier,
        )

    forest = RandomForestClassifier(20)
    made = pipeline(forest)
    patterns = made.pattern_set([2, 12], 40, seed=1)
    (epoch,), test = made.fit(patterns, seed=1)
    assert forest.random_state == 1
    assert epoch.accuracy == 1.0
    assert made.evaluate(test)["classifier"].accuracy >= 0.8
    assert made.predict(patterns.raw([0])).tolist() in ([2], [12])
    with pytest.raises(PluginError, match="gives no probabilities"):
        pipeline(LinearSVC())
    with pytest.raises(ModelError, match="cannot be saved"):
        made.classifier.save(Path())
