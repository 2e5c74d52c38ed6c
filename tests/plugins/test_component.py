"""What an option accepts, and how its type is told to a person."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest

from speckle_core import Component, OptionError, PluginError
from speckle_core.plugins.component import Option, check_options, options_of


def option(kind: Any) -> Option:
    return Option("x", kind, Option.required)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (float, "a number"),
        (int, "a whole number"),
        (bool, "true or false"),
        (str, "a string"),
        (float | None, "a number or none"),
        (tuple[float, ...] | float, "a number or a list of numbers"),
        (Literal["own", "reference"], "'own' or 'reference'"),
        (Any, "Any"),
        (tuple[int, ...], "a list of whole numbers"),
    ],
)
def test_a_type_is_told_in_words(kind: Any, told: str) -> None:
    assert option(kind).type_name == told


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        (float, 3, 3.0),
        (int, 3, 3),
        (bool, True, True),
        (str, "none", "none"),
        (float | None, "none", None),
        (float | None, None, None),
        (str | None, "none", None),
        (int | str, "3", "3"),
        (Literal[1, "auto"], 1, 1),
        (tuple[float, ...], [1, 2], (1.0, 2.0)),
        (list[int], (1, 2), [1, 2]),
        (Any, object, object),
    ],
)
def test_a_value_is_taken_as_its_type(kind: Any, given: Any, taken: Any) -> None:
    found = option(kind).check(given, "here")
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (float, True),
        (int, True),
        (int, 3.0),
        (float, math.inf),
        (float, math.nan),
        (float, "3"),
        (bool, 1),
        (bool, "true"),
        (str, 3),
        (str, None),
        (float, "none"),
        (Literal[1], True),
        (Literal[0], False),
        (tuple[int, ...], [1, "2"]),
        (tuple[int, ...], "12"),
    ],
)
def test_a_value_of_another_type_is_refused_where_it_stands(kind: Any, given: Any) -> None:
    with pytest.raises(OptionError) as refused:
        option(kind).check(given, "classifier.x")
    assert refused.value.where == "classifier.x"
    assert repr(given) in str(refused.value)
    assert option(kind).type_name in str(refused.value)


def test_a_misspelt_word_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"Did you mean 'reference'\?"):
        option(Literal["own", "reference"] | None).check("referense", "x")


class Taking:
    def __init__(self, *, width: float, times: int = 2) -> None:
        self.width, self.times = width, times


def test_options_are_the_constructors_keywords_in_order() -> None:
    width, times = options_of(Taking)
    assert (width.name, width.type, width.default) == ("width", float, Option.required)
    assert (times.name, times.type, times.default) == ("times", int, 2)


def test_options_are_checked_by_name_and_the_required_ones_must_be_there() -> None:
    assert check_options(Taking, {"width": 1, "times": 3}, "here") == {"width": 1.0, "times": 3}
    with pytest.raises(OptionError, match=r"here\.widht: [\s\S]*Did you mean 'width'"):
        check_options(Taking, {"widht": 1.0}, "here")
    with pytest.raises(OptionError, match=r"here: .*'width'"):
        check_options(Taking, {"times": 3}, "here")
    with pytest.raises(OptionError, match=r"here\.times: "):
        check_options(Taking, {"width": 1, "times": 1.5}, "here")


def test_a_component_is_checked_when_it_is_described() -> None:
    assert Component("a", "package.module:Class", "x", requires=["torch"]).requires == ("torch",)
    for wrong in ("A", "a_b", "a--b", "", 3):
        with pytest.raises(PluginError, match="component name"):
            Component(wrong, Taking, "x")  # type: ignore[arg-type]
    for wrong in ("module", "module:", ":Class", 3):
        with pytest.raises(PluginError, match="factory"):
            Component("a", wrong, "x")  # type: ignore[arg-type]


def test_a_factory_given_as_a_path_is_imported_when_asked_for() -> None:
    assert Component("a", "fractions:Fraction", "x").resolve().__name__ == "Fraction"
    assert Component("a", Taking, "x").resolve() is Taking
