"""A fresh virtual environment that sees this one's packages, and what to do in it."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path

import attrs

ROLES = ("sampler", "scatterer", "preprocessor", "classifier", "explainer")


@attrs.frozen
class Fresh:
    """A virtual environment of its own; what it installs stays in it, and needs no network."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> Fresh:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (home,) = folder.glob("lib/python*/site-packages")
        # A .pth line alone would not heed the .pth files there, among them our editable install.
        lines = [f"import site; site.addsitedir({place!r})" for place in site.getsitepackages()]
        (home / "parent.pth").write_text("\n".join(lines) + "\n")
        return cls(folder)

    def run(self, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the environment's python."""
        names = ("PYTHONPATH", "SPECKLE_PLUGINS", "PYTEST_ADDOPTS")
        clean = {k: v for k, v in os.environ.items() if k not in names}
        return subprocess.run(
            [str(self.folder / "bin" / "python"), *map(str, arguments)],
            cwd=cwd or self.folder,
            env=clean | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def speckle(self, *arguments: object, cwd: Path | None = None) -> str:
        """Run the command line; return what it printed."""
        done = self.run("-c", "from speckle_core.cli import main; main()", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pip(self, *arguments: object) -> None:
        done = self.run("-m", "pip", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *packages: Path) -> None:
        offline = ("--no-index", "--no-deps", "--no-build-isolation")
        self.pip("install", "--quiet", *offline, *packages)
