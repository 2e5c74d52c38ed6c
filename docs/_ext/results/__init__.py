"""Tables and numbers of the pages, computed from the files in docs/results.

A page includes a table by ``<!-- generated: NAME ARGUMENTS -->`` on a line of its own, and a number
by ``{{ NAME ARGUMENTS }}`` anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from results import (
    baselines,
    benchmarks,
    maps,
    moments,
    networks,
    regression,
    solving,
    specklenet,
    studies,
)

TABLES: dict[str, Callable[..., str]] = {
    "baselines": baselines.baselines,
    "baselines-as-coded": baselines.baselines_as_coded,
    "baseline-scores": baselines.baseline_scores,
    "extrapolation": regression.extrapolation,
    "first-moments": moments.first_moments,
    "full-size": benchmarks.full_size,
    "half-ablation": benchmarks.half_ablation,
    "performance": benchmarks.performance,
    "simulation": benchmarks.simulation,
    "storing": benchmarks.storing,
    "solving": solving.solving,
    "solving-beside": solving.solving_beside,
    "solving-time": solving.solving_time,
    "specklenet-ablation-table": specklenet.specklenet_ablation_table,
    "specklenet-scores": specklenet.specklenet_scores,
    "specklenet-speed": specklenet.specklenet_speed,
    "study": studies.study,
}
NUMBERS: dict[str, Callable[..., str]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        networks.accuracy,
        networks.brightness,
        networks.transfer,
        networks.errors,
        networks.f1_from,
        networks.f1_until,
        networks.history,
        networks.macro_f1,
        networks.minutes,
        networks.off_by,
        networks.scores,
        networks.trained,
        baselines.baseline,
        baselines.seed_spread,
        moments.mean_difference,
        moments.mean_difference_of_seeds,
        moments.moment,
        moments.moment_chi,
        moments.positive,
        maps.after_deletion,
        maps.agreement,
        maps.lobe,
        maps.over_first_zero,
        maps.over_later_zero,
        maps.random_peak,
        benchmarks.authors_transform,
        benchmarks.before_reliability,
        benchmarks.half_of_both,
        benchmarks.many_shards,
        benchmarks.highest_ratio,
        benchmarks.range_of_rounds,
        solving.solved,
        solving.time_exponent,
        specklenet.specklenet_ablation,
    )
}
_TABLE = re.compile(r"^<!-- generated: ([a-z-]+)((?: \S+)*) -->$", re.MULTILINE)
_NUMBER = re.compile(r"\{\{ ([a-z0-9-]+)((?: [^\s{}]+)*) \}\}")


def fill(text: str) -> str:
    """Return a page with its tables and numbers; other generated parts are left alone.

    Raises
    ------
    KeyError
        For a number that is not in `NUMBERS`.
    """
    text = _TABLE.sub(
        lambda m: TABLES[m[1]](*m[2].split()) if m[1] in TABLES else m[0], text
    )
    return _NUMBER.sub(lambda m: NUMBERS[m[1]](*m[2].split()), text)
