"""Frames as detectors and programs write them, each met with the right number or the right words.

A rule is trained once on patterns of 65 pixels; frames are of other systems than it was trained on.
Whatever a file has beyond the counts is written here as the reports that it was made after have it.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from speckle_core import DataError, Experiment, KGrid, PatternSet, create, open_frames
from speckle_core.cli.app import app
from speckle_core.data.generate import generate
from speckle_core.experiment.split import Split
from speckle_core.models.train import train

STEP = np.pi / 2000
SIZE = 65
FAR = 1e6
pytestmark = pytest.mark.xdist_group("frames")


def say(*args: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="speckle")


def ideal(n: int, seed: int = 1, *, size: int = SIZE, step: float = STEP) -> NDArray[np.float64]:
    """Return the pattern of n disks that no training has seen."""
    system = create("sampler", "monodisperse").sample(n, np.random.default_rng([n, seed, 99]))
    found = create("scatterer", "analytic").intensity(system, KGrid.centered(size, step))
    return np.asarray(found, dtype=np.float64)


def counts(n: int, photons: float = FAR, seed: int = 1, **about: Any) -> NDArray[np.int64]:
    """Return photon counts, so many outside of the beamstop."""
    pattern = ideal(n, seed, **about)
    middle = len(pattern) // 2
    open_ = np.ones(pattern.shape, dtype=bool)
    open_[middle - 5 : middle + 6, middle - 5 : middle + 6] = False
    drawn = np.random.default_rng(n).poisson(pattern * photons / pattern[open_].sum())
    return np.asarray(drawn, dtype=np.int64)


def gap() -> NDArray[np.bool_]:
    bad = np.zeros((SIZE, SIZE), dtype=bool)
    bad[42:46] = True
    return bad


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rule on rings, trained in a second or two."""
    home = tmp_path_factory.mktemp("frames")
    experiment = Experiment.from_dict(
        {
            "name": "rings",
            "structure": {"counts": [2, 8], "count_step": 2, "patterns_per_count": 60},
            "grid": {"size": SIZE},
            "prepare": [{"name": "block-center", "size": 11}, {"name": "standardize"}],
            "split": {"train": 0.8, "valid": 0.1, "test": 0.1},
            "classifier": "radial-lda",
        }
    )
    train(experiment, generate(experiment, home / "data", workers=1), home / "model")
    return home / "model"


Read = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def read(model: Path) -> Read:
    """Predict; return the answers."""

    def answers(*args: object, code: int = 0) -> list[dict[str, Any]]:
        result = say("predict", model, *args, "--json")
        assert result.exit_code == code, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)["predictions"]
        return found

    return answers


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [answer["class"] for answer in found]


def test_an_eiger_master_is_read_through_its_links_with_its_mask(
    read: Read, model: Path, tmp_path: Path
) -> None:
    for number, n in enumerate((4, 8), start=1):
        with h5py.File(tmp_path / f"run_data_{number:06d}.h5", "w") as file:
            file["entry/data/data"] = counts(n)[None].astype(np.uint32)
    with h5py.File(tmp_path / "run_master.h5", "w") as file:
        for number in (1, 2, 3):
            name = f"run_data_{number:06d}.h5"
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(name, "entry/data/data")
        detector = file.create_group("entry/instrument/detector")
        detector["beam_center_x"] = detector["beam_center_y"] = 32.0
        detector["detectorSpecific/pixel_mask"] = gap().astype(np.uint32)
        detector["detectorSpecific/flatfield"] = np.ones((SIZE, SIZE), np.float32)
    assert numbers(read(tmp_path / "run_master.h5")) == [4, 8]
    said = say("predict", model, tmp_path / "run_master.h5").stderr
    assert "data_000003 is left out" in said
    assert "run_data_000003.h5: file not found" in said
    assert "pixel_mask" in said
    frames = open_frames(tmp_path / "run_master.h5")
    assert frames.geometry.center == (32, 32)
    np.testing.assert_array_equal(frames[0].valid, ~gap())


def test_a_mask_that_is_the_only_array_is_not_a_pattern(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/detector/pixel_mask"] = gap().astype(np.uint32)
    with pytest.raises(DataError, match="pixel_mask, which are not taken for frames"):
        open_frames(tmp_path / "a.h5")


def test_compressed_frames_are_read_or_the_filter_and_its_package_are_named(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        frame = counts(6)[None].astype(np.uint16)
        made = {"chunks": (1, SIZE, SIZE), **hdf5plugin.Bitshuffle()}
        file.create_dataset("entry/instrument/detector/data", data=frame, **made)
    assert numbers(read(tmp_path / "a.nxs")) == [6]
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: number != 32008)
    monkeypatch.setitem(sys.modules, "hdf5plugin", types.ModuleType("hdf5plugin"))
    with pytest.raises(DataError, match=r"(?s)filter 32008 \(bitshuffle\).*pip install.*hdf5plug"):
        open_frames(tmp_path / "a.nxs")


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
        return  # nothing of the frame has its counterpart on it
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
    (tmp_path / "a.poni").write_text("\n".join(poni))
    (answer,) = read(tmp_path / "a.npy", "--poni", tmp_path / "a.poni", "--unit", unit)
    assert (answer["class"], answer["far_from_training"]) == (8, False)


def test_binned_and_cropped_frames_are_read(read: Read, tmp_path: Path) -> None:
    fine = np.kron(counts(6), np.ones((2, 2))) / 4
    np.save(tmp_path / "a.npy", np.pad(fine, ((3, 5), (7, 1)), constant_values=9))
    options = ("--crop", "3:133,7:137", "--rebin", 2)
    (answer,) = read(tmp_path / "a.npy", *options, "--step", STEP / 2)
    assert (answer["class"], answer["far_from_training"]) == (6, False)


def test_a_part_of_a_virtual_dataset_that_is_missing_is_named(model: Path, tmp_path: Path) -> None:
    layout = h5py.VirtualLayout((2, SIZE, SIZE), np.uint16)
    for number in range(2):
        layout[number] = h5py.VirtualSource(f"part{number}.h5", "data", (SIZE, SIZE))
    with h5py.File(tmp_path / "part0.h5", "w") as file:
        file["data"] = counts(4).astype(np.uint16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)
    said = say("predict", model, tmp_path / "a.h5")
    assert said.exit_code == 1
    assert "part1.h5: file not found" in said.stderr


def test_a_file_that_is_being_written_is_called_so(model: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_dataset("data", data=counts(4)[None], chunks=(1, SIZE, SIZE))
        file.swmr_mode = True
        shutil.copy(tmp_path / "a.h5", tmp_path / "copy.h5")
    said = say("predict", model, tmp_path / "copy.h5").stderr
    assert "copy.h5: is being written" in said
    assert "h5clear -s" in said
    assert "damaged" not in said


def test_matlab_cells_and_fields_of_structs_are_read(read: Read, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        made = [file.create_dataset(f"#refs#/{n}", data=counts(n).T) for n in (4, 6)]
        cell = file.create_dataset("patterns", (2, 1), dtype=h5py.ref_dtype)
        cell[0, 0], cell[1, 0] = (m.ref for m in made)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file["scan/intensity"], file["scan/n"] = counts(8).T, np.array([[8.0]])
    assert numbers(read(tmp_path / "a.mat", tmp_path / "b.mat")) == [4, 6, 8]
    assert numbers(read(tmp_path / "b.mat", "--dataset", "scan.intensity")) == [8]


def test_one_bad_frame_or_file_takes_no_other_answer(
    read: Read, model: Path, tmp_path: Path
) -> None:
    stack = np.array([counts(n) for n in (2, 4, 6)], np.uint16)
    stack[1] = 0
    with h5py.File(tmp_path / "shutter.h5", "w") as file:
        file["entry/data/data"] = stack
    np.save(tmp_path / "good µ.npy", stack[0])
    (tmp_path / "cut.npy").write_bytes((tmp_path / "good µ.npy").read_bytes()[:2000])
    files = [tmp_path / name for name in ("shutter.h5", "cut.npy", "good µ.npy")]
    assert numbers(read(*files, code=1)) == [2, 6, 2]
    said = say("predict", model, *files).stderr
    assert "shutter.h5: pattern 1: has no variance" in said
    assert said.count("error: ") == 2


def test_edf_npz_and_packed_npy_are_read_and_raw_is_told(
    read: Read, model: Path, tmp_path: Path
) -> None:
    frame = counts(6).astype(np.uint16)
    head = "{\nHeaderID = EH:000001:000000:000000 ;\nByteOrder = LowByteFirst ;\n"
    head += f"DataType = UnsignedShort ;\nDim_1 = {SIZE} ;\nDim_2 = {SIZE} ;\n"
    head += f"Size = {frame.nbytes} ;\nCenter_1 = 32.5 ;\nCenter_2 = 32.5 ;\n"
    (tmp_path / "a.edf").write_bytes((head.ljust(1022) + "}\n").encode() + frame.tobytes())
    np.savez_compressed(tmp_path / "a.npz", data=frame[None], labels=np.array([6]))
    np.save(tmp_path / "A.npy", frame)
    (tmp_path / "a.npy.gz").write_bytes(gzip.compress((tmp_path / "A.npy").read_bytes()))
    (tmp_path / "A.npy").rename(tmp_path / "A.NPY")
    files = [tmp_path / name for name in ("a.edf", "a.npz", "a.npy.gz", "A.NPY")]
    assert numbers(read(*files)) == [6] * 4
    assert open_frames(tmp_path / "a.edf").geometry.center == (32, 32)
    (tmp_path / "a.raw").write_bytes(frame.tobytes())
    assert "Convert other files" in say("predict", model, tmp_path / "a.raw").stderr


def test_imagej_stacks_are_whole(read: Read, tmp_path: Path) -> None:
    stack = np.array([counts(n) for n in (2, 4)], np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    assert numbers(read(tmp_path / "a.tif")) == [2, 4]


def test_kinds_of_numbers(read: Read, model: Path, tmp_path: Path) -> None:
    pattern = ideal(6)
    np.save(tmp_path / "half.npy", (pattern / pattern.max() * 6e4).astype(np.float16))
    np.save(tmp_path / "big.npy", np.asfortranarray(pattern.astype(">f4")))
    np.save(tmp_path / "log.npy", np.log10(1 + pattern))
    found = read(*(tmp_path / name for name in ("half.npy", "big.npy", "log.npy")))
    assert numbers(found)[:2] == [6, 6]
    assert found[2]["far_from_training"] is True
    np.save(tmp_path / "complex.npy", np.sqrt(pattern).astype(np.complex64))
    assert "complex numbers" in say("predict", model, tmp_path / "complex.npy").stderr


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


MINE = """
name = "mine"
[[prepare]]
name = "standardize"
[classifier]
name = "radial-lda"
[split]
train = 0.6
valid = 0.2
test = 0.2
"""


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled frames, in a folder for each class."""
    home = tmp_path_factory.mktemp("own")
    for n in (2, 4, 7):
        (home / str(n)).mkdir()
        for seed in range(8):
            frame = counts(n, 1e5, seed, size=33).astype(np.uint16)
            np.save(home / str(n) / f"frame_{seed}.npy", frame)
    (home / "mine.toml").write_text(MINE)
    return home


def test_patterns_of_one_s_own_are_imported_trained_on_and_read(own: Path, tmp_path: Path) -> None:
    files = sorted(own.glob("*/*.npy"))
    rows = [(path.relative_to(own), path.parent.name) for path in files]
    with (own / "labels.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerows([("file", "n"), *rows[::-1]])
    stack = np.array([np.load(path) for path in files])
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["patterns"], file["labels"] = stack, [int(path.parent.name) for path in files]
    ways = {
        "a": (*files, "--labels", "folders"),
        "b": (*files, "--labels", own / "labels.csv"),
        "c": (tmp_path / "own.h5", "--labels", "labels"),
    }
    for name, words in ways.items():
        assert say("import", *words, "-o", tmp_path / name).exit_code == 0
        with h5py.File(tmp_path / name / "patterns.h5") as file:
            np.testing.assert_array_equal(file["entry_1/data_1/data"], stack)
            assert file["entry_1/data_1/labels"][:].tolist() == [2] * 8 + [4] * 8 + [7] * 8
    recipe = json.loads((tmp_path / "a/manifest.json").read_text())["experiment"]
    assert "structure" not in recipe
    assert "scattering" not in recipe
    assert recipe["imported"]["files"][0] == files[0].name
    data, trained = tmp_path / "a", tmp_path / "model"
    for words in (
        ("verify", data),
        ("train", own / "mine.toml", "--data", data, "-o", trained),
        ("evaluate", trained, "--data", data, "--json"),
        ("audit", data),
        ("show", data, "-o", tmp_path / "a.png"),
        ("predict", trained, files[0]),
    ):
        result = say(*words)
        assert result.exit_code == 0, (words, result.output)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([2, 4, 5.7], "row 2: 5.7 is not a label"),
        ([2, 4, np.nan], "row 2: nan is not a label"),
        (["two", "four", "six"], "row 0: 'two' is not a label"),
        (np.eye(3, dtype=int), "one column per class (3)"),
        ([2, 4], "has 2 labels for 3 patterns"),
        ([2, 4, 0], "row 2: 0 is not a label"),
    ],
)
def test_labels_that_are_none_are_refused_with_their_row(
    labels: Any, message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", patterns=np.ones((3, 9, 9)), labels=np.array(labels))
    words = ("import", tmp_path / "a.npz", "--dataset", "patterns", "--labels", "labels")
    said = say(*words, "-o", tmp_path / "d")
    assert said.exit_code == 1
    assert message in said.stderr
    assert not (tmp_path / "d").exists()


def test_a_stratified_split_has_every_class_in_every_part_and_any_other_warns() -> None:
    labels = np.repeat([2, 4, 7], [40, 40, 3])
    for seed in range(6):
        parts = Split(stratify=True).indices(labels, seed)
        assert all(set(labels[part]) == {2, 4, 7} for part in parts.values())
        together = np.concatenate(list(parts.values()))
        assert len(set(together.tolist())) == len(together) == 83
    with pytest.warns(UserWarning, match="the test part has no pattern of class 7"):
        Split().indices(labels, 1)


def test_an_open_hdf5_dataset_is_a_pattern_set(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((6, 5, 5)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = values
    with h5py.File(tmp_path / "a.h5") as file:
        patterns = PatternSet.from_arrays(file["x"], [1, 2] * 3, KGrid.centered(5, 1.0))
        got, labels = patterns.batch([4, 0, 4, 3])
    np.testing.assert_array_equal(got, values[[4, 0, 4, 3]])
    assert labels.tolist() == [1, 1, 1, 2]
