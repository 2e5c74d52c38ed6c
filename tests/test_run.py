from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from speckle_core import (
    DataError,
    Dataset,
    Experiment,
    ModelError,
    OutputError,
    SpeckleError,
)
from speckle_core.contracts.progress import Progress
from speckle_core.data.generate import generate
from speckle_core.models.evaluate import part_of
from speckle_core.models.folder import load_model
from speckle_core.models.train import train
from speckle_core.run import Run

SMALL = [
    "structure.counts=[2, 4]",
    "structure.patterns_per_count=30",
    "grid.size=65",
    "grid.step=0.00314159",
    "classifier={name='radial-lda'}",
    "baselines=['first-moment']",
    "split={train=60, valid=9, test=21, test_per_class=7}",
    "name=small",
]


def small(*settings: str) -> Experiment:
    return Experiment.load("paper-mono-257", [*SMALL, *settings])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run.begin(small(), tmp_path_factory.mktemp("runs") / "small")
    run.execute(workers=1)
    return run


def test_a_run_leaves_data_model_evaluation_and_report(done: Run) -> None:
    evaluations = done.evaluations()
    assert list(evaluations) == ["radial-lda", "first-moment"]
    assert [len(e) for e in evaluations.values()] == [21, 21]
    assert evaluations["radial-lda"].accuracy >= 0.9
    assert done.report.read_text().startswith("<!doctype html>")
    assert Experiment.load(done.folder / "experiment.toml") == small().resolved()


def test_a_run_is_printed_in_one_line(done: Run) -> None:
    assert repr(done) == (
        f"<Run {done.folder}: {done.experiment.name}, generate, train, evaluate, report done>"
    )


def test_a_finished_run_is_not_done_again(done: Run) -> None:
    class Loud(Progress):
        def start(
            self,
            task: str,
            total: int | None = None,
            unit: str = "patterns",
            *,
            epochs: bool = False,
        ) -> None:
            pytest.fail(f"{task} was begun again")

    before = done.report.stat().st_mtime_ns
    Run.begin(small(), done.folder).execute(progress=Loud())
    assert done.report.stat().st_mtime_ns == before


def test_a_folder_of_another_experiment_is_left_alone_and_told_apart(done: Run) -> None:
    with pytest.raises(OutputError, match=r"(?s)classifier.*--fresh") as caught:
        Run.begin(small("classifier={name='first-moment'}"), done.folder)
    assert "'first-moment', not 'radial-lda'" in str(caught.value)
    assert done.report.exists()


def test_fresh_starts_over_but_only_where_a_run_of_ours_lies(tmp_path: Path, done: Run) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="is not a speckle run folder"):
        Run.begin(small(), tmp_path, fresh=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"

    mine = tmp_path / "run"
    Run.begin(small(), mine)
    (mine / "old").touch()
    assert Run.begin(small("seed=1"), mine, fresh=True).stages == {}
    assert not (mine / "old").exists()


def test_a_model_says_what_it_is_and_predicts_the_same_when_loaded(done: Run) -> None:
    record = tomllib.loads((done.model / "model.toml").read_text())
    assert record["classes"] == [2, 3, 4]
    assert record["experiment"]["seed"] == 20221115
    assert record["versions"]["speckle-core"]
    patterns = Dataset.open(done.data).patterns().raw(np.arange(5))
    one, two = (load_model(done.model).pipeline.predict_proba(patterns) for _ in range(2))
    assert np.array_equal(one, two)
    assert one.sum(axis=1) == pytest.approx(1)


def test_training_twice_from_one_seed_gives_one_model(done: Run, tmp_path: Path) -> None:
    again = train(done.experiment, Dataset.open(done.data), tmp_path / "model")
    patterns = Dataset.open(done.data).patterns().raw([0, 40, 80])
    expected = load_model(done.model).pipeline.predict_proba(patterns)
    assert np.array_equal(again.pipeline.predict_proba(patterns), expected)


def test_the_test_part_on_the_training_data_is_that_of_the_training(done: Run) -> None:
    model, dataset = load_model(done.model), Dataset.open(done.data)
    expected = small().split.indices(dataset.labels, 20221115)["test"]
    part = part_of(model, dataset, "test")
    assert np.array_equal(part.raw(np.arange(21)), dataset.patterns().raw(expected))


def test_a_larger_view_of_the_same_step_can_be_read_and_another_step_cannot(
    done: Run, tmp_path: Path
) -> None:
    model = load_model(done.model)
    few = ["structure.patterns_per_count=4", "split={train=0.5, valid=0.0, test=0.5}"]
    generate(small("grid.size=97", *few), tmp_path / "wide", workers=1)
    assert len(part_of(model, Dataset.open(tmp_path / "wide"), "all")) == 12

    generate(small("grid.step=0.001", *few), tmp_path / "fine", workers=1)
    with pytest.raises(DataError, match="only the size may differ"):
        part_of(model, Dataset.open(tmp_path / "fine"), "all")


def test_training_on_data_of_another_experiment_names_the_difference(
    done: Run, tmp_path: Path
) -> None:
    other = small("structure.sampler.gap=9")
    with pytest.raises(DataError, match=r"structure\.sampler\.gap \(9\.0, not 2\.0\)"):
        train(other, Dataset.open(done.data), tmp_path / "model")


def test_a_folder_of_another_training_is_left_alone_and_told_apart(
    done: Run, tmp_path: Path
) -> None:
    data = Dataset.open(done.data)
    train(done.experiment, data, tmp_path)
    with pytest.raises(OutputError, match=r"training of another.*'first-moment', not 'radial-lda'"):
        train(small("classifier={name='first-moment'}"), data, tmp_path)
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(OutputError, match="not a valid training record"):
        train(done.experiment, data, tmp_path)


def test_what_was_begun_before_an_option_existed_goes_on(done: Run, tmp_path: Path) -> None:
    # As an earlier version would have left it, which knew no size of the block.
    def aged(path: Path) -> None:
        record = json.loads(path.read_text())
        del record["checksum"]
        assert record["experiment"]["prepare"][0].pop("size") == 11
        path.write_text(json.dumps(record))

    train(done.experiment, Dataset.open(done.data), tmp_path / "model")
    aged(tmp_path / "model" / "training.json")
    train(small(), Dataset.open(done.data), tmp_path / "model")
    Run.begin(small(), tmp_path / "run")
    aged(tmp_path / "run" / "run.json")
    assert Run.begin(small(), tmp_path / "run").stages == {}
    with pytest.raises(OutputError, match=r"'size': 9"):
        Run.begin(small("prepare=[{name = 'block-center', size = 9}]"), tmp_path / "run")


def unsealed(path: Path) -> str:
    """Return a record without its checksum, as a version before there were any wrote it."""
    return path.read_text().partition("\n")[2]


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda f: (f / "model.toml").unlink(), "model.toml is missing"),
        (lambda f: (f / "model.toml").write_text("format = ["), "cannot be read"),
        (lambda f: (f / "model.toml").write_text("format = 99"), "format 99"),
        (lambda f: (f / "model.toml").write_text("format = 1"), "is missing"),
        (
            lambda f: (f / "model.toml").write_text(
                unsealed(f / "model.toml").replace("classes = [", "classes = [true, ", 1)
            ),
            "True is not a whole number",
        ),
        (
            lambda f: (f / "model.toml").write_text(
                unsealed(f / "model.toml").replace("    2,\n", "", 1)
            ),
            "classes",
        ),
    ],
)
def test_a_damaged_model_folder_is_refused_with_the_cause(
    damage: object, text: str, done: Run, tmp_path: Path
) -> None:
    train(done.experiment, Dataset.open(done.data), tmp_path / "model")
    damage(tmp_path / "model")
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / "model")
    assert text in str(caught.value)


def test_a_full_disk_leaves_no_half_model_and_the_same_call_goes_on(
    done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            train(done.experiment, Dataset.open(done.data), tmp_path / "model")
    assert not (tmp_path / "model" / "model.toml").exists()
    train(done.experiment, Dataset.open(done.data), tmp_path / "model")
    assert load_model(tmp_path / "model").record.classes == (2, 3, 4)


def test_a_run_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SpeckleError, match="not a folder"):
        Run.begin(small(), tmp_path / "file")
