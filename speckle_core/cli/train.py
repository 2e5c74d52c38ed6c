"""``speckle train``: train a model on a data set."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from speckle_core.cli.failure import say
from speckle_core.cli.options import (
    DataOption,
    DryRun,
    ExperimentName,
    Json,
    Settings,
    Tensorboard,
    load_experiment,
)
from speckle_core.cli.output import echo


def train(
    experiment: ExperimentName,
    data: DataOption,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="MODEL_DIR", help="Folder of the model.")
    ],
    settings: Settings = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL_DIR",
            help="Start from what this model learned (fine-tuning).",
            show_default=False,
        ),
    ] = None,
    tensorboard: Tensorboard = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train the classifier and the baselines of an experiment on a data set.

    The data set must have been generated from the experiment: same systems, grid and seed.
    After an interruption, the same command resumes after the last complete epoch. Losses,
    accuracies and learning rates are written to MODEL_DIR/history.csv and, with --tensorboard,
    to MODEL_DIR/tensorboard. torchrun distributes a training over several GPUs.

    Patterns of one's own, from speckle import, replace those of the experiment; a split in
    numbers of patterns is scaled to them. With --from, training starts from the weights of a
    model: longer, slower, or on other data.

    For example:

      speckle train quickstart --data data/quick -o models/quick
      speckle train quickstart --data data/quick -o m2 --set classifier.epochs=2
      speckle train quickstart --data data/quick -o m3 --tensorboard
      speckle train mine.toml --data data/mine --from models/quick -o models/mine
    """
    from speckle_core.cli.output import print_json
    from speckle_core.cli.plan import check_start, print_plan
    from speckle_core.cli.progress import show_progress
    from speckle_core.data.dataset import Dataset
    from speckle_core.experiment.components import READING
    from speckle_core.files import empty
    from speckle_core.models.history import read_history
    from speckle_core.models.tensorboard import require_tensorboard
    from speckle_core.models.torchrun import is_main_process, team_size
    from speckle_core.models.train import check_recipe
    from speckle_core.models.train import train as train_model

    chosen = load_experiment(experiment, settings, only=READING)
    dataset = Dataset.open(data)
    chosen = chosen.on_data_of(dataset.experiment, on_note=lambda note: say(f"note: {note}"))
    check_recipe(chosen, dataset)
    if tensorboard:
        require_tensorboard()
    if dry_run or (empty(output) and team_size() == 1):
        plan = check_start(chosen, output, only=READING, dataset=dataset, quiet=dry_run)
        if dry_run:
            print_plan(plan, output, as_json=as_json)
            return
    with show_progress() as progress:
        train_model(chosen, dataset, output, progress, tensorboard=tensorboard, start=start)
    if not is_main_process():
        return
    if as_json:
        import attrs

        epochs = [
            {k: None if math.isnan(v) else v for k, v in attrs.asdict(epoch).items()}
            for epoch in read_history(output)
        ]
        print_json({"model": str(output), "history": epochs})
        return
    echo(f"model: {output}")
