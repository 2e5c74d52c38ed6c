from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import Result

from speckle_core import KGrid
from speckle_core.experiment.presets import presets

Invoke = Callable[..., Result]


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A stack of two patterns, all light at a distance of 3 and of 5 pixels."""
    distance = KGrid.centered(17, 1.0).distance()
    np.save(tmp_path / "rings.npy", np.stack([distance == 3, distance == 5]).astype(float))
    return tmp_path / "rings.npy"


def test_moments_of_rings_are_their_radii(ring: Path, invoke: Invoke) -> None:
    found = json.loads(invoke("moments", ring, "--json").stdout)
    assert found["unit"] == "pixel"
    assert [m["pattern"] for m in found["moments"]] == [0, 1]
    assert [m["raw"] for m in found["moments"]] == pytest.approx([3, 5])
    assert [m["normalized"] for m in found["moments"]] == pytest.approx([3, 5])


def test_moments_are_a_table_of_four_definitions(ring: Path, invoke: Invoke) -> None:
    header, first, _ = invoke("moments", ring).stdout.splitlines()
    assert header.split() == ["file", "pattern", "raw", "shifted", "absolute", "normalized"]
    assert first.split()[:3] == [str(ring), "0", "3.0000"]


def test_presets_lists_every_preset_with_its_description(invoke: Invoke) -> None:
    shown = invoke("presets").stdout
    for name, text in presets().items():
        assert name in shown
        assert tomllib.loads(text)["description"] in shown
    assert json.loads(invoke("presets", "--json").stdout).keys() == presets().keys()


def lit(path: Path) -> bool:
    """Whether a picture shows something."""
    return float(imread(path)[..., :3].std()) > 0.05


def test_show_draws_an_experiment_a_data_set_and_a_file(
    tiny: Path, data: Path, ring: Path, invoke: Invoke, tmp_path: Path
) -> None:
    for number, what in enumerate((tiny, data, data / "patterns.h5", ring)):
        figure = tmp_path / f"{number}.png"
        result = invoke("show", what, "-o", figure)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"figure: {figure}\n"
        assert lit(figure)
    # The data set's own patterns are those that its experiment gives.
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_show_says_that_it_draws_the_first_of_a_stack(
    ring: Path, invoke: Invoke, tmp_path: Path
) -> None:
    assert "2 patterns" in invoke("show", ring, "-o", tmp_path / "a.png").stderr


def test_show_knows_three_kinds_of_picture(
    ring: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert "gif" in refused("show", ring, "-o", tmp_path / "a.gif")
    assert not (tmp_path / "a.gif").exists()


def test_show_takes_settings_of_an_experiment_and_the_folder_of_a_run(
    done: tuple[Path, Result], tiny: Path, invoke: Invoke, tmp_path: Path
) -> None:
    for source, more in ((tiny, ("--set", "seed=9")), (done[0], ())):
        figure = tmp_path / f"{source.name}.png"
        assert invoke("show", source, *more, "-o", figure).exit_code == 0
        assert figure.exists()
    refused = invoke("show", done[0], "--set", "seed=1", "-o", tmp_path / "x.png")
    assert refused.exit_code == 2
