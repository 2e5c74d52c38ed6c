"""Every result is small and names the command that made it."""

import json

import pytest

from tests.paper.results import RESULTS, cells


def test_the_full_size_figures_on_the_physics_page_are_those_of_the_script(table):
    found = json.loads((RESULTS / "authors-full-size/results.json").read_text("utf-8"))
    assert found["side_of_the_fft"] == 18001
    shown = cells(table("full-size"))
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
    assert sum(path.stat().st_size for path in files) < 2_000_000
    for path in files:
        assert path.stat().st_size <= 120_000, path
        places = (f"`{path.parent.relative_to(RESULTS)}/`", f"`{path.relative_to(RESULTS)}`")
        assert path.parent == RESULTS or any(place in named for place in places)
        if path.suffix == ".json":
            found = json.loads(path.read_text("utf-8"))
            if path.parent.name not in (
                "performance",
                "solving",
                "specklenet",
            ):  # as a benchmark or a command wrote them
                assert found["command"].startswith("python examples/paper/")
                assert found["experiment"]
                _, _, other = path.parent.name.partition("-seed-")
                assert found["seed"] == int(other or 20221115)
