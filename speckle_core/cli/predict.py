"""``speckle predict``: apply a model to pattern files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from speckle_core.cli.failure import warn_far_patterns
from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Files, Json, ModelFolder

if TYPE_CHECKING:
    from pathlib import Path

    from speckle_core.cli.files import Failures
    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.data.measured import Measured
    from speckle_core.models.trained import TrainedModel

_BATCH = 64


@with_frame_options
def predict(
    model: ModelFolder, files: Files, *, frames: FrameOptions, as_json: Json = False
) -> None:
    """Predict the number of particles in patterns, with its probability.

    A file holds one pattern or a stack of them, in raw intensity. Each is brought to the grid that
    the model was trained on, by the geometry that the file or the options state; pixels that do
    not count are filled from I(-k) = I(k). The model prepares the patterns itself. What cannot be
    brought to the grid is refused; the others are answered.

    Where the model has learned it from its validation patterns, the calibrated probability stands
    there, too, and the set of numbers that holds the true one in at least 95 % of such patterns.
    Beside each answer stand the second choice and what the simple rules that were trained with
    the model say of the same pattern. A pattern is reported as far from the training data when
    its azimuthal profile, after preparation, differs from that of every class in shape or
    brightness by more than 1.5 times as much as any training pattern's; it says in what.

    A model that was trained on a target reads a value: it is given with an interval that holds the
    true value in the stated share of patterns like the validation patterns.

    For example:

      speckle predict models/quick pattern.npy
      speckle predict models/quick run-17.h5 run-18.h5 --json
      speckle predict models/quick scan_master.h5 --center auto
      speckle predict models/quick frame.tif --mask mask.edf --center 512,514
    """
    from speckle_core.cli.files import Failures
    from speckle_core.cli.output import print_json
    from speckle_core.cli.predictions import print_predictions
    from speckle_core.cli.value_output import print_values
    from speckle_core.models.trained import load_model

    failures = Failures()
    loaded = load_model(model)
    found = list(_predictions(loaded, files, frames, failures))
    warn_far_patterns(sum(f["far_from_training"] is True for f in found), len(found))
    if as_json:
        about = {"model": str(model), "predictions": found}
        print_json(about | {"errors": failures.to_json()})
    elif found:
        (print_predictions if loaded.target is None else print_values)(found)
    failures.end()


def _predictions(
    model: TrainedModel,
    files: list[Path],
    frames: FrameOptions,
    failures: Failures,
) -> Iterator[dict[str, Any]]:
    """Give what the model reads in each pattern that can be read."""
    import numpy as np

    from speckle_core.cli.files import each_frame
    from speckle_core.cli.predictions import answer_json
    from speckle_core.cli.value_output import value_json

    pipeline = model.pipeline

    def prepare(measured: Measured, index: int) -> Any:
        found, step_known = measured.on_grid(index, pipeline.grid)
        ready = pipeline.prepared(found.pattern, valid=found.valid)
        return ready[0], found.valid, found.measured, step_known

    waiting: list[tuple[Path, int, Any]] = []

    def answers() -> Iterator[dict[str, Any]]:
        if not waiting:
            return
        prepared = np.stack([item[0] for _, _, item in waiting])
        valid = np.stack([item[1] for _, _, item in waiting])
        measured = np.stack([item[2] for _, _, item in waiting])
        known = [item[3] for _, _, item in waiting]
        if model.target is None:
            read = model.answers(prepared, valid, measured, step_known=known)
            found = [answer_json(answer, model.classes.tolist()) for answer in read]
        else:
            values = model.values_of(prepared, valid, measured, step_known=known)
            found = [value_json(value) for value in values]
        for (file, number, _), one in zip(waiting, found, strict=True):
            yield {"file": str(file), "pattern": number, **one}
        waiting.clear()

    for file, _, index, item in each_frame(files, frames, prepare, failures):
        waiting.append((file, index, item))
        if len(waiting) == _BATCH:
            yield from answers()
    yield from answers()
