import csv

import numpy as np
import pytest

from speckle_core import load_model
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.errors import ExperimentError, ModelError
from speckle_core.experiment.experiment import Experiment
from speckle_core.models.novelty import TrainingProfiles
from speckle_core.study.folder import run_study
from speckle_core.study.points import Axis, points_of
from speckle_core.study.trained import TrainedReader, open_readers

AXES = [Axis.parse("prepare.0.size=3,9")]
SEED = ["seed=6"]


@pytest.fixture(scope="module")
def studied(tiny, model, tmp_path_factory):
    """The model of `tiny` beside a rule that is trained at each point, and the study's folder."""
    target = tmp_path_factory.mktemp("trained") / "study"
    points = points_of(tiny, SEED, AXES, ["first-moment"], open_readers([model]))
    base = Experiment.load(tiny, SEED).resolved()
    return target, run_study(base, AXES, points, target, workers=1)


def test_a_model_reads_the_test_patterns_as_each_point_prepares_them(
    tiny, model, studied, tmp_path
):
    _, results = studied
    whole = Experiment.load(tiny, SEED)
    generate(whole, tmp_path / "data", workers=1)
    dataset, classifier = Dataset.open(tmp_path / "data"), load_model(model).pipeline.classifier
    test = whole.parts(dataset.labels)["test"]
    for result, size in zip(results[1::2], (3, 9), strict=True):
        steps = Experiment.load(tiny, [f"prepare.0.size={size}"]).build(only=("prepare",)).prepare
        patterns = dataset.patterns(steps=steps).subset(test)
        prepared, labels = patterns.batch(np.arange(len(test)))
        read = classifier.classes[classifier.predict_proba(prepared).argmax(axis=1)]
        assert (result.classifier, result.values) == ("model", (size,))
        assert result.accuracy[0] == np.mean(read == labels)
        assert (result.patterns, result.trained_on) == (15, 48)
        assert result.far == TrainingProfiles.load(model).count_far(patterns)
    # A wider block is new to the model.
    assert results[1].far < results[3].far


def test_the_table_says_how_many_patterns_a_model_calls_far(studied):
    target, results = studied
    rows = list(csv.DictReader((target / "study.csv").read_text("utf-8").splitlines()))
    assert [row["far"] for row in rows] == ["", str(results[1].far), "", str(results[3].far)]


def test_its_results_are_kept_as_long_as_it_is_the_same_model(tiny, model, studied):
    target, results = studied
    points = points_of(tiny, SEED, AXES, ["first-moment"], open_readers([model]))
    assert {f"{point.key}.json" for point in points} == {
        note.name for note in (target / "results").iterdir()
    }
    base = Experiment.load(tiny, SEED).resolved()
    assert run_study(base, AXES, points, target, workers=1) == results


def test_without_classifiers_only_the_models_are_read(tiny, model):
    readers = open_readers([model.parent])  # the folder of a run
    points = points_of(tiny, SEED, AXES, (), readers)
    assert [point.classifier for point in points] == ["run", "run"]
    assert readers["run"].folder == model


def test_a_model_does_not_read_what_may_be_its_training_patterns(tiny, model):
    readers = open_readers([model])
    with pytest.raises(ExperimentError, match="patterns of the same seed, 5"):
        points_of(tiny, (), AXES, (), readers)
    with pytest.raises(ExperimentError, match="same seed"):
        points_of(tiny, SEED, [Axis.parse("seed=7,5")], (), readers)


def test_a_model_reads_only_what_is_prepared_by_its_own_steps(tiny, model):
    steps = [*SEED, 'prepare=[{name = "log"}]']
    with pytest.raises(ExperimentError, match=r"block-center, standardize, not by log"):
        points_of(tiny, steps, [Axis.parse("split.train=12,24")], (), open_readers([model]))


def test_labels_that_a_model_does_not_know_are_the_error_of_that_point(tiny, model, tmp_path):
    axes = [Axis.parse("structure.counts=[2, 12],[3, 13]")]
    points = points_of(tiny, SEED, axes, (), open_readers([model]))
    base = Experiment.load(tiny, SEED).resolved()
    known, unknown = run_study(base, axes, points, tmp_path / "study", workers=1)
    assert known.error is None
    assert "13" in unknown.error


def test_two_columns_of_one_name_and_what_is_no_model_are_refused(model, tmp_path):
    with pytest.raises(ExperimentError, match="two columns are called 'model'"):
        open_readers([model, model])
    with pytest.raises(ExperimentError, match="two columns are called 'model'"):
        open_readers([model], ["model"])
    with pytest.raises(ModelError, match="neither a folder nor a model"):
        TrainedReader.open(tmp_path / "nothing")
