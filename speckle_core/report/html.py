"""Render the report of a run as one self-contained HTML file.

Everything shown is given in a `ReportInput`; nothing is read or fetched here. Text is escaped,
since names and options come from files that may be untrusted.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import tomli_w

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Epoch
from speckle_core.report.blocks import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@attrs.frozen(eq=False, kw_only=True)
class ReportInput:
    """Everything a report shows.

    Parameters
    ----------
    title : str
        Title of the report.
    experiment : mapping
        The resolved experiment as plain TOML types, nested as in its file.
    seed : int
        The experiment's seed.
    gallery : sequence of (n, Configuration, array (ny, nx))
        Systems to show, with raw intensity [area²].
    grid : KGrid
        The grid of all patterns.
    blocked : pair of slices, optional
        The pixels [y, x] behind the beamstop.
    history : sequence of Epoch
        The network's training; may be empty for a classifier without epochs.
    network : (str, Evaluation)
        Name and evaluation of the run's classifier.
    baselines : mapping of str to Evaluation
        Evaluations of the baselines on the same patterns.
    verdict : str
        A sentence that says whether the task needs a network.
    versions : mapping of str to str
        Versions of the software.
    timings : mapping of str to float
        Stage → seconds.
    command : str
        Command that repeats the run.
    sections : sequence of Section
        Sections from the audit and the explanations.
    """

    title: str
    experiment: Mapping[str, Any]
    seed: int
    gallery: Sequence[tuple[int, Configuration, FloatArray]]
    grid: KGrid
    blocked: tuple[slice, slice] | None
    history: Sequence[Epoch]
    network: tuple[str, Evaluation]
    baselines: Mapping[str, Evaluation]
    verdict: str
    versions: Mapping[str, str]
    timings: Mapping[str, float]
    command: str
    sections: Sequence[Section] = ()


@attrs.frozen(eq=False)
class _Picture:
    """A PNG with its texts; a `wide` one scrolls sideways on a small screen."""

    png: bytes
    alt: str
    caption: str
    wide: bool = False

    @property
    def uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [pixel], which are at a fixed position in every PNG."""
        width, height = struct.unpack(">II", self.png[16:24])
        return width, height


def render(report: ReportInput) -> str:
    """Return the report as one HTML document that needs no other file and no network."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("speckle_core.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": _share, "interval": _interval}
    name, network = report.network
    readings = {name: network, **report.baselines}
    return environment.get_template("report.html.j2").render(
        report=report,
        name=name,
        network=network,
        correct=int(np.sum(network.errors == 0)),
        readings=readings,
        story=[*_story(report.experiment, network), *_samples(readings)],
        times=[(stage, _duration(seconds)) for stage, seconds in report.timings.items()],
        toml=tomli_w.dumps(report.experiment),
        pictures=dict(_pictures(report, readings)),
        confusions={other: _confusion(other, e) for other, e in readings.items()},
        sections=[
            (s, [_Picture(png, caption, caption) for caption, png in s.figures])
            for s in report.sections
        ],
    )


def _samples(readings: Mapping[str, Evaluation]) -> Iterator[str]:
    """Iterate over sentences about classifiers that were evaluated on a sample."""
    for name, reading in readings.items():
        if reading.places is not None:
            yield (
                f"Because it is slow, {name} was evaluated on {len(reading)} of them, drawn at "
                "random; comparisons with it use these only."
            )


def _duration(seconds: float) -> str:
    """Return a duration for people: ``4.2 s``, ``3 min 20 s``, ``1 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _share(fraction: float) -> str:
    return f"{fraction:.3f}"


def _interval(evaluation: Evaluation, fraction: float) -> str:
    low, high = evaluation.interval(fraction)
    return f"[{low:.3f}, {high:.3f}]"


def _pictures(
    report: ReportInput, readings: Mapping[str, Evaluation]
) -> Iterator[tuple[str, _Picture]]:
    from speckle_core import figures

    if report.gallery:
        counts = ", ".join(str(n) for n, _, _ in report.gallery)
        yield (
            "gallery",
            _picture(
                figures.gallery(report.gallery, report.grid, blocked=report.blocked),
                alt=f"Bodies in their box beside their speckle patterns, for n = {counts}.",
                caption="Real space (left of each pair) and k space (right): the raw speckle "
                "intensity, on the same logarithmic scale in all panels." + _beamstop(report),
                wide=True,
            ),
        )
    if report.history:
        last = report.history[-1]
        yield (
            "curves",
            _picture(
                figures.training_curves(report.history),
                alt=f"Loss and accuracy over {len(report.history)} epochs; the accuracy on "
                f"training patterns ends at {last.accuracy:.3f}.",
                caption="Loss and accuracy on training and validation patterns, and the learning "
                "rate.",
                wide=True,
            ),
        )
    bars = {n: (e.accuracy, *e.accuracy_interval) for n, e in readings.items()}
    chance = 1 / len(report.network[1].classes)
    yield (
        "bars",
        _picture(
            figures.accuracy_bars(bars, chance=chance),
            alt="Accuracies: " + ", ".join(f"{n} {a:.3f}" for n, (a, _, _) in bars.items()) + ".",
            caption="Accuracy on the test patterns with 95 % Wilson intervals; the dark bar is the "
            "network. Chance is one over the number of classes.",
        ),
    )


def _beamstop(report: ReportInput) -> str:
    if report.blocked:
        return " The hatched patch is the beamstop."
    if any(np.isnan(image).any() for _, _, image in report.gallery):
        return " Grey pixels lie behind the beamstop."
    return ""


def _confusion(name: str, evaluation: Evaluation) -> _Picture:
    from speckle_core import figures

    one, two = evaluation.off_by_more_than(1), evaluation.off_by_more_than(2)
    return _picture(
        figures.confusion(evaluation.confusion, evaluation.classes),
        alt=f"Confusion matrix of {name}: {one} of {len(evaluation)} patterns are off by more "
        f"than 1, {two} by more than 2.",
        caption=f"{name}: patterns by true and predicted number of particles; shade is the share "
        "of the row. The green line encloses errors of at most 1; red circles mark errors of 2, "
        "orange dashed diamonds larger ones.",
        wide=True,
    )


def _picture(figure: Figure, *, alt: str, caption: str, wide: bool = False) -> _Picture:
    from speckle_core.figures import encode

    return _Picture(encode(figure), alt, caption, wide)


def _story(experiment: Mapping[str, Any], network: Evaluation) -> Iterator[str]:
    """Iterate over sentences that describe the experiment; missing keys are left out."""
    structure, grid = experiment.get("structure", {}), experiment.get("grid", {})
    scattering, split = experiment.get("scattering", {}), experiment.get("split", {})
    many, classes = structure.get("patterns_per_count"), network.classes
    span = f"the {len(classes)} numbers of particles from {classes[0]} to {classes[-1]}"
    yield (
        f"For each of {span}, {f'{many} ' if many else ''}random configurations were drawn by the "
        f"sampler “{_component_name(structure.get('sampler'))}”."
    )
    size = f" on {grid['size']} × {grid['size']} points of k space" if "size" in grid else ""
    yield (
        f"Their speckle patterns were computed by the scatterer "
        f"“{_component_name(scattering.get('scatterer'))}”{size}."
    )
    if steps := [f"“{_component_name(step)}”" for step in experiment.get("prepare", ())]:
        yield f"Each pattern was then prepared by {', then '.join(steps)}."
    learned = [
        f"{split[part]} patterns" if isinstance(split[part], int) else f"{split[part]:.0%} of them"
        for part in ("train", "valid")
        if part in split
    ]
    if len(learned) == 2:
        yield f"The classifiers were trained on {learned[0]} and validated on {learned[1]}."
    yield f"All were tested on the same {len(network)} unseen patterns."


def _component_name(choice: Any) -> str:
    """Return the name of a component, which an experiment gives as a table or a bare name."""
    return str(choice.get("name", "?") if isinstance(choice, Mapping) else choice or "?")
