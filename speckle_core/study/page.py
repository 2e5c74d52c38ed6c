"""The page of a study: what varied, the curves and the numbers behind them, in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
import tomli_w

from speckle_core.experiment.experiment import Experiment
from speckle_core.report.blocks import Table
from speckle_core.report.html import render_page
from speckle_core.report.pictures import section_picture
from speckle_core.study.results import sampled

if TYPE_CHECKING:
    from speckle_core.study.points import Axis
    from speckle_core.study.results import Result


def page(base: Experiment, axes: Sequence[Axis], results: Sequence[Result], png: bytes) -> str:
    """Return the page as one HTML document that needs no other file and no network."""
    varied = " and ".join(f"{axis.path} over {len(axis.values)} values" for axis in axes)
    best = _best(results)
    readers = ", ".join(dict.fromkeys(result.classifier for result in results))
    text = [
        f"{base.name}: {varied}, read by {readers}.",
        f"At its best point {best.classifier} reads {best.accuracy[0]:.3f} "
        f"[{best.accuracy[1]:.3f}, {best.accuracy[2]:.3f}] of {best.patterns} test patterns."
        if best
        else "No point has a result.",
        *sampled(results),
    ]
    picture = attrs.evolve(
        section_picture(
            "Fraction of the test patterns read correctly, with 95 % Wilson intervals.", png
        ),
        alt=f"Accuracy over {axes[0].path}, one curve for each classifier.",
        wide=True,
    )
    rows = [
        [
            ", ".join(str(value) for value in result.values),
            result.classifier,
            result.error or _share(result.accuracy),
            _share(result.within_1),
            _number(result.mean_absolute_error, ".3f"),
            str(result.trained_on),
            str(result.patterns),
            "–" if result.far is None else str(result.far),
            _number(result.seconds[0], ".3g"),
        ]
        for result in results
    ]
    numbers = Table(
        "Every point: fractions with 95 % intervals; the error in particles; far: how many test "
        "patterns a trained model calls far from its training data.",
        [
            ", ".join(axis.path for axis in axes),
            "classifier",
            "right",
            "within 1",
            "mean error",
            "trained on",
            "tested on",
            "far",
            "seconds to train",
        ],
        rows,
    )
    toml = tomli_w.dumps(base.to_dict())
    return render_page(f"Study: {base.name}", text, [picture], [numbers], toml)


def _best(results: Sequence[Result]) -> Result | None:
    known = [result for result in results if np.isfinite(result.accuracy[0])]
    return max(known, key=lambda result: result.accuracy[0]) if known else None


def _share(share: tuple[float, float, float]) -> str:
    value, low, high = share
    return f"{value:.3f} [{low:.3f}, {high:.3f}]" if np.isfinite(value) else "–"


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "–"
