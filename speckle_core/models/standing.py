"""How patterns stand to the training data of a model, whatever it reads in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import FloatArray
from speckle_core.contracts.grid import KGrid
from speckle_core.models.novelty import TrainingProfiles


@attrs.frozen
class Standing:
    """How one pattern stands to the training data; the fields are those of `Answer`."""

    distance: float
    far: bool | None
    not_measured: tuple[str, ...]
    why: str
    asymmetry: float


def standings(
    profiles: TrainingProfiles,
    prepared: FloatArray,
    grid: KGrid,
    valid: NDArray[np.bool_] | None,
    measured: NDArray[np.bool_] | None,
    step_known: Sequence[bool] | None,
) -> list[Standing]:
    """Return the standing of each prepared pattern (B, ny, nx); see `TrainedModel.answers`."""
    asymmetry = profiles.asymmetry(prepared, grid, measured=measured)
    distances = profiles.distances(
        prepared, grid, valid=valid, measured=measured, asymmetry=asymmetry
    )
    far = profiles.far(distances)
    some = [None if masks is None else masks[far] for masks in (valid, measured)]
    reasons: Iterator[str] = iter(())
    if far.any():
        reasons = iter(profiles.reasons(prepared[far], grid, valid=some[0], measured=some[1]))
    known = [True] * len(prepared) if step_known is None else step_known
    found = []
    for row, (distance, uneven, step) in enumerate(zip(distances, asymmetry, known, strict=True)):
        lacking = tuple(profiles.not_measured(distance, uneven, step_known=step))
        why = next(reasons) if far[row] else ""
        if far[row] and not uneven < distance:
            why = "k and -k differ, as about a wrong centre or with few photons"
        found.append(
            Standing(
                distance=float(distance),
                far=True if far[row] else None if lacking else False,
                not_measured=lacking,
                why=why,
                asymmetry=float(uneven),
            )
        )
    return found
