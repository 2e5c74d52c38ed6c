"""The tables of the studies say what their files say, and every file names its command."""

import csv
import re

import pytest

from speckle_core.study.points import Axis
from tests.paper.results import RESULTS

ROWS = list(csv.DictReader((RESULTS / "studies.csv").read_text("utf-8").splitlines()))


@pytest.mark.parametrize("name", list(dict.fromkeys(row["study"] for row in ROWS)))
def test_a_table_has_the_values_of_its_study_and_the_command_that_made_it(generator, name):
    found = [row for row in ROWS if row["study"] == name]
    varied = found[0]["varied"]
    table = generator.fill(f"<!-- generated: study {name} -->").splitlines()
    assert re.findall(r"`([^`]+)`", table[0]) == [varied]
    cells = [float(n) for line in table[2:] for n in re.findall(r"([\d.]+) \[", line)]
    assert cells == pytest.approx([float(row["accuracy"]) for row in found], abs=5e-4)
    for row in found:
        low, high = float(row["accuracy_low"]), float(row["accuracy_high"])
        assert low <= float(row["accuracy"]) <= high
    readme = (RESULTS / "README.md").read_text("utf-8")
    (command,) = re.findall(rf"`studies\.csv`, `{name}` \| `(speckle study [^`]*)`", readme)
    (vary,) = re.findall(r"--vary '?([^ ']+=(?:\[[^']*|[^ ']*))", command)
    axis = Axis.parse(vary)
    assert axis.path == varied
    assert [str(value) for value in axis.values] == list(dict.fromkeys(r["value"] for r in found))


@pytest.mark.parametrize("varied", ["photons", "jitter", "dispersion"])
def test_a_table_of_a_model_that_ships_has_the_values_of_its_file(generator, varied):
    path = RESULTS / "specklenet/conditions.csv"
    found = [
        row
        for row in csv.DictReader(path.read_text("utf-8").splitlines())
        if row["varied"].endswith(varied)
    ]
    table = generator.fill(f"<!-- generated: shipped {varied} -->")
    cells = [float(n) for n in re.findall(r"([\d.]+) \[", table)]
    assert cells == pytest.approx([float(row["accuracy"]) for row in found], abs=6e-4)
    assert len(found) == 3 * len(re.findall(r" of 152 ", table))
