"""The first moments on the pages are those of the single patterns."""

import numpy as np
import pytest

from tests.paper.results import cells, floats, rows


def means(folder, definition="raw"):
    """The moments of every n, by one definition, of the single patterns."""
    found = rows(f"{folder}/figure6.csv")
    counts = np.array([int(row["n"]) for row in found])
    moments = np.array([float(row[definition]) for row in found])
    return {n: moments[counts == n] for n in np.unique(counts).tolist()}


def test_the_table_of_first_moments_is_that_of_the_single_patterns(table, number):
    fixed, shrinking = means("figure6"), means("figure6-constant-area")
    shown = cells(table("first-moments"))
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
    assert float(number("moment-chi")) == pytest.approx(np.sqrt(np.mean(np.square(z))), abs=0.02)
    offset = [float(row[4]) for row in shown]
    assert int(number("positive figure6")) == sum(value > 0 for value in offset)
    assert float(number("mean-difference")) == pytest.approx(np.mean(offset), abs=0.006)


def test_with_other_seeds_the_signs_of_the_differences_are_mixed(number):
    averages, variances = [], []
    for seed in ("", "-seed-20221116", "-seed-20221117", "-seed-20221118"):
        found = rows(f"figure6{seed}/figure6-means.csv")
        patterns = means(f"figure6{seed}")
        published = {int(row["n"]): float(row["published"]) for row in found}
        differences = [patterns[n].mean() - published[n] for n in published]
        assert int(number(f"positive figure6{seed}")) == sum(v > 0 for v in differences)
        averages.append(np.mean(differences))
        variances.append(sum(v.var(ddof=1) / 10 for v in patterns.values()) / 19**2)
    # Four draws of ours against one of theirs, which is assumed to scatter alike.
    error = np.sqrt(np.mean(variances) * (1 + 1 / 4))
    expected = [np.mean(averages), np.mean(averages) / error]
    assert floats(number("mean-difference-of-seeds")) == pytest.approx(expected, abs=0.06)


COLUMNS = {
    "raw": "raw",
    "absolute": "absolute standardized",
    "shifted": "shifted standardized",
    "as-coded": "absolute standardized, as coded",
}


@pytest.mark.parametrize("definition", COLUMNS)
@pytest.mark.parametrize("folder", ["figure6", "figure6-unblocked", "figure6-constant-area"])
def test_a_moment_in_the_text_is_the_mean_of_the_single_patterns(number, folder, definition):
    found = means(folder, COLUMNS[definition])
    for n in (2, 7, 20):
        told = float(number(f"moment {folder} {definition} {n}"))
        assert told == pytest.approx(found[n].mean(), abs=0.051)


def test_the_moments_of_shrinking_disks_rise_and_a_raster_changes_nothing():
    rising = means("figure6-constant-area")
    assert np.all(np.diff([rising[n].mean() for n in sorted(rising)]) > 0)
    analytic, raster = means("figure6"), means("figure6-raster")
    assert all(abs(analytic[n].mean() - raster[n].mean()) < 0.01 for n in analytic)


def test_the_absolute_moment_falls_without_a_block_and_not_with_one():
    blocked, open_ = (means(f, COLUMNS["absolute"]) for f in ("figure6", "figure6-unblocked"))
    assert np.all(np.diff([open_[n].mean() for n in sorted(open_)]) < 0.1)
    assert abs(blocked[7].mean() - blocked[20].mean()) < 0.5


def test_the_form_of_the_code_gives_the_published_absolute_moments():
    found = means("figure6", COLUMNS["as-coded"])
    assert found[2].mean() == pytest.approx(131.0, abs=0.2)
    assert found[20].mean() == pytest.approx(129.8, abs=0.2)
