"""A small data set of disks, and a file of its patterns, which the solver takes 0.3 s each for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speckle_core import Experiment
from speckle_core.data.dataset import Dataset
from speckle_core.data.generate import generate

SET = """
name = "small"
seed = 3
[structure]
counts = [3, 4]
patterns_per_count = 1
sampler = { name = "polydisperse", box = 500.0, total_area = 5600.0 }
[grid]
size = 65
[[prepare]]
name = "block-center"
size = 3
[split]
train = 1
valid = 0
test = 1
"""


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("solve") / "small.toml"
    path.write_text(SET)
    return path


@pytest.fixture(scope="session")
def dataset(experiment: Path) -> Dataset:
    return generate(Experiment.load(experiment), experiment.parent / "data", workers=1)


@pytest.fixture(scope="session")
def patterns(dataset: Dataset) -> Path:
    path = dataset.folder.parent / "patterns.npy"
    np.save(path, dataset.patterns().raw(range(2)))
    return path
