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
    from speckle_core.data.measured import FrameOptions, Measured
    from speckle_core.models.folder import Model
    from speckle_core.models.novelty import TrainingProfiles

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

    A pattern is reported as far from the training data when its azimuthal profile, after
    preparation, differs from that of every class in shape or brightness by more than 1.5 times
    as much as any training pattern's.

    For example:

      speckle predict models/quick pattern.npy
      speckle predict models/quick run-17.h5 run-18.h5 --json
      speckle predict models/quick scan_master.h5 --center auto
      speckle predict models/quick frame.tif --mask mask.edf --center 512,514
    """
    from speckle_core.cli.files import Failures
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.models.folder import load_model
    from speckle_core.models.novelty import TrainingProfiles

    loaded = load_model(model, baselines=False)
    failures = Failures()
    found = list(_predictions(loaded, TrainingProfiles.load(model), files, frames, failures))
    warn_far_patterns(sum(f["far_from_training"] is True for f in found), len(found))
    if as_json:
        about = {"model": str(model), "predictions": found}
        print_json(about | {"errors": failures.to_json()})
    elif found:
        print_table(
            ("file", "pattern", "class", "probability", ""),
            [
                (f["file"], f["pattern"], f["class"], f"{f['probability']:.3f}", _remark(f))
                for f in found
            ],
        )
    failures.end()


def _remark(found: dict[str, Any]) -> str:
    if found["far_from_training"]:
        return "far from the training data"
    if found["far_from_training"] is None:
        return "not measured: " + ", ".join(found["not_measured"])
    return ""


def _predictions(
    model: Model,
    familiar: TrainingProfiles,
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
        return ready[0], found.valid, step_known

    waiting: list[tuple[Path, int, Any]] = []

    def answers() -> Iterator[dict[str, Any]]:
        if not waiting:
            return
        prepared = np.stack([item[0] for _, _, item in waiting])
        valid = np.stack([item[1] for _, _, item in waiting])
        classes = [int(value) for value in pipeline.classifier.classes]
        rows = pipeline.classifier.predict_proba(prepared).tolist()
        distances = familiar.distances(prepared, pipeline.grid, valid=valid)
        for (file, number, item), row, distance in zip(waiting, rows, distances, strict=True):
            lacking = familiar.not_measured(distance, step_known=item[2])
            far = bool(familiar.far(distance))
            best = max(row)
            yield {
                "file": str(file),
                "pattern": number,
                "class": classes[row.index(best)],
                "probability": best,
                "far_from_training": True if far else None if lacking else False,
                "not_measured": lacking,
                "probabilities": dict(zip(map(str, classes), row, strict=True)),
            }
        waiting.clear()

    for file, _, index, item in each_frame(files, frames, read, failures):
        waiting.append((file, index, item))
        if len(waiting) == _BATCH:
            yield from answers()
    yield from answers()
