"""``speckle evaluate``: the accuracy of a model and of its baselines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from speckle_core.cli.failure import say, warn_far_patterns
from speckle_core.cli.files import new_folder
from speckle_core.cli.options import DataOption, Json, ModelFolder, output_folder
from speckle_core.cli.output import echo

if TYPE_CHECKING:
    from speckle_core.models.folder import Model


def evaluate(
    model: ModelFolder,
    data: DataOption,
    split: Annotated[
        Literal["test", "valid", "train", "all"],
        typer.Option(metavar="PART", help="Patterns to use: test, valid, train or all."),
    ] = "test",
    output: Annotated[Path | None, output_folder("Save metrics and predictions here.")] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a model and its baselines on a data set.

    On the data that the model was trained on, the test patterns are those that it never saw.
    Any other data set with the same step in k will do, of another size too: a network trained
    at 257 x 257 reads 513 x 513. A classifier that cannot read another size is named and left
    out. A warning says how many patterns lie far from the training data, by the shape or the
    brightness of their azimuthal profile.

    Of a model of a value (a target in its experiment) it gives errors, R² and how many true values
    lie in their intervals.

    For example:

      speckle evaluate models/quick --data data/quick
      speckle evaluate models/quick --data data/other --split all -o results/other
    """
    from speckle_core.analysis.confidence import confidence_of, sentences
    from speckle_core.cli.output import evaluations_json, print_evaluations, print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.dataset import Dataset
    from speckle_core.errors import DataError
    from speckle_core.files import make_folder
    from speckle_core.models import confidence
    from speckle_core.models.evaluate import assess, part_of, verdict_of
    from speckle_core.models.folder import load_model
    from speckle_core.models.novelty import TrainingProfiles

    target = None if output is None else new_folder(output)
    loaded = load_model(model)
    profiles = TrainingProfiles.load(model)
    if loaded.record.experiment.target is not None:
        _evaluate_values(model, loaded, data, split, target, as_json=as_json)
        return
    learned = confidence.load(model)
    patterns = part_of(loaded, Dataset.open(data), split)
    refused: dict[str, DataError] = {}
    with show_progress() as progress:
        evaluations = assess(loaded, patterns, progress, refused.__setitem__)
    # The baselines' results are kept when the classifier itself fails, and the other way round.
    fault = refused.pop(loaded.record.classifier.key, None)
    if fault is not None and not evaluations:
        raise fault
    for error in refused.values():
        say(f"warning: left out: {error}")
    verdict = (
        verdict_of(evaluations) if fault is None else f"No verdict: {fault.where}: {fault.what}."
    )
    far = profiles.count_far(patterns)
    if far is None:
        say("warning: how far the patterns are from the training data was not measured")
    else:
        warn_far_patterns(far, len(patterns))
    worth = None if fault else confidence_of(next(iter(evaluations.values())), learned)
    if target is not None:
        for name, evaluation in evaluations.items():
            evaluation.save(make_folder(target / name))
    if as_json:
        about: dict[str, Any] = {
            "model": str(model),
            "data": str(data),
            "split": split,
            "far_from_training": far,
        }
        about["refused"] = {name: str(error) for name, error in refused.items()}
        about["confidence"] = worth
        print_json(about | evaluations_json(evaluations, verdict))
    else:
        print_evaluations(evaluations, verdict, sentences(worth))
        if target is not None:
            echo(f"\nmetrics and predictions: {target}")
    if fault is not None:
        raise fault


def _evaluate_values(
    folder: Path, model: Model, data: Path, split: str, target: Path | None, *, as_json: bool
) -> None:
    """Evaluate a model of a value."""
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import show_progress
    from speckle_core.cli.value_output import print_value_evaluations, value_evaluations_json
    from speckle_core.data.dataset import Dataset
    from speckle_core.files import make_folder
    from speckle_core.models.evaluate import assess_values, part_of
    from speckle_core.models.novelty import TrainingProfiles

    patterns = part_of(model, Dataset.open(data), split)
    with show_progress() as progress:
        evaluations = assess_values(model, folder, patterns, progress)
    far = TrainingProfiles.load(folder).count_far(patterns)
    if far is not None:
        warn_far_patterns(far, len(patterns))
    if target is not None:
        for name, evaluation in evaluations.items():
            evaluation.save(make_folder(target / name))
    if as_json:
        about = {"model": str(folder), "data": str(data), "split": split, "far_from_training": far}
        print_json(about | value_evaluations_json(evaluations))
        return
    print_value_evaluations(evaluations)
    if target is not None:
        echo(f"\nmetrics and predictions: {target}")
