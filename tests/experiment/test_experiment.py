from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from speckle_core import Experiment, ExperimentError, SpeckleError
from speckle_core.experiment.presets import presets

TEXT = """
name = "small"
seed = 7
baselines = ["radial-lda"]
[structure]
counts = [2, 5]
patterns_per_count = 10
[grid]
size = 33
[[prepare]]
name = "block-center"
size = 5
[classifier]
name = "radial-lda"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return path


def test_an_experiment_survives_its_own_toml(file: Path, tmp_path: Path) -> None:
    experiment = Experiment.load(file)
    again = tmp_path / "again.toml"
    again.write_text(experiment.to_toml())
    assert Experiment.load(again) == experiment


def test_a_resolved_experiment_says_every_default_and_survives_its_toml(
    file: Path, tmp_path: Path
) -> None:
    resolved = Experiment.load(file).resolved()
    assert resolved.grid.step == pytest.approx(math.pi / 2000)
    assert resolved.structure.sampler.options["gap"] == 2.0
    assert resolved.structure.sampler.options["radius"] == "none"
    again = tmp_path / "again.toml"
    again.write_text(resolved.to_toml())
    assert Experiment.load(again) == resolved
    assert Experiment.load(again).resolved() == resolved


def test_two_counts_are_a_range_and_more_are_a_list(file: Path) -> None:
    assert Experiment.load(file).counts == (2, 3, 4, 5)
    assert Experiment.load(file, ["structure.counts=[9, 2, 4]"]).counts == (2, 4, 9)
    settings = ["structure.counts=[2, 20]", "structure.count_step=6"]
    assert Experiment.load(file, settings).counts == (2, 8, 14, 20)


def test_labels_run_class_by_class(file: Path) -> None:
    labels = Experiment.load(file, ["structure.patterns_per_count=3"]).labels()
    assert labels.tolist() == [2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]


@pytest.mark.parametrize(
    ("setting", "where", "text"),
    [
        ("sede=3", "sede", "Did you mean 'seed'?"),
        ("structure.conts=[2, 3]", "structure.conts", "Did you mean 'counts'?"),
        ("seed=true", "seed", "True is not a whole number"),
        ("seed=3.7", "seed", "3.7 is not a whole number"),
        ("seed=nan", "seed", "nan is not a whole number"),
        ("seed=-1", "seed", "must be between 0"),
        ("grid.size=true", "grid.size", "True is not a whole number"),
        ("grid.step=inf", "grid.step", "inf is not a number"),
        ("grid.layout=centred", "grid.layout", "Did you mean 'centered'?"),
        ("structure.counts=5", "structure.counts", "is not a list"),
        ("structure.counts=[2, 2, 2]", "structure.counts", "at least two different"),
        ("structure.counts=[0, 3]", "structure.counts", "at least 1"),
        ("structure.patterns_per_count=0", "structure.patterns_per_count", "at least 1"),
        ("prepare=[3]", "prepare", "3 is not a component"),
        ("split.train=1.5", "split", "may not sum to more than 1"),
        ("split.train=3", "split", "three whole numbers or three fractions"),
        ("name=a/b", "name", "is not a valid folder name"),
        ("seed.x=3", "seed.x", "does not exist"),
        ("seed", "--set", "is not key=value"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    setting: str, where: str, text: str, file: Path
) -> None:
    with pytest.raises(ExperimentError) as caught:
        Experiment.load(file, [setting])
    assert where in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "where", "text"),
    [
        ("structure.sampler.radus=3", "structure.sampler.radus", "Did you mean 'radius'?"),
        ("prepare.0.size=big", "prepare.0.size", "'big' is not a whole number"),
        ("classifier.name=radial-ldb", "", "Did you mean 'radial-lda'"),
        ("grid.size=32", "grid", "needs an odd size"),
    ],
)
def test_wrong_options_of_components_are_refused_before_anything_runs(
    setting: str, where: str, text: str, file: Path
) -> None:
    with pytest.raises(SpeckleError) as caught:
        Experiment.load(file, [setting]).resolved()
    assert where in str(caught.value)
    assert text in str(caught.value)


def test_a_toml_fault_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("name = \n")
    with pytest.raises(ExperimentError, match=r"bad\.toml.*line 1"):
        Experiment.load(path)


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(ExperimentError, match="Did you mean 'paper-mono-257'"):
        Experiment.load("paper-mon-257")


def test_a_setting_reaches_into_a_component_written_as_a_bare_name(file: Path) -> None:
    experiment = Experiment.load(file, ["baselines.0.shrinkage=0.5"])
    assert experiment.baselines[0].options == {"shrinkage": 0.5}


@pytest.mark.parametrize("begun", ["fixed-radius", "paper-mono", "authors-mono"])
def test_of_two_presets_as_near_the_one_of_257_pixels_is_suggested(begun: str) -> None:
    with pytest.raises(ExperimentError, match=f"Did you mean '{begun}-257'"):
        Experiment.load(begun)


@pytest.mark.parametrize("name", presets())
def test_every_preset_resolves_and_is_named_as_its_file(name: str) -> None:
    experiment = Experiment.load(name)
    assert experiment.name == name
    assert experiment.description
    assert experiment.resolved()


def test_the_data_recipe_ignores_what_does_not_decide_the_data(file: Path) -> None:
    plain = Experiment.load(file).data_recipe()
    same = Experiment.load(file, ["prepare.0.size=7", "split.train=0.5", "name=other"])
    other = Experiment.load(file, ["structure.sampler.gap=3"])
    spelled_out = Experiment.load(file, ["structure.sampler.gap=2", "grid.layout=centered"])
    assert same.data_recipe() == plain
    assert spelled_out.data_recipe() == plain
    assert other.data_recipe() != plain


def test_the_paper_s_split_has_its_published_numbers() -> None:
    experiment = Experiment.load("paper-mono-257")
    labels = experiment.labels()
    parts = experiment.split.indices(labels, experiment.seed)
    assert {k: len(v) for k, v in parts.items()} == {"train": 15200, "valid": 1900, "test": 1900}
    assert np.bincount(labels[parts["test"]])[2:].tolist() == [100] * 19
    together = np.concatenate(list(parts.values()))
    assert np.array_equal(np.sort(together), np.arange(19000))


def test_the_split_depends_on_the_seed_alone() -> None:
    experiment = Experiment.load("paper-mono-257")
    labels = experiment.labels()
    one, same, other = (experiment.split.indices(labels, s)["test"] for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_random_split_by_fractions_covers_everything_once(file: Path) -> None:
    settings = ["split.train=0.7", "split.valid=0.2", "split.test=0.1"]
    experiment = Experiment.load(file, settings)
    parts = experiment.split.indices(experiment.labels(), 0)
    assert [len(parts[p]) for p in ("train", "valid", "test")] == [28, 8, 4]
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(40))


def test_presets_are_plain_toml() -> None:
    for text in presets().values():
        assert tomllib.loads(text)
