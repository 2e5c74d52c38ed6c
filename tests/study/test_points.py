import pytest

from speckle_core.errors import ExperimentError, SpeckleError
from speckle_core.experiment.schema import Choice
from speckle_core.study.points import Axis, points_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1,2.5,three", (1, 2.5, "three")),
        ("structure.counts=[2, 3],[4, 5]", ([2, 3], [4, 5])),
        ('prepare=[{name = "log"}],[]', ([{"name": "log"}], [])),
        ("name='one, two',x", ("one, two", "x")),
        ("a=1e3, 1e5", (1e3, 1e5)),
    ],
)
def test_commas_inside_brackets_or_quotes_separate_no_values(text, values):
    assert Axis.parse(text).values == values


@pytest.mark.parametrize("text", ["a.b", "=1,2", "a=", "a=1,,2", "a=1,2,1", "a=1,1.0e0,1"])
def test_an_axis_that_cannot_be_read_is_a_clear_error(text):
    with pytest.raises(ExperimentError, match=r"PATH=VALUE|a value occurs twice"):
        Axis.parse(text)


def test_every_combination_is_a_point_of_each_classifier(tiny):
    axes = [Axis.parse("split.train=12,24"), Axis.parse("structure.patterns_per_count=24,30,36")]
    points = points_of(tiny, (), axes)
    assert len(points) == 2 * 3 * 2
    assert {p.values for p in points} == {(t, n) for t in (12, 24) for n in (24, 30, 36)}
    for point in points:
        experiment = point.experiment
        assert (experiment.split.train, experiment.structure.patterns_per_count) == point.values
        assert experiment.classifier.name == point.classifier
        assert experiment.baselines == ()
    # What is trained on has no influence on the patterns.
    assert len({p.data_key for p in points}) == 3
    assert len({p.key for p in points}) == len(points)


def test_a_classifier_of_the_experiment_keeps_its_options_and_another_has_its_defaults(tiny):
    settings = ['baselines=[{name = "pair-peaks", label = "few", peaks = 8}]']
    axes = [Axis.parse("split.train=12,24")]
    points = points_of(tiny, settings, axes, ["few", "pair-peaks", "few"])
    assert [p.classifier for p in points] == ["few", "pair-peaks"] * 2
    assert [p.experiment.classifier.options["peaks"] for p in points[:2]] == [8, 100]


def test_values_that_no_experiment_can_have_are_refused(tiny):
    for text in ("split.trian=1,2", "structure.sampler.radius=-1,2", "seed=a,b"):
        with pytest.raises(SpeckleError):
            points_of(tiny, (), [Axis.parse(text)])
    axis = Axis.parse("seed=1,2")
    with pytest.raises(ExperimentError, match="varied twice"):
        points_of(tiny, (), [axis, axis])
    many = Axis.parse("seed=" + ",".join(map(str, range(200))))
    with pytest.raises(ExperimentError, match="40000 combinations"):
        points_of(tiny, (), [many, Axis("split.train", many.texts, many.values)])
    with pytest.raises(SpeckleError, match="no-such"):
        points_of(tiny, (), [axis], ["no-such"])


def test_a_point_has_the_plain_experiment_of_its_values(tiny):
    (first, _) = points_of(tiny, (), [Axis.parse("seed=7,8")], ["first-moment"])
    assert first.experiment.seed == 7
    assert first.experiment.classifier.name == Choice("first-moment").name
