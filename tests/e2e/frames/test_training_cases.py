"""Trainings on odd sets, with odd settings, and models of other versions: said in plain words."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest

from speckle_core import Component, Epoch, hookimpl, plugin_manager
from speckle_core.models.train import _nothing_learned
from speckle_core.notes import read_toml, write_toml
from tests.cli.conftest import Ridge
from tests.e2e.frames.patterns import counts, say

pytestmark = pytest.mark.xdist_group("frames")

TINY = """
name = "tiny"
[structure]
counts = [2, 4]
patterns_per_count = 12
[grid]
size = 33
[[prepare]]
name = "standardize"
[split]
train = 24
valid = 6
test = 6
[classifier]
name = "radial-lda"
"""


def epoch(loss: float, valid_loss: float) -> Epoch:
    return Epoch(1, 2, loss, 0.3, valid_loss, 0.3, 1.0, 10.0)


def test_a_training_that_is_never_better_than_guessing_says_so() -> None:
    wild = [epoch(5e4, 9.8e8), epoch(1.2e4, 2.9e7)]
    said = _nothing_learned(wild, 3)
    assert "lowest loss is 2.9e+07, that of guessing 1.1" in said
    assert "learning rate" in said
    assert not _nothing_learned([*wild, epoch(1.0, 1.05)], 3)
    assert _nothing_learned([epoch(1.2, math.nan)], 3)
    sure = attrs.evolve(epoch(1.2, 3e29), valid_accuracy=0.6)
    assert not _nothing_learned([sure], 3)
    assert not _nothing_learned([epoch(1.0, math.nan)], 3)
    assert not _nothing_learned([epoch(math.nan, math.nan)], 3)


def test_a_model_of_another_version_says_which_one_wrote_it(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "old")
    record = tmp_path / "old/model.toml"
    now = read_toml(record)
    now["versions"]["speckle-core"] = "0.0.7"
    np.save(tmp_path / "a.npy", counts(4))
    for changes, words in (
        ({"format": 0}, "has format 0; this version reads 1"),
        ({"classifier": now["classifier"] | {"dropout": 0.1}}, "dropout"),
        ({"strange": 3}, "strange"),
        ({"classifier": {"name": "radial-qda"}}, "radial-qda"),
    ):
        write_toml(record, now | changes)
        said = say("predict", tmp_path / "old", tmp_path / "a.npy")
        assert said.exit_code == 1
        assert words in said.stderr
        assert "was written by speckle-core 0.0.7; this is" in said.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("counts = [2, 4]", "counts = [3, 3]", "at least two different numbers"),
        ("per_count = 12", "per_count = { 2 = 20, 3 = 5 }", "structure.patterns_per_count"),
    ],
)
def test_one_class_and_uneven_classes_are_refused(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_text(TINY.replace(old, new))
    said = say("generate", tmp_path / "a.toml", "-o", tmp_path / "d")
    assert said.exit_code in (1, 2)
    assert words in said.stderr
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("counts = [2, 4]", "counts = [2, 5, 9]", ""),
        ("train = 24\nvalid = 6", "train = 30\nvalid = 0", ""),
        (
            "per_count = 12\n[grid]\nsize = 33",
            "per_count = 3\n[grid]\nsize = 33",
            "the valid part has no pattern of classes",
        ),
    ],
)
def test_lists_no_validation_and_rare_classes_train_and_what_is_missing_is_said(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    text = TINY.replace(old, new)
    if words:
        text = text.replace("train = 24\nvalid = 6\ntest = 6", "train = 6\nvalid = 1\ntest = 2")
    (tmp_path / "a.toml").write_text(text)
    assert say("generate", tmp_path / "a.toml", "-o", tmp_path / "d").exit_code == 0
    words_of = ("train", tmp_path / "a.toml", "--data", tmp_path / "d", "-o", tmp_path / "m")
    said = say(*words_of)
    assert said.exit_code == 0, said.output
    assert words in said.stderr


def test_a_class_without_test_patterns_has_no_recall_and_that_is_said(tmp_path: Path) -> None:
    labels = np.repeat([2, 4, 7], [20, 20, 3])
    stack = np.array([counts(n, 2e4, i, size=33) for i, n in enumerate(labels)], np.uint16)
    np.savez(tmp_path / "a.npz", patterns=stack, labels=labels)
    data = tmp_path / "d"
    (tmp_path / "a.toml").write_text(
        TINY.replace("[split]", "[split]\nstratify = false")
        .replace("24", "0.8")
        .replace("valid = 6\ntest = 6", "valid = 0.1\ntest = 0.1")
    )
    assert say("import", tmp_path / "a.npz", "--labels", "labels", "-o", data).exit_code == 0
    # Of these seeds, some leave class 7 out of the test part.
    for seed in range(6):
        words = ("train", tmp_path / "a.toml", "--data", data, "--set", f"seed={seed}")
        said = say(*words, "-o", tmp_path / f"{seed}")
        if "the test part has no pattern of class 7" in said.stderr:
            break
    else:
        pytest.fail("every seed gave class 7 to the test part")
    model = tmp_path / f"{seed}"
    (found,) = json.loads(say("evaluate", model, "--data", data, "--json").stdout)[
        "evaluations"
    ].values()
    (rates,) = [row for row in found["per_class"] if row["class"] == 7]
    assert (rates["support"], rates["recall"], rates["f1"]) == (0, None, None)
    assert "class 7: no test pattern" in say("evaluate", model, "--data", data).stdout


@attrs.define(kw_only=True)
class Warm(Ridge):
    """A classifier that can start from what another training learned."""

    NEUTRAL_OPTIONS: ClassVar[tuple[str, ...]] = ("cache",)
    cache: bool = False
    started_: Any = attrs.field(default=None, init=False)

    def start_from(self, folder: Path) -> None:
        self.started_ = np.load(folder / "weights.npy")

    def save(self, folder: Path) -> None:
        super().save(folder)
        if self.started_ is not None:
            np.save(folder / "started.npy", self.started_)


class WarmPlugin:
    @hookimpl
    def speckle_classifiers(self) -> list[Component]:
        return [Component("warm", Warm, "A linear reading that starts from another.")]


@pytest.fixture
def warm() -> Iterator[None]:
    plugin_manager().register(WarmPlugin(), "warm")
    yield
    plugin_manager.cache_clear()


@pytest.mark.usefixtures("warm")
def test_other_settings_go_on_in_a_new_folder_from_what_was_learned(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TINY.replace("radial-lda", "warm"))
    data, first, second = tmp_path / "d", tmp_path / "m", tmp_path / "n"
    assert say("generate", tmp_path / "a.toml", "-o", data).exit_code == 0
    words = ("train", tmp_path / "a.toml", "--data", data)
    assert say(*words, "-o", first).exit_code == 0
    longer = ("--set", "classifier.epochs=5")
    refused = say(*words, "-o", first, *longer)
    assert refused.exit_code == 1
    assert "classifier.epochs" in refused.stderr
    # What changes no number is no other training.
    assert say(*words, "-o", first, "--set", "classifier.cache=true").exit_code == 0
    assert say(*words, "-o", second, *longer, "--from", first).exit_code == 0
    started = np.load(second / "classifier/started.npy")
    assert np.array_equal(started, np.load(first / "classifier/weights.npy"))
    recorded = json.loads((second / "training.json").read_text())["from"]
    assert recorded["model"] == "m"
    assert len(recorded["sha256"]) == 64
