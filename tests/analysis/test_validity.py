"""Marks that detectors leave in the counts, each pixel by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import DTypeLike

from speckle_core.analysis.validity import check_rule, invalid
from speckle_core.errors import OptionError

nan, inf = np.nan, np.inf


def found(
    counts: list[float], dtype: DTypeLike, *rules: str, known: list[int] | None = None
) -> tuple[list[int], list[str]]:
    """Return the places of what is invalid in one row of counts, and why."""
    frame = np.array([counts], dtype=dtype)
    valid = np.ones(frame.shape, dtype=bool)
    if known is not None:
        valid[0] = np.isin(np.arange(frame.size), known)
    bad, said = invalid(frame, valid, rules)
    assert bad.shape == frame.shape
    return np.flatnonzero(bad).tolist(), said


@pytest.mark.parametrize(
    ("counts", "dtype", "places", "said"),
    [
        ([3, 255, 0, 255], np.uint8, [1, 3], ["2 pixels at 255, the largest uint8"]),
        ([3, 255, 0, 254], np.uint16, [], []),
        ([65535, 1], np.uint16, [0], ["1 pixel at 65535, the largest uint16"]),
        ([-1, 5, -2, 5], np.int32, [0, 2], ["2 pixels negative (-2, -1)"]),
        ([-1, -2, -3, -4], np.int32, [0, 1, 2, 3], ["4 pixels negative (-4, -3, -2, -1)"]),
        # More different ones are noise about zero.
        ([-1, -2, -3, -4, -5], np.int32, [], []),
        (
            [2147483647, -1, 7],
            np.int32,
            [0, 1],
            ["1 pixel at 2147483647, the largest int32", "1 pixel negative (-1)"],
        ),
        ([nan, 1, inf, -inf], np.float32, [0, 2, 3], ["3 pixels NaN or infinite"]),
        ([-1, 4, -2, -1], np.float64, [0, 2, 3], ["3 pixels negative (-2, -1)"]),
        ([-1, nan, 2], np.float64, [0, 1], ["1 pixel NaN or infinite", "1 pixel negative (-1)"]),
        # A background was subtracted.
        ([-1, -0.5, 4], np.float64, [], []),
        ([0, 1], bool, [], []),
    ],
)
def test_marks_of_a_type_are_found_without_being_asked(
    counts: list[float], dtype: DTypeLike, places: list[int], said: list[str]
) -> None:
    assert found(counts, dtype) == (places, said)


def test_what_is_asked_for_is_found_besides_and_nothing_is_told_twice() -> None:
    assert found([-0.5, 2, 9, 9], float, "negative", "max") == (
        [0, 2, 3],
        ["1 pixel negative", "2 pixels at the maximum, 9.0"],
    )
    # The largest of what is left, not the gaps' mark.
    assert found([255, 7, 3], np.uint8, "max") == (
        [0, 1],
        ["1 pixel at 255, the largest uint8", "1 pixel at the maximum, 7"],
    )
    assert found([5, 4, 5], np.uint8, "5", "max") == (
        [0, 1, 2],
        ["2 pixels at 5", "1 pixel at the maximum, 4"],
    )
    assert found([-1, 3], np.int16, "negative", "nan") == ([0], ["1 pixel negative (-1)"])
    assert found([255, 255], np.uint8, "max")[0] == [0, 1]


def test_pixels_that_do_not_count_are_neither_told_nor_ask_for_a_rule() -> None:
    assert found([255, 255, 7], np.uint8, known=[1, 2])[1] == ["1 pixel at 255, the largest uint8"]
    # Those of the mask do not make marks out of noise, or noise out of marks.
    noise = [-1, -2, -3, -4, -5, -6]
    assert found(noise, np.int32, known=[0, 5])[0] == [0, 5]
    assert found([*noise, -0.5], float, known=[0, 1])[0] == [0, 1]
    assert found([9, 3], float, "max", known=[1])[0] == [1]


def test_a_rule_is_a_word_or_a_number() -> None:
    assert [check_rule(rule) for rule in ("nan", "max", "negative", "-1", "1e5")]
    with pytest.raises(OptionError, match="'hot' is neither negative, max, nan nor a number"):
        check_rule("hot")
