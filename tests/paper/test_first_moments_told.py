"""The first moments that docs/paper.md tells are those of the single patterns."""

import re

import numpy as np
import pytest

from tests.paper.results import numbers, rows, table_after


def means(folder, definition="raw"):
    """The moments of every n, by one definition, of the single patterns."""
    found = rows(f"{folder}/figure6.csv")
    counts = np.array([int(row["n"]) for row in found])
    moments = np.array([float(row[definition]) for row in found])
    return {n: moments[counts == n] for n in np.unique(counts).tolist()}


def test_the_first_moments_on_the_page_are_those_of_the_single_patterns(page):
    fixed, shrinking = means("figure6"), means("figure6-constant-area")
    shown = table_after(page, "| n | theirs | ours |")
    assert [int(row[0]) for row in shown] == list(range(2, 21))
    for n, theirs, ours, error, difference, errors, rising in shown:
        values = fixed[int(n)]
        assert len(values) == 10
        assert float(ours) == pytest.approx(values.mean(), abs=0.006)
        assert float(error) == pytest.approx(values.std(ddof=1) / np.sqrt(10), abs=0.006)
        assert float(difference) == pytest.approx(values.mean() - float(theirs), abs=0.006)
        z = (values.mean() - float(theirs)) / (values.std(ddof=1) * np.sqrt(2 / 10))
        assert float(errors) == pytest.approx(z, abs=0.11)
        assert float(rising) == pytest.approx(shrinking[int(n)].mean(), abs=0.006)
    z = [float(row[5]) for row in shown]
    (told,) = re.findall(r"differences are ([\d.]+) of their standard errors", page)
    assert float(told) == pytest.approx(np.sqrt(np.mean(np.square(z))), abs=0.02)
    offset = [float(row[4]) for row in shown]
    told = re.search(r"(\d+) of the 19 are\s+positive, ([\d.]+) pixels", page)
    assert int(told[1]) == sum(value > 0 for value in offset)
    assert float(told[2]) == pytest.approx(np.mean(offset), abs=0.006)


def test_with_other_seeds_the_signs_of_the_differences_are_mixed(page):
    positive, averages, variances = [], [], []
    for seed in ("", "-seed-20221116", "-seed-20221117", "-seed-20221118"):
        found = rows(f"figure6{seed}/figure6-means.csv")
        patterns = means(f"figure6{seed}")
        published = {int(row["n"]): float(row["published"]) for row in found}
        differences = [patterns[n].mean() - published[n] for n in published]
        positive.append(sum(value > 0 for value in differences))
        averages.append(np.mean(differences))
        variances.append(sum(v.var(ddof=1) / 10 for v in patterns.values()) / 19**2)
    told = numbers(r"on\) (\d+), (\d+) and (\d+) are positive", page)
    assert told == positive[1:]
    told = numbers(r"average is ([\d.]+) pixels, ([\d.]+) of\s+its standard errors", page)
    # Four draws of ours against one of theirs, which is taken to scatter alike.
    error = np.sqrt(np.mean(variances) * (1 + 1 / 4))
    expected = [np.mean(averages), np.mean(averages) / error]
    assert told == pytest.approx(expected, abs=0.06)


def test_the_moments_of_shrinking_disks_rise_and_a_raster_changes_nothing(page):
    rising = means("figure6-constant-area")
    told = re.search(r"from\s+([\d.]+) pixels at n = 2 to ([\d.]+) at n = 20", page)
    assert [float(value) for value in told.groups()] == pytest.approx(
        [rising[2].mean(), rising[20].mean()], abs=0.06
    )
    assert np.all(np.diff([rising[n].mean() for n in sorted(rising)]) > 0)
    analytic, raster = means("figure6"), means("figure6-raster")
    assert all(abs(analytic[n].mean() - raster[n].mean()) < 0.01 for n in analytic)


def test_standardized_moments_lose_n_by_the_block_alone(page):
    blocked, open_ = (means(f, "absolute standardized") for f in ("figure6", "figure6-unblocked"))
    told = re.search(r"absolute mean is ([\d.]+) at n = 7 and ([\d.]+) at n = 20", page)
    assert [float(value) for value in told.groups()] == pytest.approx(
        [blocked[7].mean(), blocked[20].mean()], abs=0.06
    )
    told = re.search(r"from ([\d.]+) at n = 2 to ([\d.]+) at n = 20\. So", page)
    assert [float(value) for value in told.groups()] == pytest.approx(
        [open_[2].mean(), open_[20].mean()], abs=0.06
    )
    assert np.all(np.diff([open_[n].mean() for n in sorted(open_)]) < 0.1)
    shifted = means("figure6-unblocked", "shifted standardized")
    told = re.search(r"from (-[\d.]+) at n = 2 to (-[\d.]+) at n = 20, against", page)
    assert [float(value) for value in told.groups()] == pytest.approx(
        [shifted[2].mean(), shifted[20].mean()], abs=0.06
    )
