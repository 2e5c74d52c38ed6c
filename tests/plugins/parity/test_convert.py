"""A trained network converted from one framework to the other and back."""

import pytest

from tests.models.test_convert import content

pytestmark = pytest.mark.xdist_group("keras")


def test_a_trained_network_goes_to_keras_and_back_bit_by_bit(models):
    start, there, back = (models / name for name in ("by torch", "converted", "back"))
    assert (there / "classifier" / "weights.safetensors").stat().st_size > 90e6
    assert content(back) == content(start)
    changed = {path for path, data in content(there).items() if data != content(start)[path]}
    assert {path.name for path in changed} == {"model.toml"}


def test_a_specklenet_goes_to_keras_and_back_bit_by_bit(models):
    start, there, back = (models / name for name in ("net", "net, converted", "net, back"))
    assert content(back) == content(start)
    changed = {path for path, data in content(there).items() if data != content(start)[path]}
    assert {path.name for path in changed} == {"model.toml"}
