"""What docs/paper.md tells of saliency maps is in their analysis."""

import numpy as np
import pytest

from tests.paper.results import numbers, rows, wilson


def test_saliency_is_densest_just_outside_a_zero_of_the_form_factor(page):
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
    told = numbers(r"at\s+([\d.]+) to ([\d.]+) times the k of the first zero", page)
    ratio = (peak / zeros[0])[many]
    assert told == pytest.approx([ratio.min(), ratio.max()], abs=0.0051)
    told = numbers(r"at ([\d.]+) to ([\d.]+) times that of the\s+second or third", page)
    within = peak[few] / zeros[:3, few]
    outside = np.where(within >= 1, within, np.inf)
    ratio = outside.min(axis=0)
    assert told == pytest.approx([ratio.min(), ratio.max()], abs=0.0051)
    assert set(outside.argmin(axis=0)) == {1, 2}
    told = numbers(r"at most ([\d.]+) from\s+k = 0", page)
    assert told == pytest.approx([random.max()], abs=0.006)
    told = numbers(
        r"at n = 9, (\d+) % of the pixels that the network\s+reads and (\d+) % of the "
        r"saliency; at n = 2, (\d+) % and (\d+) %",
        page,
    )
    expected = [area[n == 9], share[n == 9], area[n == 2], share[n == 2]]
    assert told == pytest.approx([100 * v[0] for v in expected], abs=0.51)
    assert (share < area).all()


def test_the_controls_of_the_maps_are_those_of_the_analysis(page):
    agreements, curves = (
        [row for row in rows(f"maps/{name}.csv") if row["explainer"] == "saliency"]
        for name in ("peaks", "deletion")
    )
    (curve,) = [row for row in curves if float(row["share of pixels"]) == 0.1]
    told = numbers(r"rank correlation (-[\d.]+) to (-[\d.]+)", page)
    found = [float(row["agreement with random weights"]) for row in agreements]
    assert told == pytest.approx([min(found), max(found)], abs=0.0051)
    told = numbers(
        r"these (\d+) patterns falls to\s+([\d.]+) \[([\d.]+), ([\d.]+)\], with a tenth at random "
        r"to (\d.\d+) \[([\d.]+), ([\d.]+)\]",
        page,
    )
    deleted, noise = (float(curve[name]) for name in ("most attributed", "random"))
    expected = [deleted, *wilson(deleted, told[0]), noise, *wilson(noise, told[0])]
    assert told[1:] == pytest.approx(expected, abs=0.0051)
