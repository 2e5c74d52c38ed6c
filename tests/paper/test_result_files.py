"""Every result is small and says what made it; the page of physics tells what one of them holds."""

import json

import pytest

from tests.paper.results import DOCS, RESULTS, table_after


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
