"""What a model folder says of the worth of its probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speckle_core.analysis.confidence import Confidence
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.progress import Progress
from speckle_core.errors import ModelError
from speckle_core.models import confidence


class Half:
    """Says of every pattern how bright its first pixel is."""

    classes = np.array([2, 5])

    def predict_proba(self, patterns):
        return np.stack([patterns[:, 0, 0], 1 - patterns[:, 0, 0]], axis=1)


def patterns(count: int) -> PatternSet:
    rates = np.linspace(0.05, 0.95, count)
    images = np.ones((count, 3, 3)) * rates[:, None, None]
    labels = np.where(rates > 0.5, 2, 5)
    return PatternSet.from_arrays(images.astype(np.float32), labels, KGrid.centered(3, 0.1))


def test_it_is_learned_from_the_validation_part_and_comes_back(tmp_path: Path) -> None:
    learned = confidence.learn(Half(), patterns(30), "half", Progress())
    assert learned is not None
    assert len(learned.scores) == 30
    # It is always right, so it may be as sure as the range allows.
    assert learned.temperature < 0.05
    confidence.save(learned, tmp_path)
    again = confidence.load(tmp_path)
    assert again is not None
    assert again.temperature == learned.temperature
    np.testing.assert_allclose(again.scores, learned.scores, atol=1e-9)


def test_few_patterns_and_an_older_model_tell_nothing(tmp_path: Path) -> None:
    assert confidence.learn(Half(), patterns(19), "half", Progress()) is None
    assert confidence.load(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"temperature": 0, "scores": [0.5]}',
        '{"temperature": 1, "scores": []}',
        '{"temperature": 1, "scores": [0.5, 0.4]}',
        '{"temperature": "x", "scores": [0.5]}',
        '{"temperature": 1, "scores": [[0.5]]}',
    ],
)
def test_a_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    confidence.save(Confidence(1.0, np.array([0.5])), tmp_path)
    (tmp_path / confidence.FILE).write_text(text)
    with pytest.raises(ModelError, match="cannot be read"):
        confidence.load(tmp_path)
