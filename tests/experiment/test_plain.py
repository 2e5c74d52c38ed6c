"""Experiments from anywhere: one short error with the path of the value, and nothing made."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speckle_core import Experiment, ExperimentError
from speckle_core.experiment.plain import check_plain

BASE = """name = "c"
seed = 5
[structure]
counts = [2, 4]
patterns_per_count = 16
sampler = { name = "monodisperse" }
[grid]
size = 33
[split]
train = 24
valid = 12
test = 12
[classifier]
name = "radial-lda"
"""


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (BASE + "[x]\ny = " + "[" * 20_000 + "]" * 20_000, "nested too deep"),
        (BASE + "[x]\ny = " + "[" * 40 + "]" * 40, "nested deeper"),
        (BASE + "[x]\n" + ".".join(["a"] * 20_000) + " = 1", "more than 200 dots"),
        (changed("seed = 5", "seed = " + "9" * 5000), "digits"),
        (changed("seed = 5", "seed = 99999999999999999999"), "seed: is beyond the 64 bits"),
        (changed("size = 33", "size = 0x" + "f" * 5000), "grid.size: is beyond the 64 bits"),
        (changed("size = 33", "size = 1000000000001"), "grid.size: 1000000000001 pixels"),
        (changed("= 16", "= 1000000000000"), "structure.patterns_per_count: 3 classes of 10"),
        (changed('"c"', '"a\\u0000b"'), "name: contains control characters"),
        (changed('"c"', '"\\u001b[2J"'), "name: contains control characters"),
        (changed('"c"', '"a/b"'), "name: 'a/b' is not a valid folder name"),
        (changed('"c"', '"-rf"'), "name: '-rf' is not a valid folder name"),
        (changed('"c"', '"' + "x" * 300 + '"'), "is not a valid folder name"),
        (changed('se" }', 'se", box = 1e300 }'), "structure.sampler.box: 1e+300 must lie"),
        (changed('se" }', 'se", gap = 1e308 }'), "structure.sampler.gap: 1e+308 must lie"),
        (changed('se" }', 'se", radius = 1e-320 }'), "structure.sampler.radius: 1e-320 must lie"),
        (changed("[2, 4]", str(list(range(2, 12_000)))), "structure.counts: has 11998 entries"),
        (changed("[2, 4]", str(list(range(2, 400_000)))), "more than the 1048576 bytes"),
        (changed("[2, 4]", str([*range(2, 900), 2])), "structure.counts: [2, 3, 4"),
        (
            changed('"radial-lda"', '"' + "x" * 70_000 + '"'),
            "classifier.name: has 70000 characters",
        ),
        ("\x00", "is not valid TOML"),
    ],
)
def test_what_cannot_be_an_experiment_is_one_short_error(
    text: str, path: str, tmp_path: Path
) -> None:
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(ExperimentError) as caught:
        Experiment.load(tmp_path / "t.toml").resolved()
    assert path in str(caught.value)
    assert len(str(caught.value)) < 700


KEYS = st.sampled_from(["name", "size", "counts", "seed", "x"])
PLAIN = st.recursive(
    st.integers() | st.floats() | st.text(max_size=30) | st.booleans() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(["name", "seed", "structure", "grid", "split", "x"]), PLAIN))
def test_any_nest_of_plain_values_is_an_experiment_or_one_error(data: dict[str, object]) -> None:
    told = ""
    try:
        Experiment.from_dict(data)
    except ExperimentError as error:
        told = str(error)
    assert len(told) < 3000


def test_a_bound_names_the_place_in_a_list() -> None:
    with pytest.raises(ExperimentError, match=r"f: a\.b\[1\]: is beyond"):
        check_plain({"a": {"b": [1, 2**70]}}, "f")
