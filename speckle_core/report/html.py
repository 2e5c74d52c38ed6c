"""One self-contained HTML file that says what was run, what came of it, and what it is worth.

Everything shown is given in a `ReportInput`; nothing is read or fetched here, and no number is
shown that the evaluations do not hold. Texts are escaped, since names and options come from a file
that anyone may have written.
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
        Its heading.
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
        The network's training; may be empty for a classifier that has no epochs.
    network : (str, Evaluation)
        Name and reading of the classifier that the run is about.
    baselines : mapping of str to Evaluation
        The same for what it is held against, on the same patterns.
    verdict : str
        In plain words, whether the task needs a network.
    versions : mapping of str to str
        Software and its version.
    timings : mapping of str to float
        Stage → seconds.
    command : str
        What to type to get this again.
    sections : sequence of Section
        What explanations and audits add.
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
    """A PNG with what a page needs around it; `wide` ones scroll sideways on a small screen."""

    png: bytes
    alt: str
    caption: str
    wide: bool = False

    @property
    def uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [pixel], which stand at a fixed place in every PNG."""
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
    """Say which classifiers read only a sample."""
    for name, reading in readings.items():
        if reading.places is not None:
            yield (
                f"Since it takes long, {name} was given {len(reading)} of them, drawn at random; "
                "others are compared with it on these alone."
            )


def _duration(seconds: float) -> str:
    """Return a time as a person says it: ``4.2 s``, ``3 min 20 s``, ``1 h 05 min``."""
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
                "intensity, on one logarithmic scale for all panels." + _beamstop(report),
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
            caption="Accuracy on the test patterns with 95 % Wilson intervals; the network is the "
            "dark bar. Chance is one over the number of classes.",
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
        "of the row. Green encloses what is right to within 1, a red circle marks errors of 2, an "
        "orange dashed diamond larger ones.",
        wide=True,
    )


def _picture(figure: Figure, *, alt: str, caption: str, wide: bool = False) -> _Picture:
    from speckle_core.figures import encode

    return _Picture(encode(figure), alt, caption, wide)


def _story(experiment: Mapping[str, Any], network: Evaluation) -> Iterator[str]:
    """Tell the experiment in sentences; what a key does not say is left out."""
    structure, grid = experiment.get("structure", {}), experiment.get("grid", {})
    scattering, split = experiment.get("scattering", {}), experiment.get("split", {})
    many, classes = structure.get("patterns_per_count"), network.classes
    span = f"the {len(classes)} numbers of particles from {classes[0]} to {classes[-1]}"
    yield (
        f"For each of {span}, {f'{many} ' if many else ''}random configurations were drawn by the "
        f"sampler “{_named(structure.get('sampler'))}”."
    )
    size = f" on {grid['size']} × {grid['size']} points of k space" if "size" in grid else ""
    yield (
        f"Their speckle patterns were computed by the scatterer "
        f"“{_named(scattering.get('scatterer'))}”{size}."
    )
    if steps := [f"“{_named(step)}”" for step in experiment.get("prepare", ())]:
        yield f"Each pattern was then prepared by {', then '.join(steps)}."
    learned = [
        f"{split[part]} patterns" if isinstance(split[part], int) else f"{split[part]:.0%} of them"
        for part in ("train", "valid")
        if part in split
    ]
    if len(learned) == 2:
        yield f"The classifiers learned from {learned[0]} and were watched on {learned[1]}."
    yield f"All were tested on the same {len(network)} patterns, which none of them had seen."


def _named(choice: Any) -> str:
    """Return the name of a component as an experiment gives it: a table or a bare name."""
    return str(choice.get("name", "?") if isinstance(choice, Mapping) else choice or "?")
