"""Write explainers' maps for a trained model, pictures of them, and their analysis.

Used by ``speckle explain`` and by the explain stage of a run. This module selects patterns and
writes files; the analysis is in `speckle_core.analysis.attribution`.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.attribution import Analysis, analyse
from speckle_core.analysis.beamstop import filled_rectangle, hidden_pixels
from speckle_core.analysis.form_factor_zeros import form_factor_zeros
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier, Explainer
from speckle_core.data.dataset import Dataset
from speckle_core.errors import PluginError
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.explain.report_section import SUMMARY
from speckle_core.files import make_folder, sweep, write_bytes, write_text
from speckle_core.models.evaluate import indices_of, part_of
from speckle_core.models.folder import Model
from speckle_core.models.values import read_values, require_values

NUMBERS = "explanations.h5"
# Patterns explained at a time: an explainer may take seconds for each.
_BATCH = 8
#: Number of test patterns per class in an analysis, and of classes shown in its figure.
PER_CLASS, SHOWN = 4, 6


def explain_model(
    model: Model,
    dataset: Dataset,
    explainers: Mapping[str, Explainer],
    folder: Path,
    *,
    chosen: IntArray | None = None,
    analysed: bool = True,
    progress: Progress | None = None,
) -> list[str]:
    """Explain `model` with each explainer, write the results to `folder`, return the file names.

    The files are a panel for every chosen pattern (pattern, map, overlay and probabilities, for the
    predicted class), an analysis over `PER_CLASS` test patterns of each class (for the true class),
    and an HDF5 file with all numbers. Of a model of a value the maps are those of the value, and
    there is no analysis.

    Parameters
    ----------
    model, dataset, explainers
        The model, the patterns and the explainers.
    folder : Path
        Created if it does not exist.
    chosen : array of int, optional
        Indices of the patterns to draw; by default the first test pattern of each class.
    analysed : bool
        Whether to add the analysis over all classes, which takes much longer than a few pictures.
    progress : Progress, optional
        Receives the progress.

    Raises
    ------
    PluginError
        When the classifier lacks a capability that an explainer needs.
    OutputError
        When a file cannot be written; files written before are complete.
    """
    progress = progress or Progress()
    whole = part_of(model, dataset, "all")
    test = indices_of(model, dataset, "test")
    if chosen is None:
        chosen = test[np.unique(whole.labels[test], return_index=True)[1]]
    classifier = model.pipeline.classifier
    many = whole.subset(_of_each_class(whole.labels, test, PER_CLASS))
    patterns, labels = whole.batch(chosen)
    found = {"patterns": patterns, "index": chosen, "labels": labels}
    if model.record.experiment.target is None:
        probabilities = np.asarray(classifier.predict_proba(patterns))
        columns = probabilities.argmax(axis=1)
        found |= {
            "classes": classifier.classes,
            "targets": classifier.classes[columns],
            "probabilities": probabilities,
        }
    else:
        learner = require_values(model.record.classifier.key, classifier)
        columns, analysed = np.zeros(len(patterns), dtype=np.int64), False
        found["values"] = read_values(learner, patterns)[:, 0]
    zeros = {}
    if analysed:
        zeros = zeros_of(dataset.experiment, dataset.grid, dataset.classes.tolist())
    maps: dict[str, FloatArray] = {}
    analyses: dict[str, Analysis] = {}
    for name, explainer in explainers.items():
        progress.start(f"explain with {name}", len(chosen) + len(many) * analysed)
        maps[name] = _maps(explainer, classifier, patterns, columns, progress)
        if analysed:
            analyses[name] = analyse(
                explainer,
                classifier,
                many,
                zeros=zeros,
                batch_size=_BATCH,
                advance=progress.advance,
            )
        progress.finish()
    sweep(make_folder(folder))
    files = _draw(found, maps, analyses, whole, folder)
    write_bytes(folder / NUMBERS, _numbers(found, maps, analyses, model, dataset))
    summary = {name: _summary(analysis) for name, analysis in analyses.items()}
    write_text(folder / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return [*files, NUMBERS, SUMMARY]


def _of_each_class(labels: IntArray, among: IntArray, most: int) -> IntArray:
    """Return the first `most` indices of each class from the indices `among`."""
    kept = [among[labels[among] == value][:most] for value in np.unique(labels[among])]
    return np.concatenate(kept)


def zeros_of(
    experiment: Experiment, grid: KGrid, counts: Iterable[int]
) -> dict[int, NDArray[np.float64]]:
    """Return the zeros of each class's form factor, from configurations drawn as the set's are.

    Empty for measured patterns, and if the plugin that draws them is not installed.
    """
    if experiment.imported is not None:
        return {}
    try:
        pipeline = experiment.build(only=SIMULATION)
    except PluginError:
        return {}
    fine = np.arange(1, 8 * (grid.size - grid.origin)) * (grid.step / 8)
    return {
        count: form_factor_zeros(
            [pipeline.draw(count, number, experiment.seed) for number in range(PER_CLASS)], fine
        )
        for count in counts
    }


def _maps(
    explainer: Explainer,
    classifier: Classifier,
    patterns: FloatArray,
    columns: IntArray,
    progress: Progress,
) -> FloatArray:
    parts = []
    for start in range(0, len(patterns), _BATCH):
        part = slice(start, start + _BATCH)
        parts.append(explainer.explain(classifier, patterns[part], columns[part]))
        progress.advance(len(parts[-1]))
    return np.concatenate(parts)


def _draw(
    found: dict[str, Any],
    maps: dict[str, FloatArray],
    analyses: dict[str, Analysis],
    whole: PatternSet,
    folder: Path,
) -> list[str]:
    from speckle_core import figures

    blocked = filled_rectangle(hidden_pixels(whole.steps, whole.grid))
    files = []
    for name in maps:
        for row, place in enumerate(found["index"].tolist()):
            reads_value = "values" in found
            told = f", value {found['values'][row]:.3g}" if reads_value else ""
            panel = figures.explanation_panel(
                found["patterns"][row],
                maps[name][row],
                None if reads_value else found["probabilities"][row],
                found.get("classes", ()),
                grid=whole.grid,
                target=None if reads_value else int(found["targets"][row]),
                truth=int(found["labels"][row]),
                blocked=blocked,
                title=f"{name}, pattern {place}{told}",
            )
            files.append(f"{name}-{place:05d}.png")
            figures.save(panel, folder / files[-1])
        if name not in analyses:
            continue
        seen = analyses[name].classes[np.isfinite(analyses[name].attribution).any(axis=1)]
        spread = np.linspace(0, len(seen) - 1, min(SHOWN, len(seen))).round().astype(int)
        drawn = {
            "profiles": figures.attribution_profiles(analyses[name], seen[spread].tolist()),
            "deletion": figures.deletion(analyses[name].deletion),
        }
        for what, figure in drawn.items():
            files.append(f"{name}-{what}.png")
            figures.save(figure, folder / files[-1])
    return files


def _numbers(
    found: dict[str, Any],
    maps: dict[str, FloatArray],
    analyses: dict[str, Analysis],
    model: Model,
    dataset: Dataset,
) -> bytes:
    """Return an HDF5 file of maps and analyses; viewers show the first explainer's maps."""
    import h5py

    from speckle_core._version import __version__
    from speckle_core.data.nexus import field, group

    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        about = {"experiment": model.record.experiment.name, "data": str(dataset.folder)}
        file.attrs.update({**about, "default": "maps", "creator": f"speckle-core {__version__}"})
        names = list(maps)
        home = group(file, "maps", "NXdata", signal=names[0], auxiliary_signals=names[1:])
        for name, values in maps.items():
            what = "the value" if "values" in found else "the class in targets"
            field(home, name, values, long_name=f"{name} of {what}")
        for name, values in found.items():
            field(file, name, values)
        home = group(file, "analysis", "NXcollection")
        for name, analysis in analyses.items():
            part = group(home, name, "NXcollection")
            for key, values in attrs.asdict(analysis, recurse=False).items():
                if key in ("deletion", "lattice"):
                    curve = group(part, key, "NXcollection")
                    for column, numbers in attrs.asdict(values).items():
                        field(curve, column, numbers)
                else:
                    field(part, key, values)
    return memory.getvalue()


def _summary(analysis: Analysis) -> dict[str, Any]:
    """Return the numbers of an analysis that a report shows, with NaN as None."""

    def plain(values: FloatArray) -> list[float | None]:
        return [float(v) if math.isfinite(v) else None for v in values]

    curve = analysis.deletion
    return {
        "classes": analysis.classes.tolist(),
        "edge": plain(analysis.edge),
        "share": plain(analysis.share),
        "area": plain(analysis.area),
        "agreement": plain(analysis.agreement),
        "deletion": {key: plain(values) for key, values in attrs.asdict(curve).items()},
        "lattice": {key: plain(v) for key, v in attrs.asdict(analysis.lattice).items()},
    }
