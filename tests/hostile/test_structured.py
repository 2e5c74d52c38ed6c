"""Files of every format, built with structure: a value or one error, in little memory."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speckle_core import Dataset, Experiment, ModelError, SpeckleError, check_safetensors
from speckle_core.data.generate import generate
from speckle_core.notes import read_json, write_json
from tests.conftest import TINY
from tests.hostile import strategies
from tests.hostile.measure import read

#: Beyond what is read: no file here has more than a megabyte of values.
ROOM = 48 * 2**20
#: More in a campaign: SPECKLE_EXAMPLES=5000 python -m pytest tests/hostile/test_structured.py
some = settings(
    max_examples=int(os.environ.get("SPECKLE_EXAMPLES", "40")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("structured")


def peak_of(action: Callable[[], Any]) -> tuple[Any, int]:
    """Return the result of `action`, and the most memory that Python and NumPy had meanwhile."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def told(action: Callable[[], object]) -> str:
    """Return the text of the error that `action` raises, or nothing."""
    try:
        action()
    except SpeckleError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "files",
    [
        strategies.npy_files(),
        strategies.tiff_files(),
        strategies.matlab_files(),
        strategies.hdf5_files(),
    ],
    ids=["npy", "tiff", "matlab", "hdf5"],
)
def test_a_pattern_file_is_read_or_refused(
    files: st.SearchStrategy[tuple[str, bytes]], folder: Path
) -> None:
    @some
    @given(files)
    def check(file: tuple[str, bytes]) -> None:
        suffix, content = file
        path = folder / f"frames{suffix}"
        path.write_bytes(content)
        status, peak = peak_of(lambda: read(path))
        assert status in (0, 3)
        assert peak < ROOM

    check()


@some
@given(strategies.toml_texts(TINY))
def test_an_experiment_is_read_or_refused_in_a_short_line(folder: Path, text: str) -> None:
    path = folder / "changed.toml"
    path.write_text(text, "utf-8", errors="replace")
    assert len(told(lambda: Experiment.load(path))) < 3000


@some
@given(
    strategies.PLAIN.map(lambda data: json.dumps(data).encode())
    | st.binary(max_size=50)
    | st.sampled_from([1, 900, 100_000]).map(strategies.nested)
)
def test_a_record_in_json_is_a_table_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "record.json"
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        assert isinstance(read_json(path), dict)


@some
@given(strategies.HUGE, strategies.DATA)
def test_a_header_of_tensors_is_bounded(folder: Path, size: int, data: bytes) -> None:
    path = folder / "x.safetensors"
    path.write_bytes(strategies.declared_header(size, data))
    if 0 <= size <= 2**20:
        check_safetensors(path, 10**6)
    else:
        with pytest.raises(ModelError, match="header"):
            check_safetensors(path, 10**6)


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Path:
    file = folder / "tiny.toml"
    file.write_text(TINY)
    generate(Experiment.load(file), folder / "set", workers=1)
    return folder / "set"


def test_a_sealed_manifest_with_one_other_value_is_read_or_refused(dataset: Path) -> None:
    whole = read_json(dataset / "manifest.json")

    @some
    @given(strategies.changed(whole))
    def check(manifest: Any) -> None:
        if not isinstance(manifest, dict):
            return
        try:
            write_json(dataset / "manifest.json", manifest)
        except ValueError:  # NaN
            return
        said, peak = peak_of(lambda: told(lambda: Dataset.open(dataset).patterns().raw([0])))
        assert len(said) < 3000
        assert peak < ROOM

    check()
