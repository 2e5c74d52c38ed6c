"""Two uses of one component in an experiment, told apart by labels from the file to the report.

About 4 s: one small run, most of it figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import h5py
import numpy as np
import pytest

from speckle_core import Component, Epoch, Experiment, hookimpl, plugin_manager
from speckle_core.explain.folder import NUMBERS
from speckle_core.explain.report_section import sections
from speckle_core.figures import style
from speckle_core.models.folder import load_model
from speckle_core.run import Run

LABELLED = """
name = "labelled"
seed = 3
baselines = [
    { name = "first-moment", label = "raw-moment" },
    { name = "first-moment", label = "absolute-moment", definition = "absolute" },
    "stages",
    "speckle-core/contrast",
]
explainers = [
    { name = "grad-cam", label = "cam" },
    { name = "grad-cam", label = "cam-2", stage = "coarse" },
]
[structure]
counts = [2, 12]
count_step = 10
patterns_per_count = 20
[grid]
size = 33
[split]
train = 0.6
valid = 0.0
test = 0.4
[classifier]
name = "stages"
"""


@attrs.define(kw_only=True)
class Stages:
    """Least squares on all pixels, with two stages of maps: the pixels, and means of 3 × 3."""

    weights: Any = attrs.field(default=None, init=False)
    classes: Any = attrs.field(default=None, init=False)

    def fit(self, train: Any, valid: Any, *, seed: int, on_epoch: Any = None) -> list[Epoch]:
        patterns, _ = train.batch(np.arange(len(train)))
        flat = np.log1p(patterns).reshape(len(patterns), -1).astype(float)
        self.weights = np.linalg.lstsq(flat, np.eye(2)[train.targets], rcond=None)[0]
        self.classes = train.classes
        return [Epoch(1, 1, 0.5, 1.0, np.nan, np.nan, 0.1, 0.1)]

    def predict_proba(self, patterns: Any) -> Any:
        scores = np.log1p(patterns).reshape(len(patterns), -1) @ self.weights
        rates = np.exp(scores - scores.max(axis=1, keepdims=True))
        return rates / rates.sum(axis=1, keepdims=True)

    def feature_maps(self, patterns: Any, targets: Any, *, stage: str | None = None) -> Any:
        maps = np.log1p(patterns)[:, None]
        gradients = self.weights.T[targets].reshape(maps.shape)
        if stage == "coarse":
            maps, gradients = (
                a.reshape(len(a), 1, 11, 3, 11, 3).mean(axis=(3, 5)) for a in (maps, gradients)
            )
        return maps, gradients

    def save(self, folder: Path) -> None:
        np.savez(folder / "stages.npz", weights=self.weights, classes=self.classes)

    def load(self, folder: Path) -> None:
        with np.load(folder / "stages.npz") as arrays:
            self.weights, self.classes = arrays["weights"], arrays["classes"]


class Plugin:
    @hookimpl
    def speckle_classifiers(self) -> list[Component]:
        return [Component("stages", Stages, "Least squares on all pixels.")]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    plugin_manager().register(Plugin(), "stages")
    home = tmp_path_factory.mktemp("labels")
    (home / "labelled.toml").write_text(LABELLED, "utf-8")
    run = Run.begin(Experiment.load(home / "labelled.toml"), home / "run")
    # Nobody looks at these pictures: a ninth of the pixels will do.
    with mock.patch.object(style, "DPI", 50):
        run.execute(workers=1)
    yield run
    plugin_manager.cache_clear()


BASELINES = ["raw-moment", "absolute-moment", "stages", "contrast"]


def test_each_use_is_saved_and_loaded_with_its_own_options(done: Run) -> None:
    assert {p.name for p in (done.model / "baselines").iterdir()} == set(BASELINES)
    model = load_model(done.model)
    assert list(model.pipeline.baselines) == BASELINES
    definitions = [model.pipeline.baselines[key].definition for key in BASELINES[:2]]  # type: ignore[attr-defined]
    assert definitions == ["raw", "absolute"]
    assert [(c.name, c.label) for c in model.record.baselines[:2]] == [
        ("first-moment", "raw-moment"),
        ("first-moment", "absolute-moment"),
    ]


def test_each_use_has_its_own_reading_and_a_namesake_of_the_classifier_keeps_its(done: Run) -> None:
    keys = ["stages", "raw-moment", "absolute-moment", "stages-baseline", "contrast"]
    assert {p.name for p in (done.folder / "evaluation").iterdir()} == set(keys)
    found = done.evaluations()
    assert list(found) == keys
    assert not np.array_equal(
        found["raw-moment"].probabilities, found["absolute-moment"].probabilities
    )
    np.testing.assert_array_equal(
        found["stages"].probabilities, found["stages-baseline"].probabilities
    )


def test_each_use_has_its_own_maps(done: Run) -> None:
    with h5py.File(done.explanations / NUMBERS) as file:
        fine, coarse = file["maps/cam"][()], file["maps/cam-2"][()]
    model = load_model(done.model, baselines=False).pipeline
    with h5py.File(done.explanations / NUMBERS) as file:
        patterns, targets = file["patterns"][()], file["targets"][()]
    columns = np.searchsorted(model.classifier.classes, targets)
    for name, stage, maps in (("grad-cam", "fine", fine), ("grad-cam", "coarse", coarse)):
        explainer = plugin_manager().create("explainer", name, {"stage": stage})
        expected = explainer.explain(model.classifier, patterns, columns)
        np.testing.assert_allclose(maps, expected, rtol=1e-6)
    assert not np.allclose(fine, coarse)


def test_the_report_shows_each_use_with_its_own_pictures(done: Run) -> None:
    found = sections(done.explanations)
    assert [s.title.rpartition(" ")[2] for s in found] == ["cam", "cam-2"]
    for section, name in zip(found, ("cam", "cam-2"), strict=True):
        own = [
            p.read_bytes()
            for p in done.explanations.iterdir()
            if re.fullmatch(rf"{name}-(\d{{5}}|profiles|deletion)\.png", p.name)
        ]
        assert len(own) == 4
        assert sorted(picture for _, picture in section.figures) == sorted(own)
    page = done.report.read_text("utf-8")
    for shown in ("raw-moment", "absolute-moment", "stages-baseline", "contrast", "cam-2"):
        assert shown in page


def test_the_run_is_found_again_and_is_done(done: Run) -> None:
    again = Run.begin(Experiment.load(done.folder.parent / "labelled.toml"), done.folder)
    assert again.stages == done.stages
    assert Experiment.load(done.folder / "experiment.toml") == done.experiment
