"""Tables of the benchmarks and of the comparison with the authors' transform."""

from __future__ import annotations

import json
from typing import Any

from scipy import stats

from results.files import RESULTS, markdown_table


def performance() -> str:
    """Return the table of the training benchmarks."""
    lines = []
    for found in _trainings():
        backend = "keras" if "keras" in found else "torch"
        ratios = (found[key] for key in ("ratio", "cpu_ratio", "ratio_of_fastest"))
        speeds = (found[f"{key}_images_per_second"] for key in ("our", "bare"))
        cells = (*(f"{v:.3f}" for v in ratios), *(f"{v:.1f}" for v in speeds))
        lines.append((backend, str(found["size"]), found["precision"], *cells))
    header = ("backend", "size", "precision", "ratio", "by CPU", "fastest")
    return markdown_table((*header, "ours, images/s", "bare, images/s"), lines)


def _benchmark(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (RESULTS / "performance" / name).read_text("utf-8")
    )
    return found


def simulation() -> str:
    """Return the table of both scatterers beside what one would write by hand."""
    lines = []
    for found in _benchmark("generation.json")["ratios"]:
        times = (
            f"{found[f'{name}_ms']:.2f}" for name in ("analytic", "fft", "separable")
        )
        ratios = (
            f"{found['analytic_over_separable']:.2f}",
            f"{found['naive_over_analytic']:.0f}",
            f"{found['padded_fft_over_fft']:.0f}",
        )
        lines.append(
            (found["sampler"], str(found["n"]), str(found["size"]), *times, *ratios)
        )
    header = ("disks", "n", "size", "`analytic`, ms", "`fft`, ms", "product, ms")
    ratios_ = ("`analytic` / product", "sum / `analytic`", "padded FFT / `fft`")
    return markdown_table((*header, *ratios_), lines)


def storing() -> str:
    """Return the table of whole data sets beside computing and `numpy.save`."""
    lines = []
    both = (_benchmark("generate-set.json"), _benchmark("generate-set-full.json"))
    for kind, found in [item for file in both for item in file.items()]:
        if kind == "machine":
            continue
        cpu, ratio = (
            found["cpu ms a pattern"],
            found["ratio to compute and numpy.save"],
        )
        times = (
            cpu[key] for key in ("compute", "save", "generate, 1 worker", "read")
        )
        size = f"{found['bytes a pattern'] / 1000:.0f}"
        cells = (*(f"{t:.2f}" for t in times), f"{ratio['cpu, 1 worker']:.2f}")
        lines.append((kind, f"{found['patterns']:,}", size, *cells))
    header = (
        "set",
        "patterns",
        "kB",
        "compute",
        "`numpy.save`",
        "`generate`",
        "read",
    )
    return markdown_table((*header, "ratio"), lines)


def many_shards(what: str) -> str:
    """Return a figure of the set of 50,000 shards, such as ``shard``, the ms for one."""
    found = _benchmark("many-shards.json")
    each = found["ms a shard, by thousand"]
    texts = {
        "shard": f"{sum(each) / len(each):.1f}",
        "least": f"{min(each):.1f}",
        "most": f"{max(each):.1f}",
        "open": f"{found['s to open']:.1f}",
        "read": f"{found['ms to read one of 1000 at random']:.1f}",
        "verify": f"{found['ms to verify a shard']:.1f}",
        "finish": f"{found['s to finish, after the last shard']:.0f}",
        "trend": f"{found['last tenth to first']:.2f}",
    }
    return texts[what]


def before_reliability(what: str) -> str:
    """Return the median of now over before, of ``generate`` or ``read``."""
    return f"{_benchmark('before-reliability.json')['median'][what]:.2f}"


def authors_transform(what: str) -> str:
    """Return a number of the authors' transform: ``seconds``, ``ms`` (ours) or ``ratio``."""
    found = _benchmark("authors-transform.json")
    if what == "ratio":
        return f"{found['ratio']:,}"
    return (
        f"{found['authors_s']:.0f}"
        if what == "seconds"
        else f"{found['analytic_ms']:.2f}"
    )


def full_size() -> str:
    """Return how both scatterers compare with the authors' FFT at full size."""
    path = RESULTS / "authors-full-size/results.json"
    lines = [
        (
            str(found["n"]),
            f"{found['fft, largest relative difference of a pixel']:.1e}",
            f"{found['analytic, relative L2']:.1e}",
        )
        for found in json.loads(path.read_text("utf-8"))["results"]
    ]
    header = ("n", "`fft`: largest relative difference of a pixel")
    return markdown_table((*header, "`analytic`: relative L2 of the pattern"), lines)


def highest_ratio(kind: str) -> str:
    """Return by how many per cent the highest ratio is above 1, of ``medians`` or ``fastest``."""
    key = "ratio" if kind == "medians" else "ratio_of_fastest"
    return f"{100 * (max(found[key] for found in _trainings()) - 1):.1f} %"


def range_of_rounds() -> str:
    """Return the lowest and the highest ratio of a single round."""
    ratios = [ratio for found in _trainings() for ratio in found["ratios"]]
    return f"{min(ratios):.2f} and {max(ratios):.2f}"


def half_ablation() -> str:
    """Return the table of networks that read half of the patterns beside those that read all."""
    lines = []
    for found in _benchmark("half-ablation.json"):
        mean, low, high = found["half - whole, 95 %"]
        whole, half = (sum(found[k]) / len(found[k]) for k in ("whole", "half"))
        photons = f"{found['photons']:.0e}".replace("e+0", "e")
        cells = (
            found["preset"],
            photons if found["photons"] else "no noise",
            found["augment"],
            str(len(found["whole"])),
            f"{whole:.3f}",
            f"{half:.3f}",
            f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]",
            f"{found['time, half / whole']:.2f}",
        )
        lines.append(cells)
    header = ("patterns", "photons", "augment", "seeds", "whole", "half")
    return markdown_table((*header, "half − whole, 95 %", "time"), lines)


def half_of_both(photons: str) -> str:
    """Return what half of a pattern gains, over all seeds of both tasks, with mirror images."""
    gains = [
        half - whole
        for found in _benchmark("half-ablation.json")
        if found["augment"] == "flips" and found["photons"] == float(photons)
        for half, whole in zip(found["half"], found["whole"], strict=True)
    ]
    reach = stats.sem(gains) * stats.t.ppf(0.975, len(gains) - 1)
    mean = sum(gains) / len(gains)
    return f"{mean:+.3f} [{mean - reach:+.3f}, {mean + reach:+.3f}]"


def _trainings() -> list[dict[str, Any]]:
    text = (RESULTS / "performance/training.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]
