import pytest

from speckle_core.errors import PluginError
from speckle_networks import framework


def test_a_process_computes_with_one_framework(monkeypatch):
    monkeypatch.setattr(framework, "_claimed", set())
    framework.claim("torch")
    framework.claim("torch")
    with pytest.raises(PluginError, match="already uses torch") as caught:
        framework.claim("tensorflow")
    assert "KERAS_BACKEND=torch" in str(caught.value)
    framework.claim("torch")
