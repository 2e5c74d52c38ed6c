"""The scripts that draw the paper's figures, at reduced size; about 10 s."""

import csv
import json
import math
import sys

import h5py
import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.data.generate import generate
from speckle_core.experiment.experiment import Experiment

SPLIT = "split={train = 0.5, valid = 0.2, test = 0.3}"


def made(tmp_path_factory, preset, *settings):
    folder = tmp_path_factory.mktemp("paper") / preset
    common = ["structure.counts=[2, 3, 6]", "structure.patterns_per_count=10", "grid.size=65"]
    generate(Experiment.load(preset, [*common, SPLIT, *settings]), folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def mono(tmp_path_factory):
    return made(tmp_path_factory, "paper-mono-257")


@pytest.fixture(scope="module")
def run():
    def typed(*arguments):
        import figures

        done = CliRunner().invoke(figures.app, [str(a) for a in arguments])
        assert done.exit_code == 0, (done.output, done.exception)

    return typed


@pytest.fixture
def evaluation(tmp_path):
    read = Evaluation(classes=[2, 3, 4, 5], labels=[2, 2, 3, 3, 4, 5], predicted=[2, 3, 3, 3, 4, 2])
    read.save(tmp_path / "evaluation")
    return tmp_path / "evaluation"


def numbers(path):
    return json.loads(path.read_text("utf-8"))


def rows(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_figure_2_shows_the_systems_of_the_paper_with_the_radii_of_constant_area(
    mono, run, tmp_path
):
    run("figure2", mono, "-o", tmp_path)
    found = numbers(tmp_path / "figure2.json")
    assert found["shown"] == [2, 3, 6]
    for n, radius in found["radius_of_the_first_disk"].items():
        assert radius == pytest.approx(90 * math.sqrt(2 / int(n)), rel=1e-5)
    assert [int(row["n"]) for row in rows(tmp_path / "figure2.csv")] == [2] * 2 + [3] * 3 + [6] * 6
    with Image.open(tmp_path / "figure2.png") as picture:
        assert picture.format == "PNG"


def test_a_record_says_what_made_it_and_nothing_of_the_machine(mono, run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["/somewhere/figures.py", "figure2", str(mono), "-o", str(tmp_path)]
    )
    run("figure2", mono, "-o", tmp_path)
    found = numbers(tmp_path / "figure2.json")
    assert found["command"].startswith("python examples/paper/figures.py figure2 paper-mono-257 -o")
    assert (found["experiment"], found["seed"]) == ("paper-mono-257", 20221115)
    assert {"speckle-core", "plugin disks", "numpy"} <= set(found["versions"])
    assert str(tmp_path.parent) not in (tmp_path / "figure2.json").read_text("utf-8")


def test_figure_6_gives_ten_moments_of_each_class_by_the_formula(mono, run, tmp_path):
    run("figure6", mono, "-o", tmp_path)
    found = rows(tmp_path / "figure6.csv")
    assert [int(row["n"]) for row in found] == [2] * 10 + [3] * 10 + [6] * 10
    with h5py.File(mono / "patterns.h5") as file:
        pattern = np.asarray(file["entry_1/data_1/data"][0], dtype=float)
    y, x = np.indices(pattern.shape) - 32
    distance = np.floor(np.sqrt(x**2 + y**2))
    raw = np.sum(distance * pattern) / np.sum(pattern)
    assert float(found[0]["raw"]) == pytest.approx(raw, rel=1e-5)
    pattern[27:38, 27:38] = 0
    z = (pattern - pattern.mean()) / pattern.std()
    assert float(found[0]["shifted standardized"]) == pytest.approx(np.mean(z * distance), rel=1e-4)
    assert float(found[0]["absolute standardized"]) == pytest.approx(
        np.mean(abs(z) * distance), rel=1e-4
    )
    two = np.mean([float(row["raw"]) for row in found[:10]])
    table = numbers(tmp_path / "figure6.json")["raw_means"]
    assert table[0]["difference"] == pytest.approx(two - 61.51, abs=2e-3)


def test_a_confusion_matrix_and_table_1_come_from_an_evaluation_on_disk(evaluation, run, tmp_path):
    run("figure5", evaluation, "-o", tmp_path)
    assert list(rows(tmp_path / "figure5.csv")[0].values()) == ["2", "1", "1", "0", "0"]
    found = numbers(tmp_path / "figure5.json")
    assert (found["errors"], found["off_by_more_than_2"]) == (2, 1)
    run("table1", evaluation, "-o", tmp_path)
    two, three = rows(tmp_path / "table1.csv")[:2]
    assert (float(two["precision"]), float(two["recall"])) == (0.5, 0.5)
    assert float(three["precision"]) == pytest.approx(2 / 3, abs=1e-5)
    assert two["published f1"] == "1"
    assert "| 3 | 0.667 | 1.0 | 0.8 | 2 |" in (tmp_path / "table1.md").read_text("utf-8")


def test_baselines_are_tested_on_the_set_s_own_split(mono, run, tmp_path):
    run("baselines", mono, "-o", tmp_path, "--name", "radial-lda", "--name", "contrast")
    found = numbers(tmp_path / "baselines.json")
    assert found["patterns"] == {"train": 15, "valid": 6, "test": 9}
    read = rows(tmp_path / "predictions.csv")
    right = sum(row["label"] == row["radial-lda"] for row in read)
    assert found["baselines"]["radial-lda"]["accuracy"]["value"] == pytest.approx(
        right / 9, abs=1e-5
    )
    assert {p.name for p in tmp_path.iterdir()} == {
        "baselines.json",
        "baselines.csv",
        "baselines.png",
        "predictions.csv",
    }


def test_a_page_of_maps_has_one_pattern_of_every_class(run, tmp_path):
    folder = tmp_path / "explanations"
    folder.mkdir()
    random = np.random.default_rng(1)
    with h5py.File(folder / "explanations.h5", "w") as file:
        file["patterns"] = random.exponential(size=(4, 33, 33))
        file["maps/saliency"] = random.random((4, 33, 33))
        file["labels"], file["targets"] = [2, 2, 3, 5], [2, 3, 3, 2]
        file["index"] = [0, 1, 10, 20]
        about = file.create_group("analysis/saliency")
        about["classes"], about["k"] = [2, 3, 5], [0.0, 0.1, 0.2]
        about["attribution"] = np.eye(3)
        # Of the last class nothing is known; the rings beyond a crop have NaN.
        about["control"] = [[0, np.nan, 1], [0, 1, np.nan], [np.nan] * 3]
        about["zeros"] = [[0.05], [0.1], [0.15]]
        about["share"], about["area"] = [0.5, 0.6, 0.7], [0.1, 0.2, 0.3]
        about["agreement"] = [0.0, 0.1, np.nan]
        curve = about.create_group("deletion")
        curve["fractions"], curve["random"] = [0.0, 0.5], [1.0, 0.75]
        curve["most_attributed"] = [1.0, 0.25]
    run("maps", folder, "-o", tmp_path / "out")
    found = [list(row.values()) for row in rows(tmp_path / "out" / "maps.csv")]
    assert found == [["0", "2", "2"], ["10", "3", "3"], ["20", "5", "2"]]
    assert (tmp_path / "out" / "saliency.png").stat().st_size > 10_000
    peaks = [list(row.values())[1:5] for row in rows(tmp_path / "out" / "peaks.csv")]
    assert peaks == [
        ["2", "0.05", "0.0", "0.2"],
        ["3", "0.1", "0.1", "0.1"],
        ["5", "0.15", "0.2", "nan"],
    ]
    assert (tmp_path / "out" / "deletion.csv").read_text().splitlines()[1:] == [
        "saliency,0.0,1.0,1.0",
        "saliency,0.5,0.25,0.75",
    ]


def test_a_picture_of_noise_is_made_to_fit(tmp_path):
    from matplotlib.figure import Figure
    from record import save_picture

    figure = Figure(figsize=(4, 4))
    figure.add_subplot().imshow(np.random.default_rng(0).random((400, 400)), cmap="viridis")
    save_picture(figure, tmp_path / "noise.png", largest=60_000)
    assert 10_000 < (tmp_path / "noise.png").stat().st_size <= 60_000


def test_the_authors_transform_is_met_as_at_full_size(tmp_path):
    import authors_full_size

    app = typer.Typer()
    app.command()(authors_full_size.main)
    words = ["-o", str(tmp_path), "--padding", "100", "--size", "65", "--workers", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (done.output, done.exception)
    found = numbers(tmp_path / "results.json")
    assert found["side_of_the_fft"] == 2201
    assert [result["n"] for result in found["results"]] == [2, 10, 20]
    for result in found["results"]:
        assert result["fft, largest relative difference of a pixel"] <= 1e-6
        assert 1e-5 < result["analytic, relative L2"] <= 5e-3
    with Image.open(tmp_path / "patterns.png") as picture:
        assert picture.format == "PNG"
