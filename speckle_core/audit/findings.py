"""Data leakage and shortcuts of a data set and its split, as sentences and a report section.

Three questions: can n be predicted from a single number per pattern, do training and test share
what they should not, and does a simple baseline already solve the task. Used by ``speckle audit``
and by the report of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import SOLVED, spell
from speckle_core.audit.inventory import Inventory
from speckle_core.audit.leakage import Leakage, Parts
from speckle_core.audit.shortcuts import Shortcut
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.data.dataset import Dataset
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.schema import Choice
from speckle_core.models.evaluate import evaluate_all, summary_phrase
from speckle_core.models.train import fit_baselines
from speckle_core.report.blocks import Section, Table

TITLE = "Data leakage and shortcuts"
#: Baseline to use if an experiment has none.
DEFAULT = "radial-lda"


@attrs.frozen(eq=False)
class Audit:
    """Findings of `audit`.

    Parameters
    ----------
    sizes : dict of str to int
        Number of patterns in each part.
    shortcuts : tuple of Shortcut
        One per quantity.
    leakage : Leakage
        What training and test have in common.
    baselines : mapping of str to Evaluation
        Evaluations on the test part of baselines fitted on the training part.
    """

    sizes: dict[str, int]
    shortcuts: tuple[Shortcut, ...]
    leakage: Leakage
    baselines: Mapping[str, Evaluation]

    def paragraphs(self) -> list[list[str]]:
        """Return the findings as sentences: on shortcuts, on leakage, and on baselines."""
        return [
            [str(shortcut) for shortcut in self.shortcuts],
            list(self.leakage.sentences()),
            list(_verdicts(self.baselines)),
        ]

    def section(self) -> Section:
        """Return the findings as a section of a report."""
        rows = []
        for shortcut in self.shortcuts:
            cells = ("the same in all", "-", "-")
            if shortcut.evaluation is not None:
                cells = (
                    f"{shortcut.low:.4g} to {shortcut.high:.4g}",
                    f"{shortcut.correlation:+.3f}",
                    spell(shortcut.evaluation),
                )
            rows.append((shortcut.quantity, *cells))
        header = ("Quantity", "Range", "Rank correlation with n", "Accuracy of n from it")
        caption = (
            "Single quantities of a pattern against n: Spearman's rank correlation over all "
            "patterns, and the accuracy on the test part, with its 95 % Wilson interval, of the "
            "class whose mean rank in the training part is nearest."
        )
        text = "\n\n".join(" ".join(sentences) for sentences in self.paragraphs())
        return Section(TITLE, text, tables=[Table(caption, header, rows)])

    def to_dict(self) -> dict[str, Any]:
        """Return every number and sentence as JSON types."""
        return {
            "parts": self.sizes,
            "ties": {
                shortcut.quantity: {
                    "low": shortcut.low,
                    "high": shortcut.high,
                    "rank_correlation": shortcut.correlation,
                    "reading": shortcut.evaluation and shortcut.evaluation.to_dict()["accuracy"],
                }
                for shortcut in self.shortcuts
            },
            "sharing": attrs.asdict(self.leakage),
            "baselines": {name: e.to_dict() for name, e in self.baselines.items()},
            "findings": [sentence for part in self.paragraphs() for sentence in part],
        }


def _verdicts(baselines: Mapping[str, Evaluation]) -> Iterator[str]:
    if not baselines:
        yield "Without a baseline it is unknown whether a simple rule solves this data set."
    solved = False
    for name, reading in sorted(baselines.items(), key=lambda item: -item[1].accuracy):
        named = f"{name}, {words}," if (words := summary_phrase(name)) else name
        if reading.accuracy >= SOLVED:
            solved = True
            yield f"{named} solves this data set: accuracy {spell(reading)} on the test patterns."
        else:
            yield f"{named} has an accuracy of {spell(reading)} on the test patterns."
    if baselines and not solved:
        yield f"None of these baselines solves this data set (accuracy {SOLVED:g})."


def audit(
    dataset: Dataset, baselines: Mapping[str, Evaluation], progress: Progress | None = None
) -> Audit:
    """Look for shortcuts and leakage between the training and test parts of `dataset`.

    Parameters
    ----------
    dataset : Dataset
        The data set; it is read once, in batches.
    baselines : mapping of str to Evaluation
        Evaluations of baselines on its test part; see `evaluate_baselines`.
    progress : Progress, optional
        Receives the progress.

    Raises
    ------
    DataError
        When a part is empty, or the data set is damaged.
    PluginError
        When its sampler or scatterer is not installed.
    """
    parts = _parts(dataset)
    found = Inventory.of(dataset, progress)
    ties = [Shortcut.of(name, v, found.labels, parts) for name, v in found.quantities.items()]
    sizes = {part: len(indices) for part, indices in parts.items()}
    return Audit(sizes, tuple(ties), Leakage.of(found, parts), baselines)


def baselines_of(experiment: Experiment, names: Sequence[str] = ()) -> dict[str, Classifier]:
    """Create baselines: those in `names`, else the experiment's own, else `DEFAULT`.

    Raises
    ------
    PluginError, OptionError
        For a baseline that is unknown or cannot be created.
    """
    own = {choice.key: choice for choice in experiment.baselines}
    # A name that is given twice is fitted once.
    chosen = [own.get(name, Choice(name)) for name in dict.fromkeys(names or own or (DEFAULT,))]
    changed = attrs.evolve(experiment, baselines=tuple(chosen))
    return changed.build(only=("baselines",)).baselines


def evaluate_baselines(
    baselines: Mapping[str, Classifier], dataset: Dataset, progress: Progress | None = None
) -> dict[str, Evaluation]:
    """Fit `baselines` on the training part of `dataset` and evaluate them on the test part.

    Raises
    ------
    DataError
        When a part is empty, a pattern cannot be read, or there is too little to fit on.
    """
    progress = progress or Progress()
    parts = _parts(dataset)
    whole = dataset.patterns(steps=dataset.experiment.build(only=("prepare",)).prepare)
    train, valid, test = (whole.subset(parts[part]) for part in ("train", "valid", "test"))
    fit_baselines(baselines, train, valid, dataset.experiment.seed, progress)
    return evaluate_all(baselines, test, progress)


def _parts(dataset: Dataset) -> Parts:
    parts = dict(dataset.split)
    if dataset.experiment.fresh:
        # Those of the training are not stored; these are drawn alike.
        parts["train"] = parts["valid"]
    if not len(parts["test"]):
        raise DataError(
            "its split has no test patterns",
            where=str(dataset.folder),
            hint="Generate the data set with split.test above 0."
            if dataset.experiment.imported is None
            else "Import more frames: a tenth of them is the test part.",
        )
    return parts
