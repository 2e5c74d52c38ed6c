"""Models of a value, from experiment to prediction, with rules that take no time."""

import json

import numpy as np
import pytest

from speckle_core import Experiment, load_model
from speckle_core.analysis.quantities import value_of
from speckle_core.contracts.progress import Progress
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.errors import ExperimentError, ModelError, PluginError
from speckle_core.models.evaluate import assess_values, part_of
from speckle_core.models.folder import load_model as load_whole
from speckle_core.models.train import train
from speckle_core.models.values import load_intervals, rename_intervals, save_intervals

SMALL = {
    "name": "small",
    "structure": {
        "counts": [2, 5],
        "patterns_per_count": 30,
        "sampler": {"name": "polydisperse"},
    },
    "grid": {"size": 65},
    "prepare": [{"name": "block-center"}, {"name": "standardize"}],
    "split": {"train": 80, "valid": 20, "test": 20},
    "classifier": {"name": "radial-lda"},
    "baselines": ["first-moment"],
}


def experiment(quantity="mean-radius", **changes):
    return Experiment.from_dict(SMALL | {"target": {"quantity": quantity}} | changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("values") / "data"
    generate(Experiment.from_dict(SMALL), folder, workers=1)
    return Dataset.open(folder)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("values") / "model"
    train(experiment(), data, place)
    return place


@pytest.mark.parametrize("quantity", ["count", "mean-radius", "radius-spread", "coverage"])
def test_stored_values_are_those_of_the_configurations_drawn(data, quantity):
    pipeline = data.experiment.build(only=("structure",))
    drawn = [pipeline.draw(n, i, 0) for n in range(2, 6) for i in range(30)]
    expected = [value_of(quantity, one) for one in drawn]
    np.testing.assert_allclose(data.values(quantity), expected, rtol=1e-12)


def test_values_are_stored_with_a_recipe_as_well(data, tmp_path):
    generate(Experiment.from_dict(SMALL | {"storage": {"store": "recipe"}}), tmp_path, workers=1)
    values = Dataset.open(tmp_path).values("radius-spread")
    np.testing.assert_array_equal(values, data.values("radius-spread"))


def test_without_a_target_an_experiment_reads_as_before():
    plain = Experiment.from_dict(SMALL)
    assert "target" not in plain.to_dict()
    assert experiment().data_recipe() == plain.data_recipe()
    assert Experiment.from_dict(experiment().resolved().to_dict()) == experiment().resolved()


@pytest.mark.parametrize(
    ("target", "more", "told"),
    [
        ({"quantity": "weight"}, {}, "weight"),
        ({"quantity": "count", "interval": 1.0}, {}, "below 1"),
        ({}, {}, "quantity"),
        (
            {"quantity": "coverage"},
            {"structure": SMALL["structure"] | {"fresh": True}, "split": SMALL["split"]},
            "simulated anew",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused(target, more, told):
    with pytest.raises(ExperimentError, match=told):
        Experiment.from_dict(SMALL | {"target": target} | more)


def test_a_model_reads_the_value_with_an_interval(data, folder):
    model = load_model(folder)
    test = part_of(load_whole(folder), data, "test")
    found = assess_values(load_whole(folder), folder, test)
    assert list(found) == ["radial-lda", "first-moment"]
    assert found["radial-lda"].explained > 0.7
    assert found["radial-lda"].covered >= 0.7
    raw = test.raw(np.arange(len(test)))
    answers = model.values(raw)
    np.testing.assert_allclose([a.value for a in answers], found["radial-lda"].predicted)
    np.testing.assert_allclose(model.predict(raw), found["radial-lda"].predicted)
    first = answers[0]
    assert first.told.startswith("mean radius ")
    assert first.told.endswith("] (90 %)")
    assert first.low < first.value < first.high
    assert first.baselines["first-moment"] == pytest.approx(found["first-moment"].predicted[0])
    assert first.distance > 0


def test_it_has_neither_classes_nor_probabilities(data, folder):
    model = load_model(folder)
    raw = data.patterns().raw([0])
    assert model.classes.tolist() == []
    assert "mean radius" in repr(model)
    for ask in (model.answer, model.predict_proba):
        with pytest.raises(
            ModelError, match=r"reads the mean radius, not classes\n.*predict or values"
        ):
            ask(raw)


def test_a_value_without_an_interval_states_no_coverage(data, tmp_path):
    few = {"quantity": "mean-radius", "interval": 0.99}
    notes = []
    progress = Progress()
    progress.finish = lambda note="": notes.append(note)
    train(Experiment.from_dict(SMALL | {"target": few}), data, tmp_path, progress)
    said = "20 validation patterns are too few for intervals of 99 %, which take 99"
    assert notes.count(said) == 2  # of the classifier and of its baseline
    (answer,) = load_model(tmp_path).values(data.patterns().raw([0]))
    assert answer.told.endswith(", without an interval")
    assert "%" not in answer.told


def test_intervals_go_with_the_classifier_when_it_is_renamed(folder, tmp_path):
    known = load_intervals(folder)
    save_intervals(known, tmp_path)
    rename_intervals(tmp_path, "radial-lda", "other")
    again = load_intervals(tmp_path)
    assert list(again.learned) == ["other", "first-moment"]
    np.testing.assert_array_equal(again.of("other").scores, known.of("radial-lda").scores)
    assert again.span == known.span


def test_values_outside_of_the_training_range_are_marked(data, tmp_path):
    train(experiment("count"), data, tmp_path)
    pipeline = data.experiment.build(only=("structure", "scattering"))
    raw = pipeline.pattern_set([8, 9], 5, seed=1).raw(np.arange(10))
    answers = load_model(tmp_path).values(raw)
    assert np.mean([a.value for a in answers]) > 5
    assert [a.outside for a in answers] == [not 2 <= a.value <= 5 for a in answers]


def test_a_damaged_file_of_intervals_is_told(data, folder, tmp_path):
    model = load_model(folder)
    model.folder = tmp_path
    (tmp_path / "intervals.json").write_text('{"range": [1, 2], "scores": {"x": [2, 1]}}')
    with pytest.raises(ModelError, match="do not ascend"):
        _ = model.intervals


def test_a_classifier_that_cannot_is_refused(data, tmp_path):
    with pytest.raises(PluginError, match=r"solve can learn .* only as a class"):
        train(experiment(baselines=["solve"]), data, tmp_path / "m")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["structure.sampler.name=monodisperse", "structure.sampler.radius=90.0"], "the same"),
        (["baselines=['solve']"], "only as a class"),
    ],
)
def test_a_run_that_cannot_learn_ends_before_anything_is_simulated(
    settings, told, tmp_path, invoke
):
    (tmp_path / "e.toml").write_text(experiment().to_toml())
    more = [word for setting in settings for word in ("--set", setting)]
    result = invoke("run", tmp_path / "e.toml", "-o", tmp_path / "run", *more)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not (tmp_path / "run").exists()


def test_commands_tell_the_value(data, folder, tmp_path, invoke):
    def said(*given):
        return json.loads(invoke(*given, "--json").stdout)

    np.save(tmp_path / "one.npy", data.patterns().raw([3])[0])
    (told,) = said("predict", folder, tmp_path / "one.npy")["predictions"]
    assert told["unit"] == "length"
    assert told["interval"][0] < told["value"] < told["interval"][1]
    assert told["text"] in invoke("predict", folder, tmp_path / "one.npy").stdout
    found = said("evaluate", folder, "--data", data.folder)
    assert found["evaluations"]["radial-lda"]["explained_variance"] > 0.7
    assert "mean absolute error" in found["verdict"]
    result = invoke("export", folder, "-o", tmp_path / "m.onnx")
    assert (result.exit_code, "model of a value" in result.stderr) == (1, True)


def test_a_run_has_a_report_of_the_value(tmp_path, invoke):
    (tmp_path / "e.toml").write_text(experiment().to_toml())
    result = invoke("run", tmp_path / "e.toml", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "R²" in result.stdout
    page = (tmp_path / "run" / "report.html").read_text()
    for part in ("mean absolute error", "When not to believe this model", "predicted against true"):
        assert part in page
    assert page.count('<table class="pairs">') == 1  # sentences stand on the left
