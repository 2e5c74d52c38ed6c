"""A package that the project does not know, installed beside it: the whole chain, by name alone.

About 25 s on an idle core: most of it starts processes and draws the figures of a report.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.e2e.fresh_environment import Fresh

#: The tests share one environment, and the last takes the package out of it.
PACKAGE = Path(__file__).parents[2] / "examples" / "speckle-ellipses"
#: Small: 5 classes of 24 patterns.
SMALL = ("--set", "structure.patterns_per_count=24")


@pytest.fixture(scope="module")
def ellipses(fresh: Fresh) -> Fresh:
    fresh.install(PACKAGE)
    return fresh


@pytest.fixture(scope="module")
def done(ellipses: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the package's own experiment, made small."""
    home = tmp_path_factory.mktemp("runs")
    ellipses.speckle("run", PACKAGE / "ellipses.toml", "-o", "run", *SMALL, cwd=home)
    return home / "run"


def test_its_components_are_listed_under_its_own_name(ellipses: Fresh) -> None:
    done = ellipses.run(ellipses.folder / "bin" / "speckle", "plugins", "list", "--json")
    listed = json.loads(done.stdout)["components"]
    theirs = {(c["role"], c["name"]) for c in listed if c["distribution"] == "speckle-ellipses"}
    assert theirs == {
        ("sampler", "ellipses"),
        ("sampler", "circles-and-ellipses"),
        ("classifier", "coarse-logistic"),
        ("explainer", "patch-occlusion"),
    }


def test_its_own_tests_pass_where_it_is_installed(ellipses: Fresh) -> None:
    result = ellipses.run("pytest", "-q", "-p", "no:cacheprovider", PACKAGE / "tests")
    assert result.returncode == 0, result.stdout


def test_a_run_goes_from_its_shapes_to_a_report(done: Path) -> None:
    report = (done / "report.html").read_text("utf-8")
    for said in ("coarse-logistic", "radial-lda", "sampler “ellipses”", "speckle-ellipses 0.1.0"):
        assert said in report
    evaluations = {path.name for path in (done / "evaluation").iterdir()}
    assert evaluations == {"coarse-logistic", "radial-lda", "first-moment"}


def test_its_classifier_learns_better_than_chance(ellipses: Fresh, done: Path) -> None:
    said = json.loads(
        ellipses.speckle("evaluate", done / "model", "--data", done / "data", "--json")
    )
    low, _ = said["evaluations"]["coarse-logistic"]["accuracy"]["interval"]
    assert low > 1 / 5


def test_every_field_of_its_shape_is_stored_with_its_unit(done: Path) -> None:
    (shard, *_) = sorted((done / "data" / "shards").iterdir())
    with h5py.File(shard) as file:
        stored = file["entry_1/particles/Ellipses"]
        assert stored.attrs["class"] == "speckle_ellipses.shapes:Ellipses"
        assert {"centers", "semi_axes", "angles", "contrast"} <= set(stored)
        assert stored["semi_axes"].attrs["units"] == "length"
        assert stored["angles"].attrs["units"] == "rad"
        owner = stored[stored["semi_axes"].attrs["index"]][:]
        long = stored["semi_axes"][:, 0]
        # Equal areas: π a² / 2.5 summed over the bodies of any pattern is the sampler's 16200π.
        assert np.sum(long[owner == owner[0]] ** 2) / 2.5 == pytest.approx(16200)


def test_its_explainer_draws_what_its_classifier_used(
    ellipses: Fresh, done: Path, tmp_path: Path
) -> None:
    ellipses.speckle(
        "explain",
        done / "model",
        "--data",
        done / "data",
        "--explainer",
        "patch-occlusion",
        "--index",
        0,
        "-o",
        tmp_path / "maps",
    )
    assert any(path.suffix == ".png" for path in (tmp_path / "maps").iterdir())


def test_two_shapes_in_one_box_are_drawn_scattered_and_stored(
    ellipses: Fresh, tmp_path: Path
) -> None:
    text = (PACKAGE / "ellipses.toml").read_text("utf-8")
    text = re.sub(r"sampler = .*", 'sampler = { name = "circles-and-ellipses" }', text)
    (tmp_path / "mixed.toml").write_text(text, "utf-8")
    ellipses.speckle("show", "mixed.toml", "-o", "mixed.png", cwd=tmp_path)
    ellipses.speckle(
        "generate",
        "mixed.toml",
        "-o",
        "data",
        "--set",
        "structure.patterns_per_count=4",
        cwd=tmp_path,
    )
    assert "intact" in ellipses.speckle("verify", "data", cwd=tmp_path)
    with h5py.File(tmp_path / "data" / "shards" / "00000.h5") as file:
        assert {"Ellipses", "Circles"} <= set(file["entry_1/particles"])


def test_the_exact_and_the_raster_scatterer_agree_on_its_shape(ellipses: Fresh) -> None:
    program = """
import numpy as np
from speckle_core import KGrid, create
drawn = create("sampler", "circles-and-ellipses").sample(9, np.random.default_rng(0))
grid = KGrid.centered(65, np.pi / 2000)
exact, raster = (create("scatterer", n).intensity(drawn, grid) for n in ("analytic", "fft"))
print(np.linalg.norm(exact - raster) / np.linalg.norm(exact))
"""
    said = ellipses.run("python", "-c", program)
    assert said.returncode == 0, said.stderr
    # The raster is the inexact side: 2e-3 for disks of that number.
    assert 0 < float(said.stdout) < 5e-3


def test_uninstalled_it_is_gone_and_its_files_say_what_is_missing(
    ellipses: Fresh, done: Path
) -> None:
    ellipses.pip("uninstall", "--yes", "speckle-ellipses")
    assert "speckle-ellipses" not in ellipses.speckle("plugins", "list")
    result = ellipses.run("speckle", "evaluate", done / "model", "--data", done / "data")
    assert result.returncode == 1
    assert "unknown classifier 'coarse-logistic'" in result.stderr
    assert "Traceback" not in result.stderr
    # The patterns themselves need no plugin to be checked.
    assert "intact" in ellipses.speckle("verify", done / "data")
