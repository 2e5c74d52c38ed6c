"""Whatever users may give a command: one clear error, its status, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from speckle_core.data.dataset import Dataset

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def test_an_experiment_that_is_nowhere_is_met_with_the_nearest_preset(refused: Refused) -> None:
    assert "'paper-mono-257'" in refused("run", "paper-mono-275", code=2)


def test_toml_that_is_none_is_named_with_its_line(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('name = "x"\nseed = = 3\n')
    said = refused("run", tmp_path / "bad.toml", code=2)
    assert "bad.toml" in said
    assert "line 2" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sede = 3", ("sede", "'seed'")),
        ("seed = true", ("seed", "whole number")),
        ("seed = 3.7", ("seed", "3.7", "whole number")),
        ("seed = nan", ("seed", "nan")),
        ("grid.step = inf", ("grid.step", "inf")),
        ("grid.size = 32", ("odd", "33")),
        ("grid.layuot = 'centered'", ("grid.layuot", "'layout'")),
        ("grid.layout = 'center'", ("grid.layout", "'centered'")),
        ("structure.counts = [2]", ("structure.counts",)),
        ("structure.sampler = {name = 'monodispers'}", ("sampler", "'monodisperse'")),
        ("structure.sampler = {name = 'monodisperse', gapp = 1}", ("sampler.gapp", "'gap'")),
        ("structure.sampler = {name = 'monodisperse', gap = 'wide'}", ("sampler.gap", "number")),
        ("prepare = [{name = 'block-center', size = 4}]", ("size", "odd")),
        ("split = {train = 10, valid = 0, test = 10, test_per_class = 7}", ("split", "21")),
        ("classifier = {name = 'radial-lda', epochs = 3}", ("classifier.epochs",)),
    ],
)
def test_what_an_experiment_says_wrongly_is_named_with_its_place(
    line: str, said: tuple[str, ...], refused: Refused, tmp_path: Path
) -> None:
    key = line.partition(" = ")[0]
    base = 'name = "x"\nstructure.counts = [2, 4]\nstructure.patterns_per_count = 9\n'
    base += 'grid.size = 33\nclassifier = "radial-lda"\n'
    kept = [row for row in base.splitlines() if not row.startswith(key)]
    (tmp_path / "x.toml").write_text("\n".join([*kept, line]))
    text = refused("run", tmp_path / "x.toml", "-o", tmp_path / "run", code=2)
    assert all(part in text for part in said), text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", ["structure.patterns_per_count", "=3", "grid.size.x=3"])
def test_a_setting_that_sets_nothing_is_a_usage_fault(
    setting: str, tiny: Path, refused: Refused, tmp_path: Path
) -> None:
    refused("generate", tiny, "-o", tmp_path / "d", "--set", setting, code=2)
    assert not (tmp_path / "d").exists()


def test_disks_that_cannot_be_packed_are_refused_with_the_coverage(
    tiny: Path, refused: Refused, tmp_path: Path
) -> None:
    big = "structure.sampler={name='monodisperse', radius=400.0}"
    said = refused("generate", tiny, "-o", tmp_path / "d", "--set", big)
    assert "1.5" in said  # 12 disks of radius 400 in a box of 2000: 12 pi 0.2^2
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("command", ["predict", "moments", "show"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.h5", None),
        ("text.h5", b"not HDF5 at all"),
        ("empty.npy", b""),
        ("short.npy", b"\x93NUMPY\x01\x00"),
        ("odd.txt", b"1 2 3"),
    ],
)
def test_a_file_that_holds_no_patterns_is_named(
    command: str,
    name: str,
    content: bytes | None,
    model: Path,
    invoke: Invoke,
    refused: Refused,
    tmp_path: Path,
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    args = {
        "predict": ("predict", model, path),
        "moments": ("moments", path),
        "show": ("show", path, "-o", tmp_path / "a.png"),
    }[command]
    # What is no file may be meant as an experiment, which makes it a fault of usage.
    assert name in refused(*args, code=2 if command == "show" and content is None else 1)
    assert not (tmp_path / "a.png").exists()


def patterns(data: Path) -> Any:
    return Dataset.open(data).patterns().raw([0, 1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("command", ["predict", "moments"])
def test_nan_and_infinity_are_left_out_and_said(
    value: float, command: str, model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    bad = patterns(data)
    bad[1, 4, 5] = value
    np.save(tmp_path / "bad.npy", bad)
    args = (model,) if command == "predict" else ()
    said = invoke(command, *args, tmp_path / "bad.npy")
    assert said.exit_code == 0
    assert "1 pixel NaN or infinite: left out" in said.stderr
    bad[1] = value
    np.save(tmp_path / "bad.npy", bad)
    said = invoke(command, *args, tmp_path / "bad.npy", "--json")
    assert said.exit_code == 1
    assert "bad.npy: pattern 1: no pixel is valid" in said.stderr
    (error,) = json.loads(said.stdout)["errors"]
    assert error["pattern"] == 1


@pytest.mark.parametrize("command", ["predict", "moments"])
def test_an_empty_frame_is_named_and_the_others_are_answered(
    command: str, model: Path, data: Path, invoke: Invoke, tmp_path: Path
) -> None:
    bad = patterns(data)
    bad[1] = 0
    np.save(tmp_path / "dark.npy", bad)
    args = (model,) if command == "predict" else ()
    said = invoke(command, *args, tmp_path / "dark.npy")
    assert said.exit_code == 1
    assert "dark.npy: pattern 1: " in said.stderr
    assert len(said.stdout.splitlines()) == len(bad)  # a header, and one line less


@pytest.mark.parametrize("shape", [(32, 32), (33, 35)])
@pytest.mark.parametrize("command", ["predict", "moments", "show"])
def test_patterns_without_a_middle_pixel_are_refused(
    command: str, shape: tuple[int, int], model: Path, refused: Refused, tmp_path: Path
) -> None:
    path = tmp_path / "shape.npy"
    np.save(path, np.ones(shape) + np.arange(shape[1]))
    args = {
        "predict": ("predict", model, path),
        "moments": ("moments", path),
        "show": ("show", path, "-o", tmp_path / "a.png"),
    }[command]
    assert "shape.npy" in refused(*args)


def test_a_folder_that_is_no_model_or_data_set_is_named(
    model: Path, data: Path, refused: Refused, tmp_path: Path
) -> None:
    assert str(tmp_path) in refused("evaluate", tmp_path, "--data", data)
    assert str(tmp_path) in refused("evaluate", model, "--data", tmp_path)
    assert str(tmp_path) in refused("predict", tmp_path, data / "patterns.h5")
    assert str(tmp_path) in refused("verify", tmp_path)
    assert "nowhere" in refused("verify", tmp_path / "nowhere")


def copied(data: Path, tmp_path: Path) -> tuple[Path, Path]:
    copy = Path(shutil.copytree(data, tmp_path / "copy"))
    return copy, next(copy.glob("shards/*.h5"))


def test_a_truncated_shard_is_named(
    model: Path, data: Path, refused: Refused, tmp_path: Path
) -> None:
    copy, shard = copied(data, tmp_path)
    os.truncate(shard, shard.stat().st_size - 1000)
    said = refused("evaluate", model, "--data", copy)
    assert str(shard) in said
    assert "verify'" in said


def test_a_flipped_byte_among_the_patterns_is_noticed_while_they_are_read(
    model: Path, data: Path, refused: Refused, tmp_path: Path
) -> None:
    copy, shard = copied(data, tmp_path)
    raw = patterns(data)[0].tobytes()
    content = bytearray(shard.read_bytes())
    content[content.index(raw[400:480])] ^= 1
    shard.write_bytes(content)
    assert str(shard) in refused("evaluate", model, "--data", copy, "--split", "all")


def test_data_on_another_grid_than_the_models_are_refused(
    model: Path, tiny: Path, invoke: Invoke, refused: Refused, tmp_path: Path
) -> None:
    args = ("--set", "grid.step=0.002", "--set", "structure.patterns_per_count=15")
    assert invoke("generate", tiny, "-o", tmp_path / "d", *args, "--set", "split={}").exit_code == 0
    said = refused("evaluate", model, "--data", tmp_path / "d")
    assert "0.002" in said
    assert not (tmp_path / "e").exists()


def test_classes_that_the_model_never_learned_are_refused(
    model: Path, tiny: Path, invoke: Invoke, refused: Refused, tmp_path: Path
) -> None:
    args = ("--set", "structure.counts=[2, 3, 7]", "--set", "structure.patterns_per_count=15")
    assert invoke("generate", tiny, "-o", tmp_path / "d", *args, "--set", "split={}").exit_code == 0
    said = refused("evaluate", model, "--data", tmp_path / "d", "-o", tmp_path / "e")
    assert "[3]" in said
    assert not (tmp_path / "e").exists()


def test_a_full_disk_leaves_whole_files_only_and_the_command_goes_on_later(
    tiny: Path, invoke: Invoke, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real, calls = tmp_path / "run", os.fsync, iter(range(100))

    def full(handle: int) -> None:
        # Files are written up to the data set's shard; then there is no space left.
        if next(calls) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = refused("run", tiny, "-o", folder, "--workers", 1)
    assert "No space left on device" in said
    assert not (folder / "report.html").exists()
    found = invoke("run", tiny, "-o", folder, "--workers", 1)
    assert found.exit_code == 0, found.output
    assert invoke("verify", folder / "data").exit_code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written_is_named(
    tiny: Path, refused: Refused, tmp_path: Path
) -> None:
    tmp_path.chmod(0o500)
    assert str(tmp_path) in refused("generate", tiny, "-o", tmp_path / "d")
