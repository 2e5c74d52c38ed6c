"""The maps of single patterns from files, each with the rings of the physics drawn in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from speckle_core.analysis.regrid import OnGrid
from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.roles import Explainer
from speckle_core.explain.folder import zeros_of
from speckle_core.files import make_folder
from speckle_core.models.answer import Answer, ValueAnswer
from speckle_core.models.trained import TrainedModel


def explain_frame(
    model: TrainedModel,
    prepared: FloatArray,
    explainers: Mapping[str, Explainer],
    folder: Path,
    *,
    name: str,
    found: OnGrid | None = None,
    step_known: bool = True,
) -> tuple[Answer | ValueAnswer, list[str]]:
    """Draw what each explainer says of one prepared pattern; return the answer and the files.

    Dotted rings are the zeros of the form factor of bodies as in the training data, for the number
    that the model reads: what it looks at can be held against them.

    Parameters
    ----------
    model : TrainedModel
        What reads the pattern.
    prepared : array, (ny, nx)
        The pattern as the model prepares it, on the model's grid.
    explainers : mapping of str to Explainer
        By name.
    folder : Path
        Where the pictures go.
    name : str
        Of the pattern, in titles and file names.
    found : OnGrid, optional
        The frame as it was brought to the grid, of which some pixels were not measured.
    step_known : bool
        Whether the frame's k step was stated.

    Raises
    ------
    PluginError
        When the classifier lacks what an explainer needs.
    OutputError
        When a picture cannot be written.
    """
    from speckle_core import figures

    valid, measured = (None, None) if found is None else (found.valid[None], found.measured[None])
    answer: Answer | ValueAnswer
    zeros: ArrayLike = ()
    rates, column, number, told = None, 0, None, ""
    if model.target is not None:
        (answer,) = model.values_of(prepared[None], valid, measured, step_known=[step_known])
        told = f": {answer.told}"
    else:
        (answer,) = model.answers(prepared[None], valid, measured, step_known=[step_known])
        rates, number = answer.probabilities, answer.number
        column = int(np.argmax(rates))
        zeros = zeros_of(model.experiment, model.grid, [number]).get(number, ())
    files = []
    make_folder(folder)
    for key, explainer in explainers.items():
        (shown,) = explainer.explain(model.pipeline.classifier, prepared[None], np.array([column]))
        panel = figures.explanation_panel(
            prepared,
            shown,
            rates,
            model.classes,
            grid=model.grid,
            target=number,
            zeros=[k for k in np.asarray(zeros) if k <= np.abs(model.grid.axis).max()],
            title=f"{key}, {name}{told}",
        )
        files.append(f"{name}-{key}.png")
        figures.save(panel, folder / files[-1])
    return answer, files
