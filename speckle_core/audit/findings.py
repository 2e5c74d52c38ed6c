"""What the data give away: whether n can be had from less than the speckles, in plain sentences.

Three questions of a data set and its split: is n tied to one number of each pattern, do training
and test share what they should not, and does a simple rule already solve it. The command `audit`
and a run's report both come here; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import SOLVED, spell
from speckle_core.audit.inventory import Inventory
from speckle_core.audit.leakage import Parts, Sharing
from speckle_core.audit.shortcuts import Tie
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.schema import Choice
from speckle_core.models.evaluate import evaluate_all, summary_phrase
from speckle_core.models.train import fit_baselines
from speckle_core.report.blocks import Section, Table

TITLE = "What the data give away"
#: Fitted where an experiment names no baseline.
DEFAULT = "radial-lda"


@attrs.frozen(eq=False)
class Audit:
    """What the data give away; made by `audit`.

    Parameters
    ----------
    sizes : dict of str to int
        Patterns of each part.
    ties : tuple of Tie
        One for each number that a pattern was looked at for.
    sharing : Sharing
        What training and test have in common.
    baselines : mapping of str to Evaluation
        What simple rules, fitted on the training part, read of the test part.
    """

    sizes: dict[str, int]
    ties: tuple[Tie, ...]
    sharing: Sharing
    baselines: Mapping[str, Evaluation]

    def paragraphs(self) -> list[list[str]]:
        """Return the findings as sentences: on ties, on sharing, and on baselines."""
        return [
            [str(tie) for tie in self.ties],
            list(self.sharing.sentences()),
            list(_verdicts(self.baselines)),
        ]

    def section(self) -> Section:
        """Return the findings as a report shows them."""
        rows = []
        for tie in self.ties:
            told = ("the same in all", "-", "-")
            if tie.reading is not None:
                told = (
                    f"{tie.low:.4g} to {tie.high:.4g}",
                    f"{tie.correlation:+.3f}",
                    spell(tie.reading),
                )
            rows.append((tie.quantity, *told))
        header = ("Quantity", "Range", "Rank correlation with n", "n read off it")
        caption = (
            "One number of each pattern beside n: Spearman's rank correlation over all patterns, "
            "and the share of test patterns, with its 95 % Wilson interval, in which the class "
            "with the nearest mean rank in the training part is the right one."
        )
        text = "\n\n".join(" ".join(sentences) for sentences in self.paragraphs())
        return Section(TITLE, text, tables=[Table(caption, header, rows)])

    def to_dict(self) -> dict[str, Any]:
        """Return every number and sentence as JSON types."""
        return {
            "parts": self.sizes,
            "ties": {
                tie.quantity: {
                    "low": tie.low,
                    "high": tie.high,
                    "rank_correlation": tie.correlation,
                    "reading": tie.reading and tie.reading.to_dict()["accuracy"],
                }
                for tie in self.ties
            },
            "sharing": attrs.asdict(self.sharing),
            "baselines": {name: e.to_dict() for name, e in self.baselines.items()},
            "findings": [sentence for part in self.paragraphs() for sentence in part],
        }


def _verdicts(baselines: Mapping[str, Evaluation]) -> Iterator[str]:
    if not baselines:
        yield "No baseline was run: nothing says whether a simple rule solves this set."
    solved = False
    for name, reading in sorted(baselines.items(), key=lambda item: -item[1].accuracy):
        named = f"{name}, {words}," if (words := summary_phrase(name)) else name
        if reading.accuracy >= SOLVED:
            solved = True
            yield f"{named} solves this set: it reads {spell(reading)} of the test patterns."
        else:
            yield f"{named} reads {spell(reading)} of the test patterns."
    if baselines and not solved:
        yield f"No baseline tried here solves this set, which would take {SOLVED:g}."


def audit(
    dataset: Dataset, baselines: Mapping[str, Evaluation], progress: Progress | None = None
) -> Audit:
    """Return what `dataset` gives away between the training and the test part of its own split.

    Parameters
    ----------
    dataset : Dataset
        Read once, in batches.
    baselines : mapping of str to Evaluation
        What simple rules read of its test part; see `read_by`.
    progress : Progress, optional
        Hears of every batch.

    Raises
    ------
    DataError
        When a part is empty, or the set is damaged.
    PluginError
        When its sampler or scatterer is not installed.
    """
    parts = _parts(dataset)
    found = Inventory.of(dataset, progress)
    ties = [Tie.of(name, v, found.labels, parts) for name, v in found.quantities.items()]
    sizes = {part: len(indices) for part, indices in parts.items()}
    return Audit(sizes, tuple(ties), Sharing.of(found, parts), baselines)


def baselines_of(experiment: Experiment, names: Sequence[str] = ()) -> dict[str, Classifier]:
    """Return new baselines: those named, or the experiment's own, or `DEFAULT`.

    Raises
    ------
    PluginError, OptionError
        For one that is not there or cannot be made.
    """
    own = {choice.key: choice for choice in experiment.baselines}
    # A name given twice is fitted once.
    chosen = [own.get(name, Choice(name)) for name in dict.fromkeys(names or own or (DEFAULT,))]
    asked = attrs.evolve(experiment, baselines=tuple(chosen))
    return asked.build(only=("baselines",)).baselines


def read_by(
    baselines: Mapping[str, Classifier], dataset: Dataset, progress: Progress | None = None
) -> dict[str, Evaluation]:
    """Return what `baselines`, fitted here as in a training, read of the test part of `dataset`.

    Raises
    ------
    DataError
        When a part is empty, a pattern cannot be read, or a baseline cannot learn from so little.
    """
    progress = progress or Progress()
    parts = _parts(dataset)
    whole = dataset.patterns(steps=dataset.experiment.build(only=("prepare",)).prepare)
    train, valid, test = (whole.subset(parts[part]) for part in ("train", "valid", "test"))
    fit_baselines(baselines, train, valid, dataset.experiment.seed, progress)
    return evaluate_all(baselines, test, progress)


def _parts(dataset: Dataset) -> Parts:
    parts = dataset.split
    if not len(parts["test"]):
        raise DataError(
            "its split leaves no test pattern to hold against the training ones",
            where=str(dataset.folder),
            hint="Generate the set with a split.test of more than 0.",
        )
    return parts
