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

    For example:

      speckle predict models/quick pattern.npy
      speckle predict models/quick run-17.h5 run-18.h5 --json
      speckle predict models/quick scan_master.h5 --center auto
      speckle predict models/quick frame.tif --mask mask.edf --center 512,514
    """
    from speckle_core.cli.files import Failures
    from speckle_core.cli.output import print_json
    from speckle_core.cli.predictions import print_predictions
    from speckle_core.models.trained import load_model

    failures = Failures()
    found = list(_predictions(load_model(model), files, frames, failures))
    warn_far_patterns(sum(f["far_from_training"] is True for f in found), len(found))
    if as_json:
        about = {"model": str(model), "predictions": found}
        print_json(about | {"errors": failures.to_json()})
    elif found:
        print_predictions(found)
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

    pipeline = model.pipeline

    def read(measured: Measured, index: int) -> Any:
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
        names = [str(value) for value in model.classes.tolist()]
        known = [item[3] for _, _, item in waiting]
        found = model.answers(prepared, valid, measured, step_known=known)
        for (file, number, _), answer in zip(waiting, found, strict=True):
            yield {
                "file": str(file),
                "pattern": number,
                "class": answer.number,
                "probability": answer.probability,
                "calibrated": answer.calibrated,
                "sets": {str(c): list(numbers) for c, numbers in answer.sets.items()},
                "second": answer.second,
                "second_probability": answer.second_probability,
                "baselines": answer.baselines,
                "far_from_training": answer.far,
                "not_measured": list(answer.not_measured),
                "why": answer.why,
                "probabilities": dict(zip(names, answer.probabilities, strict=True)),
            }
        waiting.clear()

    for file, _, index, item in each_frame(files, frames, read, failures):
        waiting.append((file, index, item))
        if len(waiting) == _BATCH:
            yield from answers()
    yield from answers()
