"""The rule that reads n off one number, on values whose ranks can be counted by hand."""

from __future__ import annotations

import numpy as np

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
