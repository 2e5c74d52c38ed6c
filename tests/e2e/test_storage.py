"""How patterns are stored changes no bit of what is read, by any command and from any file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import DataError, Dataset, Experiment, ExperimentError, OptionError, OutputError
from speckle_core.data.frame_options import FrameOptions
from speckle_core.data.generate import generate
from speckle_core.data.measured import Measured
from speckle_core.data.verify import verify
from speckle_core.plugins.manager import plugin_manager

SETTINGS = [
    "structure.counts=[2, 3]",
    "structure.patterns_per_count=6",
    "grid.size=33",
    "split={train = 0.5, valid = 0.2, test = 0.3}",
]
MASKED = "detector={name = 'counting', gaps = 'cross'}"
SHARD = "shards/00000.h5"


def _experiment(store: str, *settings: str, preset: str = "paper-poly-257") -> Experiment:
    return Experiment.load(preset, [*SETTINGS, *settings, f"storage.store={store}"])


def _patterns(folder: Path) -> tuple[np.ndarray, np.ndarray | None]:
    with Dataset.open(folder) as dataset:
        patterns, every = dataset.patterns(), np.random.default_rng(0).permutation(12)
        return patterns.raw(every), patterns.measured(every)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sets")
    for store in ("whole", "half", "recipe"):
        generate(_experiment(store), home / store, workers=1)
    return home


@pytest.mark.parametrize("store", ["half", "recipe"])
def test_patterns_read_the_same_and_are_repaired_to_the_same_bytes(store: str, sets: Path) -> None:
    assert _patterns(sets / store)[0].tobytes() == _patterns(sets / "whole")[0].tobytes()
    shard = sets / store / SHARD
    before = hashlib.sha256(shard.read_bytes()).digest()
    shard.write_bytes(b"lost")
    assert verify(sets / store, repair=True).repaired == (SHARD,)
    assert hashlib.sha256(shard.read_bytes()).digest() == before
    assert verify(sets / store).ok


def test_half_a_pattern_is_what_is_stored_and_frames_of_the_file_are_whole(sets: Path) -> None:
    whole = Dataset.open(sets / "whole").patterns().raw(np.arange(12))
    for name in ("patterns.h5", SHARD):
        with h5py.File(sets / "half" / name) as file:
            home = file["entry_1/data_1"]
            np.testing.assert_array_equal(home["data"], whole[:, 16:])
            assert home["y"][0] == 0
            assert len(home["y"]) == 17
        measured = Measured(sets / "half" / name, FrameOptions())
        frame = measured.frame(3)
        np.testing.assert_array_equal(frame.counts, whole[3])
        assert measured.center(frame) == (16, 16)


def test_a_recipe_holds_particles_only_and_says_so(sets: Path) -> None:
    with h5py.File(sets / "recipe" / SHARD) as file:
        assert "data" not in file["entry_1/data_1"]
        assert file["entry_1/particles/Disks/centers"].shape == (30, 2)
    with pytest.raises(DataError, match=r"contains particles and no patterns.*\n.*folder"):
        Measured(sets / "recipe" / "patterns.h5", FrameOptions())


def test_a_recipe_takes_a_fivehundredth_of_the_patterns(tmp_path: Path) -> None:
    settings = ["structure.counts=[10, 12]", "structure.patterns_per_count=86", "grid.size=9"]
    generate(_experiment("recipe", *settings), tmp_path / "set", workers=1)
    assert (tmp_path / "set" / SHARD).stat().st_size / 256 < 4 * 257**2 / 500


def test_patterns_computed_otherwise_than_when_the_set_was_made_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(_experiment("recipe"), tmp_path / "set", workers=1)
    kind = plugin_manager().factory("scatterer", "analytic")
    once = kind.intensities
    monkeypatch.setattr(
        kind, "intensities", lambda *given: np.nextafter(once(*given), np.float32(9e9))
    )
    with pytest.raises(DataError, match=r"pattern 5 .* computed with other bytes"):
        Dataset.open(tmp_path / "set").patterns().raw([5])


def test_a_recipe_keeps_the_noise_and_the_mask_of_its_detector(tmp_path: Path) -> None:
    for store in ("whole", "recipe"):
        generate(_experiment(store, MASKED), tmp_path / store, workers=1)
    (whole, mask), (again, same) = (_patterns(tmp_path / store) for store in ("whole", "recipe"))
    assert whole.tobytes() == again.tobytes()
    assert mask is not None
    assert not mask.all()
    np.testing.assert_array_equal(mask, same)


@pytest.mark.parametrize("setting", [MASKED, "detector={name = 'counting'}"])
def test_half_is_refused_where_it_would_lose_something(setting: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"storage\.store: half of these patterns"):
        generate(_experiment("half", setting), tmp_path / "set")
    assert not (tmp_path / "set").exists()
    with pytest.raises(ExperimentError, match="a quadrant has no half"):
        _experiment("half", "grid.layout=quadrant")


def test_a_set_is_not_resumed_with_another_kind_of_storage(sets: Path) -> None:
    with pytest.raises(OutputError, match="they differ in store"):
        generate(_experiment("half"), sets / "whole")
