import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from speckle_core import figures
from speckle_core.errors import OutputError


@pytest.fixture
def draw():
    return lambda: figures.confusion(np.diag([3, 4, 5]), [2, 3, 4])


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_equal_figures_give_equal_bytes(draw, kind):
    assert figures.encode(draw(), kind) == figures.encode(draw(), kind)


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_the_suffix_decides_the_kind_of_file(draw, tmp_path, name, start):
    figures.save(draw(), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.png.exe"])
def test_another_suffix_is_refused_and_nothing_is_written(draw, tmp_path, name):
    with pytest.raises(OutputError, match=r"\.png, \.svg or \.pdf"):
        figures.save(draw(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_an_output_error(draw, tmp_path):
    with pytest.raises(OutputError):
        figures.save(draw(), tmp_path / "missing" / "a.png")


def test_a_png_has_150_dots_per_inch(draw):
    figure = draw()
    width = int.from_bytes(figures.encode(figure)[16:20], "big")
    assert width == pytest.approx(150 * figure.get_figwidth(), abs=1)


def test_a_users_settings_neither_change_a_figure_nor_are_changed(draw):
    plain = figures.encode(draw())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "image.cmap": "jet"}):
        before = dict(matplotlib.rcParams.copy())
        assert figures.encode(draw()) == plain
        assert dict(matplotlib.rcParams.copy()) == before


_HEADLESS = """
import sys
import speckle_core
assert "matplotlib" not in sys.modules
import speckle_core.report.html
assert "matplotlib" not in sys.modules and "jinja2" not in sys.modules
from speckle_core import figures
from speckle_core.contracts.grid import KGrid
import numpy as np
figures.save(figures.pattern(np.ones((9, 9)), KGrid.centered(9, 0.1)), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""


def test_drawing_needs_no_display_no_backend_and_no_pyplot(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "DISPLAY")}
    subprocess.run(
        [sys.executable, "-c", _HEADLESS, str(tmp_path / "a.png")], env=environment, check=True
    )
    assert (tmp_path / "a.png").stat().st_size > 1000
