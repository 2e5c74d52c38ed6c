"""What a model's probabilities are worth: learned when it is trained, kept in its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from speckle_core.analysis.confidence import Confidence
from speckle_core.contracts.capabilities import SupportsSample
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.contracts.roles import Classifier
from speckle_core.errors import ModelError
from speckle_core.notes import read_json, write_json

FILE = "confidence.json"
#: Fewer patterns tell nothing of a temperature.
_FEWEST = 20
_LARGEST = 10**6


def learn(
    classifier: Classifier, valid: PatternSet, name: str, progress: Progress
) -> Confidence | None:
    """Return what the validation patterns tell; None where they are few or take long to read."""
    if len(valid) < _FEWEST or isinstance(classifier, SupportsSample):
        return None
    progress.start(f"calibrate {name}", len(valid))
    watched = valid.with_progress(progress.advance)
    rates = np.concatenate([classifier.predict_proba(some) for some, _ in watched.batches(64)])
    progress.finish()
    return Confidence.fit(rates, np.searchsorted(classifier.classes, valid.labels))


def save(learned: Confidence, folder: Path) -> None:
    """Write it to a model folder.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    scores = [round(score, 9) for score in learned.scores.tolist()]
    write_json(folder / FILE, {"temperature": learned.temperature, "scores": scores})


def load(folder: Path) -> Confidence | None:
    """Read it from a model folder; None for a model without, as those of version 0.1.0.

    Raises
    ------
    ModelError
        When the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        said = read_json(path)
        temperature, scores = float(said["temperature"]), np.array(said["scores"], dtype=np.float64)
        whole = 0 < temperature < np.inf and 0 < scores.size <= _LARGEST and scores.ndim == 1
        if not whole or not np.isfinite(scores).all() or np.any(np.diff(scores) < 0):
            raise ValueError("the temperature is not positive, or the scores do not ascend")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    return Confidence(temperature, scores)
