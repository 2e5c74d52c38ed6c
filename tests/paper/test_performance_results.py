"""The numbers on docs/performance.md are those in the files of the benchmarks."""

import json

import numpy as np
import pytest
from scipy import stats

from tests.paper.results import RESULTS, cells, floats

TRAININGS = [
    json.loads(line)
    for line in (RESULTS / "performance/training.jsonl").read_text("utf-8").splitlines()
]
COLUMNS = (
    "ratio",
    "cpu_ratio",
    "ratio_of_fastest",
    "our_images_per_second",
    "bare_images_per_second",
)


def read(path):
    return json.loads(path.read_text("utf-8"))


def named(found):
    return "keras" if "keras" in found else "torch", str(found["size"]), found["precision"]


def test_both_backends_were_measured_in_both_precisions_at_both_sizes():
    wanted = {
        (backend, size, precision)
        for backend in ("torch", "keras")
        for size in ("129", "257")
        for precision in ("float32", "bfloat16")
    }
    assert {named(found) for found in TRAININGS} == wanted
    assert len(TRAININGS) == len(wanted)


def test_a_row_of_the_page_is_what_the_benchmark_printed(table):
    shown = {
        tuple(row[:3]): [float(cell) for cell in row[3:]] for row in cells(table("performance"))
    }
    assert len(shown) == len(TRAININGS)
    for found in TRAININGS:
        assert found["device"].startswith("cpu")
        expected = [found[name] for name in COLUMNS]
        assert shown[named(found)] == pytest.approx(expected, abs=0.051)


def test_the_loop_adds_at_most_three_percent_to_a_minimal_one(number):
    medians, fastest = ([t[name] for t in TRAININGS] for name in ("ratio", "ratio_of_fastest"))
    rounds = [ratio for found in TRAININGS for ratio in found["ratios"]]
    told = floats(number("highest-ratio medians") + number("highest-ratio fastest"))
    assert told == pytest.approx([100 * (max(v) - 1) for v in (medians, fastest)], abs=0.051)
    told = floats(number("range-of-rounds"))
    assert told == pytest.approx([min(rounds), max(rounds)], abs=0.0051)
    assert max(medians + fastest) <= 1.03


def test_the_table_of_simulation_is_what_the_benchmark_printed(table):
    found = read(RESULTS / "performance" / "generation.json")["ratios"]
    shown = cells(table("simulation"))
    assert len(shown) == len(found) == 8
    for row, result in zip(shown, found, strict=True):
        assert row[:3] == [result["sampler"], str(result["n"]), str(result["size"])]
        times = [result[f"{name}_ms"] for name in ("analytic", "fft", "separable")]
        assert [float(cell) for cell in row[3:6]] == pytest.approx(times, abs=0.0051)
        assert float(row[6]) == pytest.approx(times[0] / times[2], abs=0.0051)


def test_the_table_of_sets_is_what_the_benchmark_printed(table):
    files = ("generate-set.json", "generate-set-full.json")
    found = [
        (kind, result)
        for name in files
        for kind, result in read(RESULTS / "performance" / name).items()
        if kind != "machine"
    ]
    shown = cells(table("storing"))
    assert len(shown) == len(found) == 6
    for row, (kind, result) in zip(shown, found, strict=True):
        assert row[:2] == [kind, f"{result['patterns']:,}"]
        cpu = result["cpu ms a pattern"]
        times = [cpu[key] for key in ("compute", "save", "generate, 1 worker", "read")]
        assert floats(" ".join(row[3:7])) == pytest.approx(times, abs=0.0051)
        assert float(row[7]) == pytest.approx(times[2] / (times[0] + times[1]), abs=0.011)


def test_the_authors_transform_takes_as_many_times_as_told(number):
    found = read(RESULTS / "performance" / "authors-transform.json")
    ratio = found["authors_s"] / (found["analytic_ms"] / 1e3)
    assert floats(number("authors-transform ratio").replace(",", "")) == pytest.approx(
        [ratio], rel=0.01
    )
    assert found["relative_l2_of_their_raster"] < 5e-3


def test_the_table_of_half_patterns_follows_from_each_training(table, number):
    found = read(RESULTS / "performance" / "half-ablation.json")
    shown = cells(table("half-ablation"))
    assert len(shown) == len(found) >= 6
    for row, case in zip(shown, found, strict=True):
        whole, half = (np.array(case[name]) for name in ("whole", "half"))
        mean, reach = np.mean(half - whole), stats.sem(half - whole)
        low, high = stats.t.interval(0.95, len(whole) - 1, mean, reach)
        assert row[0] == case["preset"]
        assert int(row[3]) == len(whole) == len(half) >= 3
        told = [float(cell) for cell in row[4:6]]
        assert told == pytest.approx([whole.mean(), half.mean()], abs=6e-4)
        assert floats(row[6]) == pytest.approx([mean, low, high], abs=1e-3)
    flips = [c for c in found if c["augment"] == "flips" and c["photons"] == 1e4]
    gains = np.concatenate([np.subtract(c["half"], c["whole"]) for c in flips])
    assert len(gains) == 8
    low, high = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    told = floats(number("half-of-both 10000"))
    assert told == pytest.approx([gains.mean(), low, high], abs=6e-4)
