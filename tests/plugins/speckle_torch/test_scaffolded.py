"""What `speckle plugins new --network torch` writes passes its own tests. About 3 s.

That of Keras is tried in speckle_keras/inside.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from speckle_core.errors import PluginError
from speckle_core.plugins.scaffold import NewPlugin

pytest.importorskip("torch")


def test_a_network_as_written_passes_its_own_tests(tmp_path: Path, programs: Path) -> None:
    folder = tmp_path / "written"
    NewPlugin.named("strange-net", "classifier", "torch").write(folder)
    plugin = (folder / "strange_net" / "plugin.py").read_text()
    assert 'requires=("torch", "safetensors"),' in plugin
    assert "speckle-core[torch]>=" in (folder / "pyproject.toml").read_text()
    done = subprocess.run(
        [programs / "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PRELOAD": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "24 passed, 1 skipped" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("role", "network", "said"),
    [
        ("sampler", "torch", "a sampler cannot be a network; only a classifier can"),
        ("explainer", "jax", "an explainer cannot be a network; only a classifier can"),
        ("classifier", "jax", r"no template for a network in 'jax'\n  Frameworks: torch, keras"),
    ],
)
def test_what_is_no_network_is_refused(role: str, network: str, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        NewPlugin.named("strange", role, network)
