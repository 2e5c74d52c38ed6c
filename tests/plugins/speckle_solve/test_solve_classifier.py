"""The classifier `solve` on patterns as a data set prepares them. About 3 s on an idle core."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from speckle_core import (
    Configuration,
    KGrid,
    ModelError,
    OptionError,
    PatternSet,
    Pipeline,
    Solution,
    SupportsSample,
    create,
)
from speckle_core.analysis.verdict import evaluate
from speckle_disks.disks import Disks
from speckle_solve.classifier import Solve, probabilities

GRID = KGrid.centered(65, np.pi / 500)
CLASSES = np.arange(2, 7)


@pytest.fixture(scope="module")
def prepared() -> PatternSet:
    """Standardized float32 patterns with a blocked centre, two of 3 and two of 5 disks."""
    sampler = create("sampler", "polydisperse", box=500.0, total_area=5600.0)
    pipeline = Pipeline(
        sampler=sampler,
        scatterer="analytic",
        grid=GRID,
        prepare=[create("preprocessor", "block-center", size=3), "standardize"],
    )
    return pipeline.pattern_set([3, 5], patterns_per_count=2, seed=1)


def fitted(given: PatternSet, **options: int) -> Solve:
    made: Solve = create("classifier", "solve", **options)
    several = PatternSet.from_arrays(
        given.raw(range(len(given))), given.labels, given.grid, classes=CLASSES
    )
    history = made.fit(several, several, seed=0)
    assert np.isnan(history[0].accuracy)
    return made


def test_prepared_patterns_are_counted_without_any_training(prepared: PatternSet) -> None:
    batch, labels = prepared.batch(range(4))
    found = fitted(prepared).predict_proba(batch)
    assert CLASSES[found.argmax(axis=1)].tolist() == labels.tolist()
    assert (found.max(axis=1) > 0.99).all()


def test_what_was_saved_comes_back(prepared: PatternSet, tmp_path: Path) -> None:
    fitted(prepared).save(tmp_path)
    loaded = create("classifier", "solve")
    loaded.load(tmp_path)
    assert loaded.classes.tolist() == CLASSES.tolist()
    assert loaded.grid_ == GRID
    (tmp_path / "state.toml").write_text('format = "another"\n')
    with pytest.raises(ModelError, match="is no saved 'solve'"):
        create("classifier", "solve").load(tmp_path)
    with pytest.raises(ModelError, match="does not know its classes"):
        create("classifier", "solve").predict_proba(np.ones((1, 65, 65)))


def test_an_evaluation_asks_for_so_many_patterns_and_remembers_which(prepared: PatternSet) -> None:
    classifier = fitted(prepared, patterns=1)
    assert isinstance(classifier, SupportsSample)
    found = evaluate(classifier, prepared)
    assert len(found) == 1
    assert found.places is not None
    assert found.labels[0] == prepared.labels[found.places[0]]


def solution(n: int, solved: bool, deviances: dict[int, float]) -> Solution:
    bodies = Disks(np.zeros((n, 2)), np.ones(n))
    return Solution(Configuration(bodies, 10.0), 1.0, 0.0, 0.0, solved, deviances=deviances)


def test_probabilities_follow_the_criterion_of_neighbouring_numbers() -> None:
    found = probabilities(solution(4, True, {3: 12.0, 4: 10.0, 5: 14.0}), CLASSES)
    assert found.sum() == pytest.approx(1)
    # exp(-1) and exp(-2) of the best.
    assert found[1] / found[2] == pytest.approx(np.exp(-1), rel=1e-3)
    assert found[3] / found[2] == pytest.approx(np.exp(-2), rel=1e-3)
    assert (found > 0).all()


def test_what_is_not_solved_is_less_certain() -> None:
    sure, unsure = (probabilities(solution(4, s, {4: 0.0}), CLASSES) for s in (True, False))
    assert sure.argmax() == unsure.argmax() == 2
    assert unsure[2] < 0.95 < sure[2]
    assert unsure[1] > unsure[0]
    explained = attrs.evolve(solution(4, False, {4: 0.0}), explained=True)
    np.testing.assert_array_equal(probabilities(explained, CLASSES), sure)


def test_more_bodies_than_the_largest_class_speak_for_it() -> None:
    assert probabilities(solution(9, True, {}), CLASSES).argmax() == len(CLASSES) - 1


@pytest.mark.parametrize("option", ["starts", "most", "patterns"])
def test_an_impossible_option_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match="at least 1"):
        create("classifier", "solve", **{option: 0})


def test_the_solver_has_the_classifier_s_options() -> None:
    made = create("classifier", "solve", shape="spheres", starts=7)
    assert (made.solver().shape, made.solver().starts) == ("spheres", 7)
