"""``speckle explain``: which pixels a model used, as pictures and as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from speckle_core.cli.options import DataOption, Json, ModelFolder, new_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from speckle_core.patterns import PatternSet
    from speckle_core.progress import Progress
    from speckle_core.roles import Classifier, Explainer, IntArray

_BATCH = 16


def explain(
    model: ModelFolder,
    data: DataOption,
    explainer: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Which explainer; may be given again."),
    ],
    output: Annotated[Path, typer.Option("-o", metavar="DIR", help="A new folder.")],
    index: Annotated[
        list[int] | None,
        typer.Option(
            metavar="I",
            help="A pattern's place in the data set, from 0; may be given again. By default the "
            "first pattern of each class.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw which pixels a model used to read patterns, and keep the maps as HDF5.

    Each map explains the class that the model read, which need not be the true one.

    For example:

      speckle explain my-model --data my-data --explainer saliency -o maps
      speckle explain my-model --data my-data --explainer grad-cam --index 7 -o 7
    """
    from speckle_core.assess import part_of
    from speckle_core.cli.maps import NUMBERS, write_maps
    from speckle_core.cli.output import print_json
    from speckle_core.cli.progress import watched
    from speckle_core.dataset import Dataset
    from speckle_core.models import load_model
    from speckle_core.plugins import plugin_manager

    new_folder(output)
    made = {name: plugin_manager().create("explainer", name) for name in explainer}
    loaded = load_model(model, baselines=False)
    whole = part_of(loaded, Dataset.open(data), "all")
    with watched() as progress:
        found = _explained(loaded.pipeline.classifier, made, whole, _chosen(index, whole), progress)
    files = write_maps(found, whole, output, {"model": str(model), "data": str(data)})
    if as_json:
        print_json({"folder": str(output), "files": files})
        return
    typer.echo(f"maps: {output} ({len(files) - 1} pictures, and the numbers in {NUMBERS})")


def _chosen(index: list[int] | None, patterns: PatternSet) -> IntArray:
    import numpy as np

    from speckle_core.errors import DataError

    if not index:
        return np.unique(patterns.labels, return_index=True)[1]
    for place in index:
        if not 0 <= place < len(patterns):
            raise DataError(
                f"there is no pattern {place}",
                where="--index",
                hint=f"The data set has the patterns 0 to {len(patterns) - 1}.",
            )
    return np.unique(index)


def _explained(
    classifier: Classifier,
    explainers: Mapping[str, Explainer],
    whole: PatternSet,
    chosen: IntArray,
    progress: Progress,
) -> dict[str, Any]:
    """Return maps of the predicted classes, and what was explained, as arrays by name."""
    import numpy as np

    patterns, labels = whole.batch(chosen)
    probabilities = np.asarray(classifier.predict_proba(patterns))
    columns = probabilities.argmax(axis=1)
    maps = {}
    for name, explainer in explainers.items():
        progress.start(f"explain with {name}", len(chosen))
        parts = []
        for start in range(0, len(chosen), _BATCH):
            part = slice(start, start + _BATCH)
            parts.append(explainer.explain(classifier, patterns[part], columns[part]))
            progress.advance(len(parts[-1]))
        maps[name] = np.concatenate(parts)
        progress.finish()
    return {
        "maps": maps,
        "patterns": patterns,
        "index": chosen,
        "labels": labels,
        "classes": classifier.classes,
        "targets": classifier.classes[columns],
        "probabilities": probabilities,
    }
