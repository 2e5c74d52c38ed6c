"""Frames that lie in k otherwise than the training patterns."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from speckle_core import FrameOptions, KGrid
from speckle_core.data.measured import Measured
from tests.e2e.frames.patterns import STEP, Read, counts, ideal, numbers, say

pytestmark = pytest.mark.xdist_group("frames")


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.1])
def test_a_file_s_own_k_step_is_believed(ratio: float, read: Read, tmp_path: Path) -> None:
    size = 2 * int(np.ceil(32 / min(ratio, 1))) + 3
    stack = [ideal(n, size=size, step=ratio * STEP) for n in (4, 6)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        home = file.create_group("entry_1/data_1")
        home.attrs.update({"signal": np.array([b"data"]), "axes": [".", "y", "x"]})
        home["data"] = np.array(stack)
        axis = (np.arange(size) - size // 2) * ratio * STEP
        home["x"], home["y"] = axis, axis[::-1]
        for name in ("x", "y"):
            home[name].attrs["units"] = "1/length"
    found = read(tmp_path / "a.h5")
    assert numbers(found) == [4, 6]
    assert [answer["far_from_training"] for answer in found] == [False, False]
    assert numbers(read(tmp_path / "a.h5", "--step", ratio * STEP)) == [4, 6]


def test_a_step_that_is_too_coarse_is_refused_with_the_numbers(model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ideal(4, step=2 * STEP))
    said = say("predict", model, tmp_path / "a.npy", "--step", 2 * STEP)
    assert said.exit_code == 1
    assert "0.00314159, 2.00 times the model's 0.0015708" in said.stderr


def test_a_step_that_nobody_states_is_not_measured(read: Read, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ideal(4))
    (answer,) = read(tmp_path / "a.npy")
    assert (answer["class"], answer["far_from_training"]) == (4, None)
    assert answer["not_measured"] == ["k step"]
    assert "k step is unknown" in say("predict", model, tmp_path / "a.npy").stderr
    (answer,) = read(tmp_path / "a.npy", "--step", STEP)
    assert (answer["far_from_training"], answer["not_measured"]) == (False, [])


def test_a_narrower_view_is_refused_and_a_wider_one_is_cut(
    read: Read, model: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "narrow.npy", ideal(4)[16:49, 16:49])
    said = say("predict", model, tmp_path / "narrow.npy")
    assert "33 × 33 pixels of unknown k step, the model's grid 65 × 65" in said.stderr
    said = say("predict", model, tmp_path / "narrow.npy", "--step", STEP)
    assert said.exit_code == 1
    assert "it reaches k = 0.0267, the model" in said.stderr
    np.save(tmp_path / "wide.npy", ideal(6, size=97))
    assert numbers(read(tmp_path / "wide.npy", "--step", STEP)) == [6]


@pytest.mark.parametrize("auto", [False, True])
@pytest.mark.parametrize("shape", ["even", "oblong", "off", "half"])
def test_k_0_may_lie_anywhere(
    shape: str, auto: bool, read: Read, model: Path, tmp_path: Path
) -> None:
    wide = ideal(6, size=129)
    frame, center = {
        "even": (wide[32:96, 32:96], (32, 32)),
        "oblong": (wide[16:113, 32:97], (48, 32)),
        "off": (wide[20:100, 10:100], (44, 54)),
        "half": (wide[64:97, 32:97], (0, 32)),
    }[shape]
    np.save(tmp_path / "a.npy", frame)
    assert "no middle pixel" in say("predict", model, tmp_path / "a.npy").stderr
    if auto and shape == "half":
        said = say("predict", model, tmp_path / "a.npy", "--center", "auto")
        assert said.exit_code == 1
        assert "no centre was found" in said.stderr
        return
    told = "auto" if auto else f"{center[0]},{center[1]}"
    (answer,) = read(tmp_path / "a.npy", "--center", told)
    assert answer["class"] == 6
    assert not answer["far_from_training"]
    assert ("centre" in answer["not_measured"]) == (shape == "half")


def test_a_poni_file_gives_centre_and_step(read: Read, tmp_path: Path) -> None:
    wide = ideal(8, size=129)
    np.save(tmp_path / "a.npy", wide[20:100, 10:100])
    pixel, distance, wavelength = 7.5e-5, 5.0, 1e-10
    unit = STEP / (2 * np.pi * pixel / (wavelength * distance))
    poni = [
        "poni_version: 2",
        "Detector: Detector",
        f'Detector_config: {{"pixel1": {pixel}, "pixel2": {pixel}}}',
        f"Distance: {distance}",
        f"Poni1: {44.5 * pixel}",
        f"Poni2: {54.5 * pixel}",
        "Rot1: 0.0",
        "Rot2: 0.0",
        "Rot3: 0.0",
        f"Wavelength: {wavelength}",
    ]
    # As it is; with a byte order mark; of version 2.1 with both axes turned about.
    turned = list(poni)
    turned[2] = turned[2].replace("}", ', "max_shape": [80, 90], "orientation": 1}')
    turned[4:6] = f"Poni1: {(80 - 44.5) * pixel}", f"Poni2: {(90 - 54.5) * pixel}"
    for lines, encoding in ((poni, "utf-8"), (poni, "utf-8-sig"), (turned, "utf-8")):
        (tmp_path / "a.poni").write_text("\n".join(lines), encoding)
        (answer,) = read(tmp_path / "a.npy", "--poni", tmp_path / "a.poni", "--unit", unit)
        assert (answer["class"], answer["far_from_training"]) == (8, False)


@pytest.mark.parametrize("center", ["nan,32", "3,inf"])
def test_a_centre_that_is_no_place_is_refused(center: str, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ideal(4))
    said = say("predict", model, tmp_path / "a.npy", "--center", center)
    assert (said.exit_code, "must be finite" in said.stderr) == (2, True)


def test_binned_and_cropped_frames_are_read(read: Read, tmp_path: Path) -> None:
    fine = np.kron(counts(6), np.ones((2, 2))) / 4
    np.save(tmp_path / "a.npy", np.pad(fine, ((3, 5), (7, 1)), constant_values=9))
    options = ("--crop", "3:133,7:137", "--rebin", 2)
    (answer,) = read(tmp_path / "a.npy", *options, "--step", STEP / 2)
    assert (answer["class"], answer["far_from_training"]) == (6, False)


def test_few_photons_and_a_wrong_centre_are_far_and_many_photons_are_not(
    read: Read, tmp_path: Path
) -> None:
    stacks = {
        "many": [counts(n, 1e5) for n in (4, 6, 8)],
        "few": [counts(n, 3e3) for n in (4, 6, 8)],
        "off": [np.roll(ideal(n), 3, axis=1) for n in (4, 6, 8)],
    }
    far = {}
    for name, stack in stacks.items():
        np.save(tmp_path / f"{name}.npy", np.array(stack))
        found = read(tmp_path / f"{name}.npy", "--step", STEP)
        far[name] = [answer["far_from_training"] for answer in found]
    assert far == {"many": [False] * 3, "few": [True] * 3, "off": [True] * 3}


@pytest.mark.parametrize("center", ["auto", (1019.5, 1031.5)])
def test_a_frame_of_four_megapixels_takes_less_than_six_times_its_memory(
    center: Any, tmp_path: Path
) -> None:
    fine = np.kron(counts(6, 1e6, size=257), np.ones((8, 8), dtype=np.uint32)).astype(np.uint32)
    frame = np.full((2048, 2048), 2**32 - 1, dtype=np.uint32)
    # The middle of the fine pattern is at (1027.5, 1027.5), moved by (-8, 4).
    frame[:2040, 4:] = fine[8:2048, :2044]
    np.save(tmp_path / "a.npy", frame)
    measured = Measured(tmp_path / "a.npy", FrameOptions(center=center, step=STEP / 8))
    grid = KGrid.centered(129, STEP)
    measured.on_grid(0, grid)
    tracemalloc.start()
    found, _ = measured.on_grid(0, grid)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * frame.nbytes
    place = measured.center(measured.frame(0))
    assert np.abs(np.subtract(place, (1019.5, 1031.5))).max() <= 1
    assert found.valid.all()
