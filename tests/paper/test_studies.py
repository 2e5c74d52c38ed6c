"""The tables of the studies say what their files say, and every file names its command."""

import csv
import re

import pytest
from PIL import Image

from benchmarks.record_studies import merged, seal, written
from speckle_core.study.points import Axis
from tests.paper.results import RESULTS

DOCS = RESULTS.parent
ROWS = list(csv.DictReader((RESULTS / "studies.csv").read_text("utf-8").splitlines()))
STUDIES = list(dict.fromkeys(row["study"] for row in ROWS))


@pytest.mark.parametrize("name", STUDIES)
def test_a_table_has_the_values_of_its_study_and_the_command_that_made_it(generator, name):
    found = [row for row in ROWS if row["study"] == name]
    varied = found[0]["varied"]
    table = generator.fill(f"<!-- generated: study {name} -->").splitlines()
    assert re.findall(r"`([^`]+)`", table[0]) == [varied]
    values = list(dict.fromkeys(row["value"] for row in found))
    for line, value in zip(table[2:], values, strict=True):
        cells = sorted(float(n) for n in re.findall(r"([\d.]+) \[", line))
        stored = sorted(float(row["accuracy"]) for row in found if row["value"] == value)
        assert cells == pytest.approx(stored, abs=6e-4)
        far = [row["far"] for row in found if row["value"] == value and row["far"]]
        assert re.findall(r"(\d+) of \d+", line) == far
    for row in found:
        low, high = float(row["accuracy_low"]), float(row["accuracy_high"])
        assert low <= float(row["accuracy"]) <= high
    readme = (RESULTS / "README.md").read_text("utf-8")
    (command,) = re.findall(rf"`studies\.csv`, `{name}` \| `(speckle study [^`]*)`", readme)
    (vary,) = re.findall(r"--vary '?([^ ']+=(?:\[[^']*|[^ ']*))", command)
    axis = Axis.parse(vary)
    assert axis.path == varied
    assert [str(value) for value in axis.values] == list(dict.fromkeys(r["value"] for r in found))


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("page", ["", "-dark"])
def test_a_picture_shows_the_rows_of_its_study(name, page):
    found = [row for row in ROWS if row["study"] == name]
    picture = Image.open(DOCS / f"images/studies/{name}{page}.png")
    assert picture.text["rows"] == seal(found), "run python benchmarks/record_studies.py"
    assert f"images/studies/{name}{page}.png" in (DOCS / "studies.md").read_text("utf-8")


def test_a_row_takes_the_place_of_that_of_the_same_reader_and_value():
    old = [row("solve", "1e5"), row("radial-lda", "1e5"), row("solve", "1e3")]
    new = [row("solve", "1e5", accuracy="0.5"), row("pair-peaks", "1e3", far="")]
    found = merged(old, new)
    assert [(r["value"], r["classifier"]) for r in found] == [
        ("1e3", "pair-peaks"),
        ("1e3", "solve"),
        ("1e5", "radial-lda"),
        ("1e5", "solve"),
    ]
    assert found[-1]["accuracy"] == "0.5"
    assert next(csv.DictReader(written(found).splitlines()))["far"] == ""


def row(classifier, value, **more):
    return {"study": "photons", "value": value, "classifier": classifier, "accuracy": "1"} | more
