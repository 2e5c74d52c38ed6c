from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest

from speckle_core import Component, Configuration, DataError, Experiment, create, hookimpl
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.audit.findings import TITLE, Audit, audit, baselines_of, evaluate_baselines
from speckle_core.audit.leakage import Leakage
from speckle_core.audit.shortcuts import Shortcut
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate
from speckle_core.plugins.manager import plugin_manager

AREA = 16200 * math.pi
SEED, EACH, POOL = 7, 20, 4
Make = Callable[..., Dataset]


@attrs.frozen(kw_only=True)
class Repeating:
    """Draws one of a few configurations of each number, perhaps at another place or turned over."""

    box: float = 2000.0
    moved: bool = False
    first: ClassVar[int] = 0

    def sample(self, count: int, rng: np.random.Generator) -> Configuration:
        chosen = int(rng.integers(POOL)) + self.first
        sampler = create("sampler", "polydisperse", box=self.box / 2)
        drawn = sampler.sample(count, np.random.default_rng(chosen))
        (disks,) = drawn.particles
        centers = disks.centers
        if self.moved:
            centers = rng.choice((-1, 1)) * (centers - 500) + rng.uniform(500, 1500, 2)
        return Configuration(attrs.evolve(disks, centers=centers), self.box)


class RepeatingPlugin:
    @hookimpl
    def speckle_samplers(self) -> list[Component]:
        return [Component("repeating", Repeating, "A few configurations, again and again.")]


@pytest.fixture(autouse=True)
def _repeating() -> Iterator[None]:
    plugin_manager().register(RepeatingPlugin(), "repeating")
    yield
    plugin_manager.cache_clear()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(sampler: dict[str, Any], **changes: Any) -> Dataset:
        data = {
            "name": "small",
            "seed": SEED,
            "structure": {"counts": [2, 5], "patterns_per_count": EACH, "sampler": sampler},
            "grid": {"size": 33},
            "split": {"train": 0.6, "valid": 0.1, "test": 0.3},
            "classifier": "radial-lda",
        }
        generate(Experiment.from_dict(data | changes), tmp_path / "data", workers=1)
        return Dataset.open(tmp_path / "data")

    return made


def ties(found: Audit) -> dict[str, Shortcut]:
    return {tie.quantity: tie for tie in found.shortcuts}


def accuracy(tie: Shortcut) -> float:
    assert tie.evaluation is not None
    return tie.evaluation.accuracy


def test_at_constant_area_the_radius_tells_n_and_the_area_does_not(make: Make) -> None:
    found = audit(make({"name": "monodisperse"}), {})
    tie = ties(found)
    assert (accuracy(tie["mean radius"]), tie["mean radius"].correlation) == (
        1.0,
        pytest.approx(-1),
    )
    assert "n can be predicted from the mean radius alone" in str(tie["mean radius"])
    assert tie["total area"].evaluation is None
    assert tie["total area"].low == pytest.approx(AREA)
    assert tie["coverage"].low == pytest.approx(AREA / 2000**2)
    assert "the same in all patterns" in str(tie["coverage"])
    assert found.leakage.by_construction == (2, 3, 4, 5)
    assert "by construction" in " ".join(found.leakage.sentences())


def test_at_one_radius_area_coverage_and_intensity_tell_n_and_the_radius_does_not(
    make: Make,
) -> None:
    tie = ties(audit(make({"name": "monodisperse", "radius": 90.0}), {}))
    assert tie["mean radius"].evaluation is None
    assert (tie["mean radius"].low, tie["mean radius"].high) == (90, 90)
    for name, unit in (("total area", 1), ("coverage", 2000**2)):
        assert accuracy(tie[name]) == 1.0
        assert tie[name].low == pytest.approx(2 * math.pi * 90**2 / unit)
        assert tie[name].high == pytest.approx(5 * math.pi * 90**2 / unit)
    assert tie["mean intensity"].correlation == pytest.approx(1, abs=0.1)


def test_the_mean_intensity_is_that_of_the_stored_patterns(make: Make) -> None:
    dataset = make({"name": "polydisperse"})
    tie = ties(audit(dataset, {}))["mean intensity"]
    means = dataset.patterns().raw(np.arange(len(dataset))).mean(axis=(1, 2), dtype=np.float64)
    assert (tie.low, tie.high) == (pytest.approx(means.min()), pytest.approx(means.max()))


def test_sizes_shared_by_a_class_are_reported(make: Make) -> None:
    found = audit(make({"name": "polydisperse", "radii_per": "count"}), {}).leakage
    assert (found.by_construction, found.fixed) == ((), (2, 3, 4, 5))
    assert found.sizes == found.test == 24
    assert "all patterns of a class have the same radii" in " ".join(found.sentences())


def test_nothing_is_shared_where_every_configuration_draws_its_own_sizes(make: Make) -> None:
    found = audit(make({"name": "polydisperse"}), {}).leakage
    assert attrs.astuple(found) == (24, (), (), 0, 0, 0, 0, True)
    assert "No test pattern has the sizes" in " ".join(found.sentences())


def repeated(dataset: Dataset) -> int:
    """Return how many test patterns show a configuration of the pool that a training one shows."""
    chosen = [
        (n, np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(n, i))).integers(POOL))
        for n in (2, 3, 4, 5)
        for i in range(EACH)
    ]
    trained = {chosen[i] for i in dataset.split["train"]}
    return sum(chosen[i] in trained for i in dataset.split["test"])


def test_configurations_that_training_and_test_share_are_counted(make: Make) -> None:
    dataset = make({"name": "repeating"})
    found = audit(dataset, {}).leakage
    expected = repeated(dataset)
    assert expected > 12
    assert attrs.astuple(found) == (24, (), (), *(expected,) * 4, True)


def test_configurations_shifted_and_turned_over_are_found_again(make: Make) -> None:
    dataset = make({"name": "repeating", "moved": True})
    found = audit(dataset, {}).leakage
    assert (found.sizes, found.configurations) == (repeated(dataset), 0)
    assert found.arrangements == repeated(dataset)
    assert f"{found.arrangements} more the same configuration shifted" in " ".join(
        found.sentences()
    )


def test_a_rule_on_one_number_knows_no_unit_and_no_scale() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([2, 3, 4], 50)
    values = labels + rng.normal(0, 0.5, 150) + 5
    parts = {"train": np.arange(0, 150, 2), "test": np.arange(1, 150, 2)}
    first = Shortcut.of("x", values, labels, parts)
    assert 0.4 < accuracy(first) < 0.99
    for other in (values * 1e-12, values**3):
        again = Shortcut.of("x", other, labels, parts)
        np.testing.assert_array_equal(again.evaluation.predicted, first.evaluation.predicted)
        assert again.correlation == pytest.approx(first.correlation)


def test_rounding_that_depends_on_n_is_no_tie() -> None:
    labels = np.repeat([2, 3, 4], 10)
    parts = {"train": np.arange(0, 30, 2), "test": np.arange(1, 30, 2)}
    assert Shortcut.of("x", 1 + labels * 1e-15, labels, parts).evaluation is None


def test_numbers_without_a_tie_are_read_no_better_than_by_chance() -> None:
    labels = np.repeat([2, 3, 4, 5], 200)
    values = np.random.default_rng(5).random(800)
    parts = {"train": np.arange(0, 800, 2), "test": np.arange(1, 800, 2)}
    assert "is not predictive of n" in str(Shortcut.of("x", values, labels, parts))


def test_baselines_are_the_experiments_own_those_named_or_radial_lda(make: Make) -> None:
    plain = make({"name": "monodisperse"}).experiment
    named = attrs.evolve(plain, baselines=Experiment.load("quickstart-resnet50").baselines)
    assert list(baselines_of(plain)) == ["radial-lda"]
    assert list(baselines_of(named)) == ["radial-lda", "first-moment"]
    assert list(baselines_of(named, ["contrast"])) == ["contrast"]


def test_a_baseline_reads_as_it_would_in_a_training(make: Make, tmp_path: Path) -> None:
    from speckle_core.models.evaluate import assess, part_of
    from speckle_core.models.train import train

    dataset = make({"name": "monodisperse"}, baselines=["first-moment"])
    (reading,) = evaluate_baselines(baselines_of(dataset.experiment), dataset).values()
    model = train(dataset.experiment, dataset, tmp_path / "model")
    expected = assess(model, part_of(model, dataset, "test"))["first-moment"]
    np.testing.assert_array_equal(reading.probabilities, expected.probabilities)


def test_a_set_without_test_patterns_is_refused(make: Make) -> None:
    dataset = make({"name": "monodisperse"}, split={"train": 0.9, "valid": 0.1, "test": 0.0})
    with pytest.raises(DataError, match="no test patterns"):
        audit(dataset, {})


def test_a_set_that_todays_sampler_would_not_make_is_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make({"name": "repeating"})
    monkeypatch.setattr(Repeating, "first", 100)
    with pytest.raises(DataError, match="with the installed plugins"):
        audit(dataset, {})


def evaluation(right: int) -> Evaluation:
    labels = np.resize([2, 3], 200)
    return Evaluation([2, 3], labels, np.where(np.arange(200) < right, labels, 5 - labels))


def findings(**baselines: int) -> Audit:
    leakage = Leakage(
        test=200,
        by_construction=(),
        fixed=(),
        sizes=0,
        configurations=0,
        arrangements=0,
        patterns=0,
    )
    tie = Shortcut("mean radius", 12.5, 80.0, -0.25, evaluation(120))
    constant = Shortcut("total area", 7.0, 7.0)
    readings = {name.replace("_", "-"): evaluation(right) for name, right in baselines.items()}
    return Audit({"train": 700, "test": 200}, (tie, constant), leakage, readings)


def test_baselines_are_told_best_first_with_what_they_do_and_whether_they_solve_the_set() -> None:
    *_, told = findings(contrast=120, radial_lda=198, elsewhere=150).paragraphs()
    assert [sentence.split(" ")[0].rstrip(",") for sentence in told] == [
        "radial-lda",
        "elsewhere",
        "contrast",
    ]
    summary = plugin_manager().find("classifier", "radial-lda").component.summary.rstrip(".")
    assert f"radial-lda, {summary[0].lower()}{summary[1:]}, solves this data set: " in told[0]
    assert "0.990 [0.964, 0.997]" in told[0]
    assert told[1].startswith("elsewhere ")
    assert "0.750 [" in told[1]

    *_, told = findings(contrast=197).paragraphs()
    assert told[0].startswith("contrast, ")
    assert "solves this data set: " not in told[0]
    assert "0.99" in told[1]
    assert told[1].startswith("None of these")

    *_, told = findings().paragraphs()
    assert len(told) == 1
    assert told[0].startswith("Without a baseline")


def test_a_report_shows_every_quantity_and_every_sentence() -> None:
    found = findings(contrast=197)
    section = found.section()
    assert section.title == TITLE
    (table,) = section.tables
    low, high = evaluation(120).accuracy_interval
    assert list(table.rows) == [
        ("mean radius", "12.5 to 80", "-0.250", f"0.600 [{low:.3f}, {high:.3f}]"),
        ("total area", "the same in all", "-", "-"),
    ]
    assert len(table.header) == 4
    paragraphs = section.text.split("\n\n")
    assert paragraphs == [" ".join(sentences) for sentences in found.paragraphs()]


def test_every_number_and_sentence_is_there_as_plain_values() -> None:
    found = findings(contrast=197)
    data = json.loads(json.dumps(found.to_dict()))
    assert data["parts"] == {"train": 700, "test": 200}
    assert data["ties"]["total area"] == {
        "low": 7.0,
        "high": 7.0,
        "rank_correlation": None,
        "reading": None,
    }
    tie = data["ties"]["mean radius"]
    assert (tie["low"], tie["high"], tie["rank_correlation"]) == (12.5, 80.0, -0.25)
    assert tie["reading"]["value"] == 0.6
    assert data["sharing"]["test"] == 200
    assert data["baselines"]["contrast"]["accuracy"]["value"] == 0.985
    assert data["findings"] == [s for sentences in found.paragraphs() for s in sentences]


def test_baselines_are_fitted_on_prepared_training_patterns_with_the_experiments_seed(
    make: Make,
) -> None:
    dataset = make({"name": "monodisperse"}, prepare=["log"])

    class Spy:
        classes = np.array([2, 3, 4, 5])

        def fit(self, train: Any, valid: Any, *, seed: int, on_epoch: Any = None) -> list[Any]:
            self.seed, self.train, self.valid = seed, train.labels, valid.labels
            self.first = train.batch([0])[0]
            return []

        def predict_proba(self, patterns: Any) -> Any:
            return np.full((len(patterns), 4), 0.25)

    spy = Spy()
    found = evaluate_baselines({"spy": spy}, dataset)["spy"]
    parts = dataset.split
    assert spy.seed == SEED
    np.testing.assert_array_equal(spy.train, dataset.labels[parts["train"]])
    np.testing.assert_array_equal(spy.valid, dataset.labels[parts["valid"]])
    np.testing.assert_array_equal(found.labels, dataset.labels[parts["test"]])
    raw = dataset.patterns().raw(parts["train"][:1])
    expected = create("preprocessor", "log")(raw, dataset.grid)
    np.testing.assert_allclose(spy.first, expected, rtol=1e-6)


def test_a_baseline_of_the_experiment_is_taken_with_its_options_and_asked_for_by_its_label(
    make: Make,
) -> None:
    own = {"name": "first-moment", "definition": "absolute", "label": "mine"}
    experiment = make({"name": "monodisperse"}, baselines=[own]).experiment
    for names in ((), ("mine",), ("mine", "mine")):
        (found,) = baselines_of(experiment, names).items()
        assert (found[0], found[1].definition) == ("mine", "absolute")
    (found,) = baselines_of(experiment, ["first-moment"]).items()
    assert (found[0], found[1].definition) == ("first-moment", "raw")
