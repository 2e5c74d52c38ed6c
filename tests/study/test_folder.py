import csv
import json

import numpy as np
import pytest

from speckle_core.contracts.progress import Progress
from speckle_core.errors import OutputError
from speckle_core.experiment.experiment import Experiment
from speckle_core.study import folder as study_folder
from speckle_core.study.folder import run_study
from speckle_core.study.points import Axis, points_of
from speckle_core.study.results import draw

AXES = [Axis.parse("split.train=12,48"), Axis.parse("seed=5,6")]


def run(source, axes, target, classifiers=None, **options):
    points = points_of(source, (), axes, classifiers)
    base = Experiment.load(source).resolved()
    return run_study(base, axes, points, target, **{"workers": 1} | options)


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    target = tmp_path_factory.mktemp("study") / "one"
    return target, run(tiny, AXES, target)


def test_each_result_is_that_of_the_experiment_alone(tiny, finished):
    _, results = finished
    assert len(results) == 8
    for result in results[1::3]:
        train, seed = result.values
        experiment = Experiment.load(tiny, [f"split.train={train}", f"seed={seed}", "baselines=[]"])
        pipeline = experiment.build()
        if result.classifier == "first-moment":
            pipeline = Experiment.load(
                tiny, [f"split.train={train}", f"seed={seed}", "classifier.name=first-moment"]
            ).build(only=("structure", "scattering", "prepare", "classifier"))
        patterns = pipeline.pattern_set(experiment.counts, 24, seed=seed)
        _, test = pipeline.fit(patterns, split=experiment.split, seed=seed)
        alone = pipeline.evaluate(test)["classifier"]
        assert result.accuracy == pytest.approx((alone.accuracy, *alone.accuracy_interval))
        assert result.within_1[0] == pytest.approx(np.mean(np.abs(alone.errors) <= 1))
        assert result.mean_absolute_error == pytest.approx(np.mean(np.abs(alone.errors)))
        assert (result.patterns, result.trained_on) == (15, train)


def test_the_table_has_a_row_for_every_point_and_the_page_needs_nothing_else(finished):
    target, results = finished
    rows = list(csv.DictReader((target / "study.csv").read_text("utf-8").splitlines()))
    assert [float(row["accuracy"]) for row in rows] == pytest.approx(
        [r.accuracy[0] for r in results], rel=1e-5
    )
    assert {row["seed"] for row in rows} == {"5", "6"}
    page = (target / "study.html").read_text("utf-8")
    assert page.count("<tr>") == 1 + len(results)
    assert page.count("<img ") == page.count('prefers-color-scheme: dark)">') == 1
    assert "http" not in page.replace("http-equiv", "")
    assert (target / "study.png").read_bytes()[:4] == b"\x89PNG"
    assert not any((target / "data").iterdir())
    assert not any((target / "models").iterdir())


def test_a_finished_study_computes_nothing_and_more_values_only_what_is_new(
    tiny, finished, tmp_path, monkeypatch
):
    target, results = finished
    made = []
    real = study_folder.generate

    def counted(experiment, *rest, **options):
        made.append(experiment.seed)
        return real(experiment, *rest, **options)

    monkeypatch.setattr(study_folder, "generate", counted)
    assert run(tiny, AXES, target) == results
    assert made == []
    more = run(tiny, [AXES[0], Axis.parse("seed=5,6,9")], target)
    assert made == [9]
    assert [r for r in more if r.values[1] != 9] == results


def test_an_interrupted_study_goes_on_to_the_same_results(tiny, finished, tmp_path, monkeypatch):
    _, results = finished
    real, left = study_folder.assess, iter([True, True, True])

    def interrupted(*rest):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(*rest)

    monkeypatch.setattr(study_folder, "assess", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, AXES, tmp_path / "two")
    assert len(list((tmp_path / "two" / "results").iterdir())) == 3
    monkeypatch.undo()
    again = run(tiny, AXES, tmp_path / "two")
    assert [r.accuracy for r in again] == [r.accuracy for r in results]


def test_what_a_killed_call_left_is_removed_by_the_next(tiny, finished):
    target, results = finished
    points = points_of(tiny, (), AXES, None)
    for left in (target / "models" / points[0].key, target / "data" / points[0].data_key):
        left.mkdir()
        (left / "part").write_bytes(b"half of it")
    begun = target / "models" / "of-a-point-without-a-result"
    begun.mkdir()
    assert run(tiny, AXES, target) == results
    assert not any((target / "data").iterdir())
    assert [p.name for p in (target / "models").iterdir()] == [begun.name]
    begun.rmdir()


def test_a_damaged_result_is_computed_again(tiny, finished):
    target, results = finished
    note = sorted((target / "results").iterdir())[0]
    whole = note.read_bytes()
    note.write_bytes(whole.replace(b'"patterns": 15', b'"patterns": 16'))
    again = run(tiny, AXES, target)
    assert [r.accuracy for r in again] == [r.accuracy for r in results]
    assert json.loads(note.read_text())["patterns"] == 15


def test_a_point_that_fails_has_its_own_error_and_takes_no_other_with_it(tiny, tmp_path):
    axes = [Axis.parse("structure.sampler.radius=60,600")]
    target = tmp_path / "three"
    points = points_of(tiny, (), axes, ["first-moment"])
    base = Experiment.load(tiny).resolved()
    good, bad = run_study(base, axes, points, target, workers=1)
    assert good.error is None
    assert np.isfinite(good.accuracy).all()
    assert "n = " in bad.error
    assert np.isnan(bad.accuracy[0])
    assert len(list((target / "results").iterdir())) == 1


def test_lists_and_names_can_be_varied_and_are_drawn(tiny, tmp_path):
    axes = [
        Axis.parse("structure.counts=[2, 7],[7, 12]"),
        Axis.parse("scattering.scatterer.name=analytic,fft"),
    ]
    found = run(tiny, axes, tmp_path / "lists", classifiers=["first-moment"])
    assert [r.values for r in found] == [
        ([2, 7], "analytic"),
        ([2, 7], "fft"),
        ([7, 12], "analytic"),
        ([7, 12], "fft"),
    ]
    figure = draw(axes, found)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [p.get_title("left") for p in panels] == [
        "scattering.scatterer.name = analytic",
        "scattering.scatterer.name = fft",
    ]
    (line,) = panels[1].get_lines()
    assert line.get_ydata().tolist() == [found[1].accuracy[0], found[3].accuracy[0]]
    assert [t.get_text() for t in panels[0].get_xticklabels()] == ["[2, 7]", "[7, 12]"]


def test_a_folder_of_something_else_is_left_alone(tiny, finished, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a speckle study folder"):
        run(tiny, AXES, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    target, _ = finished
    other = Experiment.load(tiny, ["grid.size=17"]).resolved()
    with pytest.raises(OutputError, match=r"another experiment; they differ in grid\.size"):
        run_study(other, AXES, points_of(tiny, (), AXES), target)


def test_several_processes_find_the_same(tiny, finished, tmp_path):
    _, results = finished
    heard = []

    class Heard(Progress):
        def advance(self, count=1):
            heard.append(count)

    axes = [AXES[0], Axis.parse("seed=5,7")]
    found = run(tiny, axes, tmp_path / "four", workers=2, progress=Heard())
    of_five = [r for r in found if r.values[1] == 5]
    assert [r.accuracy for r in of_five] == [r.accuracy for r in results if r.values[1] == 5]
    assert sum(heard) == 2 * 72 + 8
