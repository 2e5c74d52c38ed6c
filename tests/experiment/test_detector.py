"""A detector records the patterns of a data set, and nothing else changes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from speckle_core import (
    Dataset,
    Experiment,
    KGrid,
    OptionError,
    PatternError,
    Pipeline,
    PluginError,
)
from speckle_core.analysis.regrid import to_grid
from speckle_core.audit.inventory import Inventory
from speckle_core.data.generate import generate
from speckle_core.data.verify import verify
from speckle_core.experiment.experiment import recipe_of

GRID = KGrid.centered(33, np.pi / 2000)
COUNTING = {"name": "counting", "photons": 1e4, "gaps": "modules", "gap_share": 0.1, "jitter": 1.0}


def experiment(detector: object = None, **changes: Any) -> Experiment:
    data = {
        "name": "recorded",
        "seed": 3,
        "structure": {"counts": [2, 3], "patterns_per_count": 6},
        "grid": {"size": GRID.size},
        "split": {"train": 0.5, "valid": 0.25, "test": 0.25},
        "classifier": "radial-lda",
    }
    return Experiment.from_dict(data | ({"detector": detector} if detector else {}) | changes)


def made(tmp_path: Path, detector: object, **options: Any) -> Dataset:
    generate(experiment(detector), tmp_path / "set", **options)
    return Dataset.open(tmp_path / "set")


def hashes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "shards").iterdir())}


def test_without_a_detector_nothing_of_it_is_in_recipe_or_file(tmp_path: Path) -> None:
    plain = experiment()
    assert list(recipe_of(plain.resolved())) == ["seed", "structure", "grid", "scattering"]
    assert "detector" not in plain.resolved().to_dict()
    assert "detector" not in plain.to_toml()
    generate(plain, tmp_path / "set")
    with h5py.File(tmp_path / "set" / "shards" / "00000.h5") as file:
        assert "mask" not in file["entry_1/data_1"]
        assert file["entry_1/data_1/data"].attrs["long_name"] == "intensity"


def test_a_detector_is_part_of_the_recipe_with_its_defaults() -> None:
    recipe = recipe_of(experiment({"name": "counting", "dark": 2.0}).resolved())
    assert recipe["detector"]["dark"] == 2.0
    assert recipe["detector"]["photons"] == 1e5
    assert experiment("ideal").departures(experiment()) == ["detector ({name = 'ideal'}, not none)"]


def test_its_noise_does_not_change_what_is_drawn(tmp_path: Path) -> None:
    plain, ideal, noisy = (experiment(d).build(only=_MAKING) for d in (None, "ideal", COUNTING))
    bodies = [p.draw(3, 1, 3).particles[0].centers for p in (plain, ideal, noisy)]
    assert np.array_equal(bodies[0], bodies[1])
    assert np.array_equal(bodies[0], bodies[2])
    sets = [p.pattern_set([2, 3], 6, seed=3).raw(np.arange(12)) for p in (plain, ideal, noisy)]
    assert np.array_equal(sets[0], sets[1])
    assert not np.array_equal(sets[0], sets[2])


_MAKING = ("structure", "scattering", "detector")


def test_the_set_on_disk_is_the_set_in_memory_and_masked_pixels_are_completed(
    tmp_path: Path,
) -> None:
    found = made(tmp_path, COUNTING)
    in_memory = found.experiment.build(only=_MAKING).pattern_set([2, 3], 6, seed=3)
    order = np.array([7, 0, 11, 7])
    patterns = found.patterns().raw(order)
    assert np.array_equal(patterns, in_memory.raw(order))
    for file in ("patterns.h5", "shards/00000.h5"):
        with h5py.File(tmp_path / "set" / file) as opened:
            counts = opened["entry_1/data_1/data"][7]
            valid = opened["entry_1/data_1/mask"][7] == 0
        assert 0.05 < np.mean(~valid) < 0.2
        assert not counts[~valid].any()
        # As of a frame with that mask, centre and step.
        frame = np.where(valid, counts, -1)
        whole = to_grid(frame, valid, (16.0, 16.0), GRID.step, GRID).pattern
        assert np.array_equal(patterns[0], whole.astype(np.float32))
    assert np.array_equal(patterns[0][valid], counts[valid])
    mirrored = ~valid & valid[::-1, ::-1]
    assert np.array_equal(patterns[0][mirrored], counts[::-1, ::-1][mirrored])


def test_the_bytes_do_not_depend_on_workers_and_are_repaired(tmp_path: Path) -> None:
    wanted = experiment(COUNTING, structure={"counts": [2, 3], "patterns_per_count": 150})
    generate(wanted, tmp_path / "one", workers=1)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        generate(wanted, tmp_path / "two", executor=pool)
    assert len(hashes(tmp_path / "one")) == 2
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    (tmp_path / "two" / "shards" / "00001.h5").write_bytes(b"lost")
    assert verify(tmp_path / "two", repair=True).ok
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_the_audit_makes_the_recorded_patterns_again(tmp_path: Path) -> None:
    with made(tmp_path, COUNTING) as dataset:
        assert len(Inventory.of(dataset).labels) == 12


def test_a_mask_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    found = made(tmp_path, COUNTING)
    path = tmp_path / "set" / "shards" / "00000.h5"
    with h5py.File(path, "r+") as file:
        del file["entry_1/data_1/mask"]
        file["entry_1/data_1/mask"] = np.zeros((2, 2))
    from speckle_core import DataError

    with pytest.raises(DataError, match="not a uint8 mask"):
        found.patterns().raw([0])


def test_a_detector_that_sees_too_little_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(PatternError, match="detector Counting: no pixel is valid"):
        made(tmp_path, {"name": "counting", "beamstop": 100.0})
    assert not (tmp_path / "set" / "shards" / "00000.h5").exists()


class Broken:
    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    def record(self, intensity: Any, grid: KGrid, rng: np.random.Generator) -> Any:
        return self.answer


_ALL = np.ones(GRID.shape, dtype=bool)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((np.zeros((2, 2)), _ALL), "counts of shape"),
        ((np.zeros(GRID.shape), _ALL[0]), "mask of shape"),
        ((np.zeros(GRID.shape), np.ones(GRID.shape)), "a mask of float64, not bool"),
        ((np.full(GRID.shape, np.nan), _ALL), "NaN or infinity"),
        ((np.full(GRID.shape, 1e300), _ALL), "NaN or infinity"),
    ],
)
def test_what_is_not_a_record_is_a_plugin_error(answer: Any, message: str) -> None:
    pipeline = Pipeline(
        sampler="monodisperse", scatterer="analytic", detector=Broken(*answer), grid=GRID
    )
    with pytest.raises(PluginError, match=message) as error:
        pipeline.pattern_set([2, 3], 1)
    assert error.value.where == "detector Broken"


def test_a_mask_file_is_recorded_with_its_hash_and_must_stay_what_it_was(tmp_path: Path) -> None:
    bad = np.zeros(GRID.shape, np.uint8)
    bad[20:22] = 1
    path = tmp_path / "mask.npy"
    np.save(path, bad)
    found = made(tmp_path, COUNTING | {"gaps": "none", "mask": str(path)})
    recorded = recipe_of(found.experiment)["detector"]
    assert recorded["mask_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    with h5py.File(tmp_path / "set" / "patterns.h5") as file:
        assert np.array_equal(file["entry_1/data_1/mask"][3], bad)
    (tmp_path / "set" / "shards" / "00000.h5").write_bytes(b"lost")
    bad[5] = 1
    np.save(path, bad)
    with pytest.raises(OptionError, match="its SHA-256 differs"):
        verify(tmp_path / "set", repair=True)
    path.unlink()
    with pytest.raises(OptionError, match=r"mask\.npy cannot be read"):
        experiment({"name": "counting", "mask": str(path)}).resolved()


def test_a_setting_takes_the_detector_away() -> None:
    without = Experiment.load("realistic-mono-257", ["detector=none"])
    assert without.detector is None
    assert without.data_recipe() == Experiment.load("paper-mono-257").data_recipe()


def test_of_measured_patterns_no_detector_is_named() -> None:
    measured = experiment(
        COUNTING,
        imported={"labels": [2, 3] * 4, "files": ["a"], "sha256": ["0"], "frames": [8]},
    )
    assert "detector" not in measured.to_dict()
    assert "detector" not in [role for _, role, _ in measured.choices()]


@pytest.mark.parametrize("kind", ["mono", "poly"])
def test_the_realistic_presets_are_the_papers_with_a_detector(kind: str) -> None:
    paper, real = (Experiment.load(f"{p}-{kind}-257").to_dict() for p in ("paper", "realistic"))
    detector = real.pop("detector")
    for data in (paper, real):
        del data["name"], data["description"]
    assert paper == real
    assert (detector["photons"], detector["jitter"], detector["gap_share"]) == (1e5, 1.0, 0.05)
