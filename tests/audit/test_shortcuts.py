"""The rule that reads n off one number, on values whose ranks can be counted by hand."""

from __future__ import annotations

import numpy as np

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.audit.shortcuts import Shortcut

#: Training values 0 … 3 of n = 2 and 4 … 7 of n = 3: mean ranks 0.25 and 0.75.
TRAIN, LABELS = [0, 1, 2, 3, 4, 5, 6, 7], [2, 2, 2, 2, 3, 3, 3, 3]


def reading(test: list[float], labels: list[int]) -> list[int]:
    values = np.array([*TRAIN, *test], dtype=float)
    parts = {"train": np.arange(8), "test": np.arange(8, len(values))}
    tie = Shortcut.of("mean radius", values, np.array(LABELS + labels), parts)
    assert tie.evaluation is not None
    assert tie.evaluation.labels.tolist() == labels
    return tie.evaluation.predicted.tolist()


def test_ranks_are_among_training_values_alone_so_test_patterns_do_not_change_one_another() -> None:
    # 2.5 has rank 3/8, nearer to 0.25; 4.5 has rank 5/8, nearer to 0.75. A hundred values of 1.5
    # among the ranked would lift 2.5 above all of n = 2, or the mean of n = 2 towards 4.5.
    alone = reading([2.5, 4.5], [2, 3])
    assert alone == [2, 3]
    assert reading([2.5, 4.5] + [1.5] * 100, [2, 3] + [2] * 100)[:2] == alone


def tie(right: int, of: int = 200) -> Shortcut:
    """Return a tie whose rule is right in so many of 200 test patterns of four classes."""
    labels = np.resize([2, 3, 4, 5], of)
    predicted = labels.copy()
    predicted[right:] = np.where(labels[right:] == 2, 3, 2)
    reading = Evaluation([2, 3, 4, 5], labels, predicted)
    return Shortcut("mean radius", 1.0, 2.0, 0.5, reading)


def test_a_number_reads_n_alone_from_99_percent_on() -> None:
    assert "n can be predicted from the mean radius alone" in str(tie(198))
    assert "0.990 [0.964, 0.997]" in str(tie(198))
    assert "alone" not in str(tie(197))


def test_a_reading_is_held_against_chance_by_its_interval() -> None:
    # Of four classes, 0.25 is chance; Wilson's interval of 63 in 200 begins at 0.254.
    for right, above in ((63, True), (61, False)):
        told = str(tie(right))
        assert ("is predictive" in told, "is not predictive" in told) == (above, not above)
        assert f"{right / 200:.3f} [" in told
        assert "chance 0.250" in told


def test_equal_values_share_the_middle_of_their_ranks() -> None:
    # Ranks 3/16 of 0, 10/16 of 1 and 15/16 of 2: means 0.297 of n = 2 and 0.703 of n = 3, so that
    # 0.5, at 6/16, is nearer to n = 2. Were equal values ranked by the lowest, it would be n = 3.
    values = np.array([0, 0, 0, 1, 1, 1, 1, 2, 0.5])
    parts = {"train": np.arange(8), "test": np.array([8])}
    found = Shortcut.of("x", values, np.array([*LABELS, 2]), parts).evaluation
    assert found is not None
    assert found.predicted.tolist() == [2]
