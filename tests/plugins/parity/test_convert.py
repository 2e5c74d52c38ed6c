"""A trained network converted from one framework to the other and back."""

import pytest

from tests.models.test_convert import content
from tests.plugins.parity.processes import run

LOADED = """
import sys
from pathlib import Path
from speckle_core.models.convert import convert
convert(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
print(*sorted({"tensorflow", "torch"} & set(sys.modules)))
"""
SPECKLE = "import sys; from speckle_core.cli import main; main()"


@pytest.mark.xdist_group("parity")
def test_a_trained_network_goes_to_keras_and_back_bit_by_bit(models, tmp_path):
    start, there, back = models / "by torch", tmp_path / "there", tmp_path / "back"
    loaded = run("-c", LOADED, start, "keras-resnet50", there, KERAS_BACKEND="tensorflow")
    assert loaded == "tensorflow"
    said = run("-c", SPECKLE, "convert", there, "--to", "torch-resnet50", "-o", back)
    assert said == f"model: {back}"
    assert (there / "classifier" / "weights.safetensors").stat().st_size > 90e6
    assert content(back) == content(start)
    changed = {path for path, data in content(there).items() if data != content(start)[path]}
    assert {path.name for path in changed} == {"model.toml"}
