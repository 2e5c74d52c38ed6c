"""Distributions that exist only as files in a folder on `sys.path`, as pip would have left them."""

from __future__ import annotations

import textwrap
from pathlib import Path


def distribution(
    folder: Path,
    name: str,
    source: str,
    *,
    version: str = "1.0",
    entry: str | None = None,
    module: str | None = None,
) -> str:
    """Install a distribution with one plugin module of `source`; return the module's name."""
    module = module or name.replace("-", "_") + "_plugin"
    (folder / f"{module}.py").write_text(textwrap.dedent(source))
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[speckle.plugins]\n{entry or name} = {module}\n")
    return module


GOOD = """
    import attrs
    from speckle_core import Component, hookimpl

    @attrs.frozen(kw_only=True)
    class Root:
        power: float = 0.5
        def __call__(self, patterns, grid):
            return patterns ** self.power

    @hookimpl
    def speckle_preprocessors():
        return [Component("root", Root, "A power of the intensity.")]
"""
