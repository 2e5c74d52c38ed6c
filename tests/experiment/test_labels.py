"""What an experiment says of two components of one name: nothing becomes one in silence."""

from __future__ import annotations

from typing import Any

import pytest

from speckle_core import Experiment, ExperimentError


def experiment(**keys: Any) -> Experiment:
    return Experiment.from_dict({"name": "x", "classifier": "radial-lda"} | keys)


@pytest.mark.parametrize("key", ["baselines", "explainers"])
def test_two_of_one_name_are_refused_with_what_to_write(key: str) -> None:
    twice = ["first-moment", {"name": "first-moment", "definition": "absolute"}]
    with pytest.raises(ExperimentError, match="'first-moment' occurs twice") as refused:
        experiment(**{key: twice})
    assert refused.value.where == f"experiment: {key}"
    assert 'label = "another-name"' in str(refused.value)
    experiment(**{key: [twice[0], {**twice[1], "label": "absolute"}]})  # type: ignore[dict-item]


def test_the_same_label_twice_is_refused_as_is_a_label_that_is_a_name() -> None:
    for other in ("first-moment", {"name": "contrast", "label": "first-moment"}):
        with pytest.raises(ExperimentError, match="'first-moment' occurs twice"):
            experiment(baselines=[{"name": "contrast", "label": "first-moment"}, other])


def test_a_distribution_does_not_tell_two_apart() -> None:
    with pytest.raises(ExperimentError, match="'first-moment' occurs twice"):
        experiment(baselines=["first-moment", "somebody-else/first-moment"])


def test_a_baseline_may_have_the_classifiers_name_but_not_take_the_name_that_then_gets() -> None:
    experiment(baselines=["radial-lda", "contrast"])
    taken = {"name": "contrast", "label": "radial-lda-baseline"}
    with pytest.raises(ExperimentError, match="'radial-lda-baseline' occurs twice"):
        experiment(baselines=["radial-lda", taken])


@pytest.mark.parametrize("label", ["Two Words", "../outside", "a/b", "", 3, "A"])
def test_a_label_must_be_kebab_case(label: object) -> None:
    with pytest.raises(ExperimentError, match="label"):
        experiment(baselines=[{"name": "contrast", "label": label}])


def test_a_label_is_no_option_and_outlives_writing_and_resolving() -> None:
    choice = {"name": "first-moment", "label": "mine", "definition": "absolute"}
    found = experiment(baselines=[choice])
    assert found.baselines[0].options == {"definition": "absolute"}
    assert found.to_dict()["baselines"] == [choice]
    assert found.resolved().baselines[0].key == "mine"


def test_a_label_is_refused_where_it_would_do_nothing() -> None:
    with pytest.raises(ExperimentError, match="label") as refused:
        experiment(structure={"sampler": {"name": "monodisperse", "label": "mine"}})
    assert "structure.sampler" in str(refused.value)
    with pytest.raises(ExperimentError, match=r"prepare\.0"):
        experiment(prepare=[{"name": "log", "label": "mine"}])
