"""The pictures of a report, each with words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs
import numpy as np

from speckle_core.analysis.calibration import Calibration
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.report.blocks import data_uri

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from speckle_core.report.contents import ReportInput

#: Pixels of a page for an inch of a figure, so that type has one size in all of them.
_INCH = 96
#: Width from which a picture scrolls on a small screen [CSS pixel].
_WIDE = 600


@attrs.frozen(eq=False)
class Picture:
    """A PNG or WebP with what a page needs around it.

    Parameters
    ----------
    shown : bytes
        The picture.
    size : tuple of int
        Width and height on the page [CSS pixel].
    alt, caption : str
        What it shows, in words, and what stands below it.
    wide : bool
        Whether it scrolls sideways on a small screen.
    dark : bytes, optional
        The same for a dark page; without it the light one stands on a light plate.
    """

    shown: bytes
    size: tuple[int, int]
    alt: str
    caption: str
    wide: bool = False
    dark: bytes | None = None

    @property
    def uri(self) -> str:
        """The picture itself."""
        return data_uri(self.shown)

    @property
    def dark_uri(self) -> str:
        """The picture for a dark page."""
        return data_uri(self.dark or self.shown)


def make_picture(figure: Figure, *, alt: str, caption: str, wide: bool = False) -> Picture:
    """Return a figure for light and for dark pages."""
    from speckle_core import figures
    from speckle_core.figures import webp

    light, dark = webp.light_and_dark(*figures.raster(figure))
    width, height = (round(_INCH * inches) for inches in figure.get_size_inches())
    return Picture(light, (width, height), alt, caption, wide, dark)


def section_picture(caption: str, given: bytes) -> Picture:
    """Return a figure that is a file already; its caption is the alternative text."""
    from speckle_core.figures import style, webp

    light, dark = (given, None) if webp.is_webp(given) else webp.for_pages(given)
    density = 1.0 if webp.is_webp(light) else style.DPI / _INCH
    width, height = (round(pixels / density) for pixels in webp.size(light))
    # Panels side by side would be stamps on a phone: there they scroll.
    return Picture(light, (width, height), caption, caption, width > _WIDE, dark)


def pictures_of(
    report: ReportInput, readings: Mapping[str, Evaluation], found: Calibration | None
) -> Iterator[tuple[str, Picture]]:
    """Iterate over the pictures that a report has, by the place where they stand."""
    from speckle_core import figures

    bars = {n: (e.accuracy, *e.accuracy_interval) for n, e in readings.items()}
    chance = 1 / len(report.network[1].classes)
    yield (
        "bars",
        make_picture(
            figures.accuracy_bars(bars, chance=chance),
            alt="Accuracies: " + ", ".join(f"{n} {a:.3f}" for n, (a, _, _) in bars.items()) + ".",
            caption=f"Accuracy on the test patterns with 95 % Wilson intervals; the blue bar is "
            f"{report.network[0]}. Chance is one over the number of classes.",
        ),
    )
    if found is not None:
        yield (
            "reliability",
            make_picture(
                figures.reliability(found.confidence, found.accuracy, found.count),
                alt=f"Accuracy against confidence; the expected calibration error is "
                f"{found.error:.3f}.",
                caption="Share of right answers against the probability that comes with them, and "
                "how many patterns have it. On the dotted line probabilities mean what they say; "
                "below it the classifier is too sure.",
            ),
        )
    if report.gallery:
        counts = ", ".join(str(n) for n, _, _ in report.gallery)
        yield (
            "gallery",
            make_picture(
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
            make_picture(
                figures.training_curves(report.history),
                alt=f"Loss and accuracy over {len(report.history)} epochs; the accuracy on "
                f"training patterns ends at {last.accuracy:.3f}.",
                caption="Loss and accuracy on training and validation patterns, and the learning "
                "rate.",
                wide=True,
            ),
        )


def _beamstop(report: ReportInput) -> str:
    if report.blocked:
        return " The hatched patch is the beamstop."
    if any(np.isnan(image).any() for _, _, image in report.gallery):
        return " Grey pixels lie behind the beamstop."
    return ""


def confusion_picture(name: str, evaluation: Evaluation) -> Picture:
    """Return the confusion matrix of one classifier."""
    from speckle_core import figures

    one, two = evaluation.off_by_more_than(1), evaluation.off_by_more_than(2)
    return make_picture(
        figures.confusion(evaluation.confusion, evaluation.classes),
        alt=f"Confusion matrix of {name}: {one} of {len(evaluation)} patterns are off by more "
        f"than 1, {two} by more than 2.",
        caption=f"{name}: patterns by true and predicted number of particles; shade is the share "
        "of the row. The green line encloses errors of at most 1; red circles mark errors of 2, "
        "orange dashed diamonds larger ones.",
        wide=True,
    )
