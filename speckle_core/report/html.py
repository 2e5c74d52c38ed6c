"""Render the report of a run as one self-contained HTML file.

Everything shown is given in a `ReportInput`; nothing is read or fetched here. Text is escaped,
since names and options come from files that may be untrusted.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tomli_w

from speckle_core.analysis.calibration import calibration
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.report.blocks import Table
from speckle_core.report.contents import ReportInput as ReportInput
from speckle_core.report.pictures import (
    Picture,
    confusion_picture,
    pictures_of,
    section_picture,
)
from speckle_core.report.story import limits, samples, story
from speckle_core.words import duration

if TYPE_CHECKING:
    import jinja2


def render(report: ReportInput) -> str:
    """Return the report as one HTML document that needs no other file and no network."""
    environment = _templates()
    name, network = report.network
    readings = {name: network, **report.baselines}
    found = calibration(network)
    script = environment.get_template("report.js").render()
    return environment.get_template("report.html.j2").render(
        report=report,
        name=name,
        network=network,
        correct=int(np.sum(network.errors == 0)),
        readings=readings,
        story=[*story(report.experiment, network.classes, len(network)), *samples(readings)],
        limits=list(limits(report.experiment, report.grid, network, found)),
        times=[(stage, duration(seconds)) for stage, seconds in report.timings.items()],
        toml=tomli_w.dumps(report.experiment),
        pictures=dict(pictures_of(report, readings, found)),
        confusions={other: confusion_picture(other, e) for other, e in readings.items()},
        sections=[
            (s, [section_picture(caption, png) for caption, png in s.figures])
            for s in report.sections
        ],
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def render_page(
    title: str,
    paragraphs: Sequence[str],
    pictures: Sequence[Picture],
    tables: Sequence[Table],
    toml: str,
) -> str:
    """Return a page of text, pictures and tables about one experiment, as one HTML document."""
    return (
        _templates()
        .get_template("page.html.j2")
        .render(title=title, paragraphs=paragraphs, pictures=pictures, tables=tables, toml=toml)
    )


@functools.cache
def _templates() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("speckle_core.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": _share, "interval": _interval}
    return environment


def _share(fraction: float) -> str:
    return f"{fraction:.3f}"


def _interval(evaluation: Evaluation, fraction: float) -> str:
    low, high = evaluation.interval(fraction)
    return f"[{low:.3f}, {high:.3f}]"
