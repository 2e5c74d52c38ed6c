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

# Source of a plugin, and what its recorded cause must say, by kind of fault.
BROKEN = {
    "import-error": ("raise ImportError('no such thing')", "ImportError: no such thing"),
    "syntax-error": ("def broken(:\n    pass\n", "SyntaxError"),
    "missing-dependency": ("import a_package_nobody_has", "a_package_nobody_has"),
    "exits": ("import sys; sys.exit(3)", "SystemExit"),
    "wrong-signature": (
        """
        from speckle_core import hookimpl
        @hookimpl
        def speckle_samplers(count):
            return []
        """,
        "count",
    ),
    "misspelt-hook": (
        """
        from speckle_core import hookimpl
        @hookimpl
        def speckle_sampler():
            return []
        """,
        "unknown hook 'speckle_sampler' Did you mean 'speckle_samplers'?",
    ),
    "raising-hook": (
        """
        from speckle_core import hookimpl
        @hookimpl
        def speckle_samplers():
            raise RuntimeError("boom")
        """,
        "RuntimeError: boom",
    ),
    "raising-generator": (
        """
        from speckle_core import Component, hookimpl
        @hookimpl
        def speckle_samplers():
            yield Component("half", "half:Half", "Half of a plugin.")
            raise RuntimeError("boom")
        """,
        "RuntimeError: boom",
    ),
    "wrong-type": (
        """
        from speckle_core import hookimpl
        @hookimpl
        def speckle_samplers():
            return ["monodisperse"]
        """,
        "returned 'monodisperse', which is not a Component",
    ),
    "no-list": (
        """
        from speckle_core import hookimpl
        @hookimpl
        def speckle_samplers():
            return 3
        """,
        "returned 3",
    ),
    "bad-name": (
        """
        from speckle_core import Component, hookimpl
        @hookimpl
        def speckle_samplers():
            return [Component("My Sampler", "a:B", "A name with a space.")]
        """,
        "'My Sampler' is not a valid component name",
    ),
    "kwargs": (
        """
        from speckle_core import Component, hookimpl
        class Loose:
            def __init__(self, **options): ...
        @hookimpl
        def speckle_samplers():
            return [Component("loose", Loose, "Takes anything.")]
        """,
        "'**options'",
    ),
    "no-hook": ("VALUE = 1", "implements no hook"),
    "newer-api": ("SPECKLE_API = 99", "plugin API 99"),
}
