"""What the pages show of saliency maps is in their analysis."""

import numpy as np
import pytest

from tests.paper.results import floats, rows, wilson


def test_saliency_is_densest_just_outside_a_zero_of_the_form_factor(number):
    from scipy.special import jn_zeros

    more = ("peak, random weights", "share in lobe", "area of lobe")
    found = [row for row in rows("maps/peaks.csv") if row["explainer"] == "saliency"]
    n, zero, peak, random, share, area = (
        np.array([float(row[key]) for row in found]) for key in ("n", "first zero", "peak", *more)
    )
    assert n.tolist() == list(range(2, 21))
    zeros = jn_zeros(1, 4)[:, None] / (90 * np.sqrt(2 / n))
    assert zero == pytest.approx(zeros[0], rel=1e-5)
    many, few = n >= 7, n < 7
    ratio = (peak / zeros[0])[many]
    assert floats(number("over-first-zero")) == pytest.approx([ratio.min(), ratio.max()], abs=0.006)
    within = peak[few] / zeros[:3, few]
    outside = np.where(within >= 1, within, np.inf)
    ratio = outside.min(axis=0)
    assert floats(number("over-later-zero")) == pytest.approx([ratio.min(), ratio.max()], abs=0.006)
    assert set(outside.argmin(axis=0)) == {1, 2}  # the second or third
    assert float(number("random-peak")) == pytest.approx(random.max(), abs=0.006)
    for count in (2, 9):
        for what, column in (("pixels", area), ("saliency", share)):
            told = floats(number(f"lobe {what} {count}"))
            assert told == pytest.approx([100 * column[n == count][0]], abs=0.51)
    assert (share < area).all()


def test_the_controls_of_the_maps_are_those_of_the_analysis(number):
    agreements, curves = (
        [row for row in rows(f"maps/{name}.csv") if row["explainer"] == "saliency"]
        for name in ("peaks", "deletion")
    )
    (curve,) = [row for row in curves if float(row["share of pixels"]) == 0.1]
    found = [float(row["agreement with random weights"]) for row in agreements]
    assert floats(number("agreement")) == pytest.approx([min(found), max(found)], abs=0.0051)
    for which, column in (("most-attributed", "most attributed"), ("random", "random")):
        accuracy = float(curve[column])
        expected = [accuracy, *wilson(accuracy, 76)]
        assert floats(number(f"after-deletion {which}")) == pytest.approx(expected, abs=0.0051)
