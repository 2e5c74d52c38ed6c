"""``speckle predict``: what a model reads in pattern files."""

from __future__ import annotations

from speckle_core.cli.failure import warn_of_far
from speckle_core.cli.options import Files, Inside, Json, ModelFolder


def predict(
    model: ModelFolder, files: Files, dataset: Inside = None, as_json: Json = False
) -> None:
    """Read the number of particles in patterns: the class and its probability.

    A file holds one pattern or a stack of them, in raw intensity and on the grid that the model
    was trained on, of that size or another. The model prepares them itself.

    A pattern is called far from the training data when its azimuthal profile differs from that
    of every class, in shape or in brightness as prepared, by half as much again as the farthest
    training pattern's does.

    For example:

      speckle predict models/quick pattern.npy
      speckle predict models/quick run-17.h5 run-18.h5 --json
    """
    import attrs

    from speckle_core.cli.files import batches, named
    from speckle_core.cli.output import print_json, print_table
    from speckle_core.models.folder import load_model
    from speckle_core.models.novelty import TrainingProfiles

    pipeline = load_model(model, baselines=False).pipeline
    familiar = TrainingProfiles.load(model)
    classes = [int(value) for value in pipeline.classifier.classes]
    found = []
    for file, _, first, patterns in batches(files, dataset):
        with named(file, first):
            prepared = pipeline.prepared(patterns)
            probabilities = pipeline.classifier.predict_proba(prepared)
        grid = attrs.evolve(pipeline.grid, size=prepared.shape[-1])
        far = familiar.far(familiar.distances(prepared, grid)).tolist()
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
    warn_of_far(sum(f["far_from_training"] for f in found), len(found))
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
