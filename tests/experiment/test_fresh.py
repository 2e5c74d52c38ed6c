"""Training patterns that are new in every epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from speckle_core import Dataset, Experiment, ExperimentError, KGrid, PatternSet, Pipeline, create
from speckle_core.experiment.fresh import FreshPatterns

GRID = KGrid.centered(17, np.pi / 2000)
SEED = 5
SPLIT = "split={train = 30, valid = 9, test = 12, test_per_class = 4}"


def pipeline(**changes: object) -> Pipeline:
    parts = {"sampler": "monodisperse", "scatterer": "analytic", "grid": GRID}
    return Pipeline(**(parts | changes))


def fresh(size: int = 8, **changes: object) -> FreshPatterns:
    return FreshPatterns(pipeline(**changes), (2, 3, 4), size, SEED)


def test_a_pattern_depends_on_its_class_number_and_epoch_alone() -> None:
    patterns = fresh().patterns()
    assert patterns.labels.tolist() == [2, 2, 2, 3, 3, 3, 4, 4]
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(3, 1, 6, 2)))
    alone = pipeline().simulate([create("sampler", "monodisperse").sample(3, rng)])[0]
    sixth = patterns.at_epoch(6)
    np.testing.assert_allclose(sixth.raw([4])[0], alone, rtol=1e-5)
    # As the ranks of a training share a batch, in whatever order.
    np.testing.assert_allclose(sixth.raw([7, 4, 0])[1], alone, rtol=1e-5)


def test_no_epoch_has_a_pattern_of_another_or_of_any_set() -> None:
    made, patterns = pipeline(), fresh().patterns()
    epochs = [patterns.at_epoch(number).as_arrays()[0] for number in range(1, 5)]
    stored = made.pattern_set([2, 3, 4], 40, seed=SEED).as_arrays()[0]
    everything = [p.tobytes() for p in np.concatenate([*epochs, stored])]
    assert len(set(everything)) == len(everything) == 4 * 8 + 120


def test_no_two_streams_of_a_seed_are_the_same() -> None:
    """Stored patterns, their noise, fresh ones and theirs; also numbers beyond 32 bits."""
    numbers = [*range(20), 2**32, 2**32 + 1, 2**33 + 2]
    places = [(n, i) for n in (1, 2, 3) for i in numbers]
    stored = [key for place in places for key in (place, (*place, 1))]
    new = [(*place, e, kind) for place in places for e in range(1, 9) for kind in (2, 3)]
    states = [
        {tuple(np.random.SeedSequence(SEED, spawn_key=key).generate_state(4)) for key in keys}
        for keys in (stored, new)
    ]
    assert len(states[1]) == len(new)
    assert not states[0] & states[1]


def test_noise_and_mask_are_those_of_the_epoch() -> None:
    class Detector:
        def record(self, intensity, grid, rng):
            return rng.poisson(1 + 0 * intensity), rng.random(grid.shape) > 0.1

    noisy = fresh(detector=Detector()).patterns()
    first, second = (noisy.at_epoch(number) for number in (1, 2))
    assert not np.array_equal(first.measured([0, 1]), second.measured([0, 1]))
    again = noisy.at_epoch(1)
    np.testing.assert_array_equal(again.measured([1]), first.measured([0, 1])[1:])
    np.testing.assert_array_equal(again.raw([1]), first.raw([0, 1])[1:])


def test_epochs_survive_what_is_done_to_a_set() -> None:
    counted: list[int] = []
    patterns = fresh().patterns().prepared_with([lambda p, _: 2 * p])
    some = patterns.subset([6, 1]).with_progress(counted.append)
    assert some.fresh
    third = some.at_epoch(3)
    assert not third.fresh
    plain = fresh().patterns().at_epoch(3).raw([6, 1])
    np.testing.assert_allclose(third.batch([0, 1])[0], 2 * plain, rtol=1e-5)
    assert (third.labels.tolist(), counted) == ([4, 2], [2])
    assert not some.cached().fresh
    fixed = PatternSet.from_arrays(np.ones((2, 17, 17)), [2, 3], GRID)
    assert fixed.at_epoch(7) is fixed


def test_only_validation_and_test_patterns_are_stored_and_the_set_says_nothing_else() -> None:
    notes: list[str] = []
    whole = ["structure.counts=[2, 4]", "structure.patterns_per_count=17", SPLIT]
    new = Experiment.load("quickstart", [*whole, "structure.fresh=true"], on_note=notes.append)
    assert "patterns_per_count 17 → 7" in notes[-1]
    assert new.sizes() == {"train": 30, "valid": 9, "test": 12}
    parts = new.parts(new.labels())
    assert {part: len(found) for part, found in parts.items()} == {
        "train": 0,
        "valid": 9,
        "test": 12,
    }
    assert not set(parts["valid"]) & set(parts["test"])
    assert np.unique(new.labels()[parts["test"]], return_counts=True)[1].tolist() == [4, 4, 4]
    # The stored patterns are those of any set of this recipe.
    assert new.data_recipe()["structure"].keys() == {
        "counts",
        "count_step",
        "patterns_per_count",
        "sampler",
    }
    assert new.resolved().to_dict()["structure"]["fresh"] is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["split={train = 0.8, valid = 0.1, test = 0.1}"], "whole numbers"),
        (["split={train = 30, valid = 9, test = 13}"], "patterns_per_count=8"),
        (["split={train = 0, valid = 9, test = 12}"], "train 0"),
    ],
)
def test_a_split_that_cannot_be_is_refused(tmp_path: Path, changes: list[str], said: str) -> None:
    path = tmp_path / "e.toml"
    path.write_text(
        'name = "e"\n[structure]\ncounts = [2, 4]\npatterns_per_count = 7\nfresh = true\n'
        "[split]\ntrain = 30\nvalid = 9\ntest = 12\n"
    )
    with pytest.raises(ExperimentError, match="split") as caught:
        Experiment.load(path, changes)
    assert said in str(caught.value) + str(caught.value.hint)


def test_a_run_stores_no_training_pattern_and_says_what_it_was_trained_on(
    tiny: Path, tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = tmp_path / "run"
    planned = invoke("run", tiny, "-o", folder, "--set", "structure.fresh=true", "--dry-run")
    assert "simulate fresh patterns" in planned.output
    done = invoke("run", tiny, "-o", folder, "--set", "structure.fresh=true", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert "one epoch; it asks for no more" in done.output
    assert len(Dataset.open(folder / "data")) == 24
    assert "fresh = true" in (folder / "model" / "model.toml").read_text()
    assert "simulated anew every time" in (folder / "report.html").read_text()
    refused = invoke("evaluate", folder, "--data", folder, "--split", "train")
    assert (refused.exit_code, "not stored" in refused.output) == (1, True)
