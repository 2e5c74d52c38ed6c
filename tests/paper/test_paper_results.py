"""Every number that docs/paper.md tells is the one in the file of its command."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "results"
SETS = (
    "paper-mono-257",
    "paper-poly-257",
    "paper-poly-257-shared-sizes",
    "fixed-radius-257",
)


@pytest.fixture(scope="module")
def page():
    return (DOCS / "paper.md").read_text("utf-8")


def table_after(page, heading):
    """Return the rows of the table below a header line, as lists of cells."""
    lines = page.split(heading)[1].splitlines()[2:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def rows(path):
    return list(csv.DictReader((RESULTS / path).open(encoding="utf-8")))


def numbers(pattern, page):
    return [float(value) for value in re.search(pattern, page).groups()]


def wilson(right, total):
    """The 95 % interval: the roots of (p − right)² = z² p (1 − p) / total (Wilson, 1927)."""
    z2 = 1.959964**2 / total
    return sorted(np.roots([1 + z2, -(2 * right + z2), right**2]).real)


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


def test_as_coded_the_network_and_the_profile_are_as_the_page_tells(page):
    counted, rule = confusion("figure5-as-coded"), confusion("figure5-as-coded-radial-lda")
    far = np.abs(np.subtract.outer(range(19), range(19))) > 1
    (row,) = re.findall(r"figure 5, as coded.*, (\d+) off by more than one", page)
    assert int(row) == counted[far].sum()
    told = numbers(r"leave (\d+) errors in 1900, macro-F1 (\d\.\d+)\s+\(`docs", page)
    right = np.diag(counted)
    f1 = np.mean(2 * right / (counted.sum(axis=1) + counted.sum(axis=0)))
    assert told == pytest.approx([counted.sum() - right.sum(), f1], abs=0.00051)
    told = numbers(r"text's grid, reads ([\d.]+) \[([\d.]+), ([\d.]+)\] here", page)
    share = np.trace(rule) / rule.sum()
    assert told == pytest.approx([share, *wilson(share, rule.sum())], abs=0.00051)
    scores = {int(row["n"]): row for row in rows("table1-as-coded/table1.csv")}
    told = numbers(
        r"F1 is at least ([\d.]+) up to n = (\d+), theirs up to n = (\d+); from n = 14 on it is at "
        r"most ([\d.]+), theirs\s+at most (\d.\d+)",
        page,
    )
    for name, last, most in (("f1", told[1], told[3]), ("published f1", told[2], told[4])):
        values = {n: float(row[name]) for n, row in scores.items()}
        assert min(v for n, v in values.items() if n <= last) >= told[0]
        assert max(v for n, v in values.items() if n >= 14) == pytest.approx(most, abs=0.0051)
        assert values[last + 1] < told[0]
    history = rows("figure5-as-coded/history.csv")
    told = re.search(r"patterns was ([\d., ]+) after each epoch", page)[1].split(", ")
    found = [float(row["valid_accuracy"]) for row in history]
    assert [float(value) for value in told] == pytest.approx(found, abs=0.00051)


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


@pytest.mark.parametrize("column", range(len(SETS)))
def test_the_baselines_on_the_page_are_those_of_the_predictions(page, column):
    folder = RESULTS / "baselines" / SETS[column]
    read = rows(folder / "predictions.csv")
    assert len(read) == 1900
    shown = table_after(page, "| baseline | monodisperse |")
    assert {row[0] for row in shown} == set(read[0]) - {"label"}
    for name, *cells in shown:
        right = np.mean([row["label"] == row[name] for row in read])
        value, low, high = map(float, re.findall(r"[\d.]+", cells[column]))
        assert value == pytest.approx(right, abs=0.00051)
        assert [low, high] == pytest.approx(wilson(right, len(read)), abs=0.00051)


@pytest.mark.parametrize("column", range(len(SETS)))
def test_the_other_scores_on_the_page_are_those_of_the_predictions(page, column):
    from sklearn.metrics import f1_score

    read = rows(RESULTS / "baselines" / SETS[column] / "predictions.csv")
    labels = np.array([int(row["label"]) for row in read])
    for name, *cells in table_after(page, "| macro-F1, within ±1 | monodisperse |"):
        predicted = np.array([int(row[name]) for row in read])
        f1, within = map(float, re.findall(r"[\d.]+", cells[column]))
        macro = f1_score(labels, predicted, average="macro", zero_division=0)
        assert f1 == pytest.approx(macro, abs=0.00051)
        assert within == pytest.approx(np.mean(abs(labels - predicted) <= 1), abs=0.00051)


#: How a row of the page begins, and the folder whose confusion matrix it tells.
TRAINED = {
    "figure 3": "figure3",
    "figure 4": "figure4",
    "the same systems": "figure4-same-systems-257",
    "figure 5:": "figure5",
    "figure 5, as written": "figure5-as-written",
    "figure 5, as coded": "figure5-as-coded",
}


def confusion(folder):
    """The matrix as counted: a row for every true class."""
    (path,) = (RESULTS / folder).glob("figure*.csv")
    return np.array([[int(v) for v in row.values()][1:] for row in rows(path.relative_to(RESULTS))])


@pytest.mark.parametrize("what", TRAINED)
def test_what_a_trained_network_left_wrong_is_in_its_confusion_matrix(page, what):
    counted = confusion(TRAINED[what])
    (row,) = (r for r in table_after(page, "% TRAINED\n| what |") if r[0].startswith(what))
    told = re.match(r"(\d+) errors in (\d+), accuracy ([\d.]+) \[([\d.]+), ([\d.]+)\]", row[3])
    errors, total, *accuracy = map(float, told.groups())
    right = np.trace(counted) / counted.sum()
    assert (errors, total) == (counted.sum() - np.trace(counted), counted.sum())
    assert accuracy == pytest.approx([right, *wilson(right, total)], abs=0.00051)


WHICH = [
    ("table 1:", ""),
    ("table 1, as written", "-as-written"),
    ("table 1, as coded", "-as-coded"),
]


@pytest.mark.parametrize(("what", "which"), WHICH)
def test_table_1_on_the_page_is_what_the_confusion_matrix_of_figure_5_gives(page, what, which):
    counted = confusion(f"figure5{which}")
    right, true, read = np.diag(counted), counted.sum(axis=1), counted.sum(axis=0)
    scores = [right / read, right / true, 2 * right / (true + read)]
    (row,) = (r for r in table_after(page, "% TRAINED\n| what |") if r[0].startswith(what))
    told = re.fullmatch(r"precision ([\d.]+), recall ([\d.]+), F1 ([\d.]+)", row[3])
    assert [float(v) for v in told.groups()] == pytest.approx(
        [np.mean(score) for score in scores], abs=0.00051
    )
    kept = np.array(
        [
            [float(r[k]) for k in ("precision", "recall", "f1")]
            for r in rows(f"table1{which}/table1.csv")
        ]
    )
    assert kept == pytest.approx(np.transpose(scores), abs=1e-5)


def test_how_far_off_the_polydisperse_readings_are_is_in_the_matrices(page):
    far = np.abs(np.subtract.outer(range(19), range(19))) > 1
    assert confusion("figure5")[far].sum() == 0
    assert "[0.988, 0.996], none off by more than one" in page
    counted = confusion("figure5-as-written")
    off, errors = counted[far].sum(), counted.sum() - np.trace(counted)
    assert numbers(r"0.635\], (\d+) off by more than one", page) == [off]
    assert numbers(r"written/`\), (\d+) of them by one", page) == [errors - off]
    history = rows("figure5-as-written/history.csv")
    told = numbers(r"was (0\.\d+) after the first epoch and (0\.\d+) after the second", page)
    assert told == pytest.approx([float(row["valid_accuracy"]) for row in history], abs=0.00051)
    told = numbers(r"Two epochs, (\d+) minutes", page)
    assert told == pytest.approx([sum(float(row["seconds"]) for row in history) / 60], abs=0.51)


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
    told = numbers(r"falls to\s+([\d.]+), with a tenth at random to (\d.\d+)", page)
    expected = [float(curve[name]) for name in ("most attributed", "random")]
    assert told == pytest.approx(expected, abs=0.0051)


def test_radial_lda_reads_the_larger_patterns_that_the_network_does_not(page):
    counted = confusion("figure4-radial-lda")
    (told,) = re.findall(r"logarithms of a profile, leaves (\d+) at 513²", page)
    assert int(told) == counted.sum() - np.trace(counted)


def test_the_validation_accuracies_on_the_page_are_those_of_the_epochs(page):
    history = [float(row["valid_accuracy"]) for row in rows("figure3/history.csv")]
    told = re.search(r"was ([\d.]+) after one epoch, ([\d.]+)\s+after two and ([\d.]+)", page)
    assert [float(v) for v in told.groups()] == pytest.approx(history, abs=0.00051)


def test_the_full_size_figures_on_the_physics_page_are_those_of_the_script():
    page = (DOCS / "physics.md").read_text("utf-8")
    found = json.loads((RESULTS / "authors-full-size/results.json").read_text("utf-8"))
    assert found["side_of_the_fft"] == 18001
    shown = table_after(page, "| n | `fft`: largest relative difference")
    for (n, fft, analytic), result in zip(shown, found["results"], strict=True):
        assert int(n) == result["n"]
        largest = result["fft, largest relative difference of a pixel"]
        assert float(fft) == pytest.approx(largest, rel=0.02)
        assert largest <= 1e-6
        assert float(analytic) == pytest.approx(result["analytic, relative L2"], rel=0.05)
        assert result["analytic, relative L2"] <= 5e-3


def test_every_result_names_its_command_and_is_small():
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    named = (RESULTS / "README.md").read_text("utf-8")
    for path in files:
        assert path.stat().st_size < 300_001, path
        if path.suffix == ".json":
            assert f"`{path.parent.relative_to(RESULTS)}/`" in named
            found = json.loads(path.read_text("utf-8"))
            if path.parent.name != "performance":  # a benchmark has no experiment
                assert found["command"].startswith("python examples/paper/")
                assert found["experiment"]
                _, _, other = path.parent.name.partition("-seed-")
                assert found["seed"] == int(other or 20221115)
