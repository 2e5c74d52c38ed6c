from __future__ import annotations

from pathlib import Path

import numpy as np

from speckle_core import Experiment
from speckle_core.data.dataset import Dataset
from speckle_core.report.gallery import gallery


def test_a_gallery_spreads_six_systems_over_the_classes(tiny: Path) -> None:
    many = Experiment.load(tiny, ["structure.counts=[2, 20]", "structure.count_step=1", "split={}"])
    shown = gallery(many)
    assert [n for n, _, _ in shown.items] == [2, 6, 9, 13, 16, 20]
    assert [len(configuration) for _, configuration, _ in shown.items] == [2, 6, 9, 13, 16, 20]
    assert shown.blocked == (slice(15, 18), slice(15, 18))


def test_a_gallery_of_a_data_set_shows_its_own_patterns_beside_what_made_them(
    tiny: Path, data: Path
) -> None:
    experiment = Experiment.load(tiny)
    simulated, read = gallery(experiment), gallery(experiment, Dataset.open(data))
    assert [n for n, _, _ in read.items] == [2, 7, 12]
    for (_, drawn, expected), (_, again, pattern) in zip(simulated.items, read.items, strict=True):
        np.testing.assert_array_equal(pattern, expected)
        np.testing.assert_array_equal(drawn.particles[0].centers, again.particles[0].centers)
