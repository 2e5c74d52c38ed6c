"""``speckle predict``: apply a model to pattern files."""

from __future__ import annotations

from speckle_core.cli.failure import warn_far_patterns
from speckle_core.cli.options import Files, Inside, Json, ModelFolder


def predict(
    model: ModelFolder, files: Files, dataset: Inside = None, as_json: Json = False
) -> None:
    """Predict the number of particles in patterns, with its probability.

    A file contains one pattern or a stack, as raw intensity with the k step of the model's
    training data; the size may differ. The model prepares the patterns itself.

    A pattern is reported as far from the training data when its azimuthal profile, after
    preparation, differs from that of every class in shape or brightness by more than 1.5 times
    as much as any training pattern's.

    For example:

      speckle predict models/quick pattern.npy
      speckle predict models/quick run-17.h5 run-18.h5 --json
    """
    import attrs

    from speckle_core.cli.files import error_location, read_batches
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.models.folder import load_model
    from speckle_core.models.novelty import TrainingProfiles

    pipeline = load_model(model, baselines=False).pipeline
    profiles = TrainingProfiles.load(model)
    classes = [int(value) for value in pipeline.classifier.classes]
    found = []
    for file, _, first, patterns in read_batches(files, dataset):
        with error_location(file, first):
            prepared = pipeline.prepared(patterns)
            probabilities = pipeline.classifier.predict_proba(prepared)
        grid = attrs.evolve(pipeline.grid, size=prepared.shape[-1])
        far = profiles.far(profiles.distances(prepared, grid)).tolist()
        for number, row in enumerate(probabilities.tolist(), start=first):
            best = max(row)
            found.append(
                {
                    "file": str(file),
                    "pattern": number,
                    "class": classes[row.index(best)],
                    "probability": best,
                    "far_from_training": far[number - first],
                    "probabilities": dict(zip(map(str, classes), row, strict=True)),
                }
            )
    warn_far_patterns(sum(f["far_from_training"] for f in found), len(found))
    if as_json:
        print_json({"model": str(model), "predictions": found})
        return
    print_table(
        ("file", "pattern", "class", "probability", ""),
        [
            (
                f["file"],
                f["pattern"],
                f["class"],
                f"{f['probability']:.3f}",
                "far from the training data" if f["far_from_training"] else "",
            )
            for f in found
        ],
    )
