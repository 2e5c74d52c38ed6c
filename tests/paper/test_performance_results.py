"""Every number that docs/performance.md tells is the one in the file of its command."""

import json
import re

import pytest

from tests.paper.results import DOCS, RESULTS

FILES = sorted((RESULTS / "performance").glob("training-*.json"))
COLUMNS = (
    "ratio",
    "cpu_ratio",
    "ratio_of_fastest",
    "our_images_per_second",
    "bare_images_per_second",
)


@pytest.fixture(scope="module")
def page():
    return (DOCS / "performance.md").read_text("utf-8")


def read(path):
    return json.loads(path.read_text("utf-8"))


def test_both_backends_were_measured_in_both_precisions_at_both_sizes():
    wanted = {
        f"training-{backend}-{size}-{precision}.json"
        for backend in ("torch", "keras")
        for size in (129, 257)
        for precision in ("float32", "bfloat16")
    }
    assert {path.name for path in FILES} == wanted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_row_of_the_page_is_what_the_benchmark_printed(page, path):
    _, backend, size, precision = path.stem.split("-")
    (row,) = re.findall(rf"^\| {backend} \| {size} \| {precision} \| (.*) \|$", page, re.M)
    found = read(path)
    assert (found["size"], found["precision"]) == (int(size), precision)
    assert found["device"].startswith("cpu")
    told = [float(cell) for cell in row.split(" | ")]
    assert told == pytest.approx([found[name] for name in COLUMNS], abs=0.00051)


def test_the_loop_adds_at_most_three_percent_to_a_bare_one(page):
    files = [read(path) for path in FILES]
    told = re.search(
        r"highest is ([\d.]+) % above 1, and of the ratios of the fastest[\s\S]* ([\d.]+) %\. "
        r"Single rounds lie between ([\d.]+) and ([\d.]+)",
        page,
    )
    medians, fastest = ([file[name] for file in files] for name in ("ratio", "ratio_of_fastest"))
    rounds = [ratio for file in files for ratio in file["ratios"]]
    expected = (100 * (max(medians) - 1), 100 * (max(fastest) - 1), min(rounds), max(rounds))
    assert [float(number) for number in told.groups()] == pytest.approx(expected, abs=0.051)
    assert max(medians + fastest) <= 1.03
