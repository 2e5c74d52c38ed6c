"""Pixels that do not count, however a file marks them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from speckle_core import DataError, KGrid, open_frames
from tests.e2e.frames.patterns import SIZE, Read, counts, gap, numbers, say

pytestmark = pytest.mark.xdist_group("frames")


def test_a_mask_that_is_the_only_array_is_not_a_pattern(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/detector/pixel_mask"] = gap().astype(np.uint32)
    with pytest.raises(DataError, match="pixel_mask, which are not taken for frames"):
        open_frames(tmp_path / "a.h5")


@pytest.mark.parametrize("value", [2**32 - 1, -1, -2, np.nan])
def test_gaps_are_left_out_whatever_marks_them(
    value: float, read: Read, model: Path, tmp_path: Path
) -> None:
    kind = {True: np.float32, False: np.int64 if value < 0 else np.uint32}[np.isnan(value)]
    frame = counts(8).astype(kind)
    frame[gap()] = value
    path = tmp_path / "a.npy"
    np.save(path, frame.astype(np.int32) if value < 0 else frame)
    assert numbers(read(path)) == [8]
    assert f"{int(gap().sum())} pixels" in say("predict", model, path).stderr
    (moments,) = json.loads(say("moments", path, "--json").stdout)["moments"]
    seen, distance = counts(8)[~gap()], KGrid.centered(SIZE, 1.0).distance()[~gap()]
    assert moments["raw"] == pytest.approx((seen * distance).sum() / seen.sum())


def test_marks_in_counts_that_were_saved_as_floats_are_left_out(
    read: Read, model: Path, tmp_path: Path
) -> None:
    frame = counts(8).astype(np.float64)
    frame[gap()] = -1
    np.save(tmp_path / "a.npy", frame)
    assert numbers(read(tmp_path / "a.npy")) == [8]
    np.save(tmp_path / "a.npy", frame - 0.25)
    assert "left out" not in say("moments", tmp_path / "a.npy").stderr


def test_many_negative_numbers_are_noise_and_stay(tmp_path: Path) -> None:
    noisy = counts(4, 1e4) + np.random.default_rng(0).integers(-20, 20, (SIZE, SIZE))
    np.save(tmp_path / "a.npy", noisy.astype(np.int16))
    assert "left out" not in say("moments", tmp_path / "a.npy").stderr
    said = say("moments", tmp_path / "a.npy", "--invalid", "negative")
    assert "negative: left out" in said.stderr


@pytest.mark.parametrize("garbage", [np.nan, 1e7])
def test_the_mask_beside_the_data_of_a_cxi_file_is_used(
    garbage: float, read: Read, tmp_path: Path
) -> None:
    frame, bits = counts(6).astype(np.float32), np.where(gap(), 0x1, 0x20).astype(np.uint32)
    frame[gap()] = garbage
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/data_1/data"], file["entry_1/data_1/mask"] = frame[None], bits
    assert numbers(read(tmp_path / "a.cxi")) == [6]


def test_a_mask_file_says_what_does_not_count(read: Read, tmp_path: Path) -> None:
    frame = counts(8).astype(np.float64)
    frame[gap()] = 1e5
    np.save(tmp_path / "a.npy", frame)
    np.save(tmp_path / "mask.npy", gap())
    assert numbers(read(tmp_path / "a.npy", "--mask", tmp_path / "mask.npy")) == [8]
    np.save(tmp_path / "mask.npy", np.zeros((3, 3)))
    assert say("moments", tmp_path / "a.npy", "--mask", tmp_path / "mask.npy").exit_code == 1


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("suffix", ["h5", "npz"])
def test_a_mask_of_any_type_beside_the_frames_is_used(
    suffix: str, kind: type, tmp_path: Path
) -> None:
    frame, mask = counts(6), gap().astype(kind) * kind(1 if kind is np.bool_ else 127)
    path = tmp_path / f"a.{suffix}"
    if suffix == "npz":
        np.savez(path, frames=frame, mask=mask)
    else:
        with h5py.File(path, "w") as file:
            file["entry/data"], file["entry/mask"] = frame, mask
    np.testing.assert_array_equal(open_frames(path)[0].valid, ~gap())


@pytest.mark.parametrize(("name", "rows"), [("good", SIZE), ("mask", SIZE - 1)])
def test_what_may_be_a_mask_and_is_not_used_is_said(name: str, rows: int, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"], file[f"entry/{name}"] = counts(6), gap()[:rows]
    frames = open_frames(tmp_path / "a.h5")
    assert frames.dataset == "/entry/data"
    assert f"/entry/{name} ({rows}, {SIZE}) is not used" in frames.notes[0]


def test_a_mask_that_leaves_out_most_of_the_frame_is_said(model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", counts(8))
    np.save(tmp_path / "good.npy", ~gap())
    said = say("predict", model, tmp_path / "a.npy", "--mask", tmp_path / "good.npy")
    assert said.exit_code == 1
    assert "leaves out 93.8% of the pixels: those where it is not 0" in said.stderr
