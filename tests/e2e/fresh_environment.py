"""A fresh virtual environment that sees this one's packages, and what to do in it."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import attrs

ROLES = (
    "sampler",
    "scatterer",
    "preprocessor",
    "classifier",
    "explainer",
    "solver",
    "reader",
    "detector",
)

#: Console scripts that come with packages of the parent, for shells in the environment.
PROGRAMS = {
    "speckle": "from speckle_core.cli import main; main()",
    "pytest": "import pytest, sys; sys.exit(pytest.console_main())",
    "pip": "from pip._internal.cli.main import main; import sys; sys.exit(main())",
}


@attrs.frozen
class Fresh:
    """A virtual environment of its own; what it installs stays in it, and needs no network.

    Its programs are those of tests/warm.py, which start at once. Those in its own bin/ are real.
    """

    folder: Path
    programs: Path

    @classmethod
    def made_in(cls, folder: Path, programs: Path) -> Fresh:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (home,) = folder.glob("lib/python*/site-packages")
        # A .pth line alone would not heed the .pth files there, among them our editable install.
        lines = [f"import site; site.addsitedir({place!r})" for place in site.getsitepackages()]
        (home / "parent.pth").write_text("\n".join(lines) + "\n")
        for name, program in PROGRAMS.items():
            path = folder / "bin" / name
            path.write_text(f"#!{folder}/bin/python\n{program}\n")
            path.chmod(0o755)
        return cls(folder, programs)

    def run(
        self, program: str | Path, *arguments: object, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as in a shell where the environment is activated, without network."""
        names = ("PYTHONPATH", "SPECKLE_PLUGINS", "PYTEST_ADDOPTS")
        clean = {k: v for k, v in os.environ.items() if k not in names}
        offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        path = os.pathsep.join(map(str, (self.programs, self.folder / "bin", os.environ["PATH"])))
        return subprocess.run(
            [shutil.which(program, path=path) or program, *map(str, arguments)],
            cwd=cwd or self.folder,
            env=clean | offline | {"PATH": path, "VIRTUAL_ENV": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def speckle(self, *arguments: object, cwd: Path | None = None) -> str:
        """Run the command line; return what it printed."""
        done = self.run("speckle", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pip(self, *arguments: object) -> None:
        done = self.run("pip", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *packages: Path) -> None:
        self.pip("install", "--quiet", *packages)
