from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from speckle_core import Experiment, ExperimentError


def load(source: str, *settings: str) -> tuple[Experiment, list[str]]:
    notes: list[str] = []
    return Experiment.load(source, settings, on_note=notes.append), notes


def test_a_preset_with_fewer_patterns_scales_a_split_in_whole_numbers_and_says_so() -> None:
    found, (note,) = load("paper-mono-257", "structure.patterns_per_count=100")
    assert attrs.asdict(found.split) == {
        "train": 1520,
        "valid": 190,
        "test": 190,
        "test_per_class": 10,
        "stratify": None,
    }
    assert "1900 patterns" in note
    assert "train 15200 → 1520" in note


def test_a_preset_with_fewer_classes_keeps_its_test_patterns_per_class() -> None:
    found, _ = load("paper-mono-257", "structure.counts=[2, 5]")
    assert (found.split.test_per_class, found.split.test) == (100, 400)
    assert found.split.sizes(4000, 4) == {"train": 3200, "valid": 400, "test": 400}


def test_a_split_that_was_typed_is_never_changed() -> None:
    with pytest.raises(ExperimentError, match="split"):
        load("paper-mono-257", "structure.patterns_per_count=100", "split.train=15200")


def test_the_hint_about_fractions_leads_to_an_experiment_that_loads() -> None:
    fractions = ("split.train=0.8", "split.valid=0.1", "split.test=0.1")
    found, (note,) = load("paper-mono-257", "structure.patterns_per_count=100", *fractions)
    assert found.split.test_per_class == 10
    assert "test_per_class 100 → 10" in note


def test_a_split_that_still_fits_is_left_alone() -> None:
    found, notes = load("paper-mono-257", "structure.patterns_per_count=2000")
    assert (found.split.train, notes) == (15200, [])


def test_a_test_set_that_leaves_nothing_to_train_on_is_named_as_the_fault() -> None:
    whole = "split={train = 0.8, valid = 0.1, test = 0.1, test_per_class = 200}"
    with pytest.raises(ExperimentError, match="leaves none to train on"):
        load("quickstart", whole)


def test_another_component_drops_the_options_of_the_one_in_the_file() -> None:
    found, (note,) = load("paper-mono-257", "classifier.name=radial-lda")
    assert found.classifier.name == "radial-lda"
    assert found.classifier.options == {}
    assert note.startswith("classifier is now radial-lda")
    assert "epochs" in note


def test_options_that_were_typed_stay_with_the_new_component() -> None:
    for order in (1, -1):
        typed = ["classifier.name=keras-resnet50", "classifier.epochs=3"][::order]
        found, notes = load("paper-mono-257", *typed)
        assert found.classifier.options == {"epochs": 3}
        assert len(notes) == 1


def test_a_default_component_that_is_replaced_needs_no_note() -> None:
    found, notes = load("paper-mono-257", "scattering.scatterer.name=fft")
    assert (found.scattering.scatterer.name, notes) == ("fft", [])


def test_the_same_component_keeps_its_options() -> None:
    found, notes = load("paper-mono-257", "classifier.name=torch-resnet50")
    assert found.classifier.options
    assert not notes


FRESH = """
name = "e"
[structure]
counts = [2, 4]
patterns_per_count = {each}
fresh = true
[split]
train = 100
valid = 12
test = 9
"""


def test_stored_patterns_that_fresh_training_has_no_use_for_are_told(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text(FRESH.format(each=40))
    _, (note,) = load(str(file))
    assert note.startswith("99 of the 120 stored patterns are in no part of the split")
    enough = re.search(r"structure\.patterns_per_count=(\d+)", note)
    assert enough is not None
    found, notes = load(str(file), enough[0])
    assert notes == []
    assert sum(len(part) for part in found.parts(found.labels()).values()) == 12 + 9
    # One fewer of each class does not do.
    with pytest.raises(ExperimentError, match="cannot be taken"):
        load(str(file), f"structure.patterns_per_count={int(enough[1]) - 1}")[0].sizes()
