"""Writes the package of a new plugin: one component that works, and one place for the physics.

What it writes is plain text from `templates`, whole or not at all. It installs nothing and
imports nothing of what it wrote.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import keyword
import os
import shutil
import string
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs

from speckle_core._version import __version__
from speckle_core.contracts.roles import ROLES, Role
from speckle_core.errors import OutputError, PluginError, nearest
from speckle_core.files import make_folder
from speckle_core.plugins.component import Component
from speckle_core.plugins.hookspecs import API_VERSION, HOOKS
from speckle_core.plugins.manager import plugin_manager

_SUMMARIES: dict[Role, str] = {
    "sampler": "Equal squares at random places, of one total area.",
    "scatterer": "The exact sum of form factors, with smeared edges if you like.",
    "preprocessor": "A power of the intensity.",
    "classifier": "The class whose mean histogram lies nearest.",
    "explainer": "The probability lost when a patch of the pattern is blanked.",
    "solver": "One Gaussian body, from the slope of Guinier's plot.",
}
_USAGES: dict[Role, str] = {
    "sampler": 'sampler = { name = "%s" }` under `[structure]` of an experiment',
    "scatterer": 'scatterer = { name = "%s" }` under `[scattering]` of an experiment',
    "preprocessor": 'name = "%s"` under a `[[prepare]]` of an experiment',
    "classifier": 'name = "%s"` under `[classifier]` of an experiment',
    "explainer": 'explainers = ["%s"]` in an experiment',
    "solver": "speckle solve FILE --solver %s` on the command line",
}


@attrs.frozen
class NewPlugin:
    """A package that is yet to be written; made by `named`.

    Parameters
    ----------
    name : str
        What the component and the distribution are called, in kebab-case.
    role : str
        The role that the component fills.
    """

    name: str
    role: Role

    @classmethod
    def named(cls, name: str, role: str) -> NewPlugin:
        """Return the plugin of that name.

        Raises
        ------
        PluginError
            For an unknown role, or a name that is taken or cannot be one of a component or package.
        """
        found = [known for known in ROLES if known == role]
        if not found:
            near = nearest(role, ROLES)
            raise PluginError(
                f"there is no role {role!r}",
                hint=(f"Did you mean {near[0]!r}? " if near else "")
                + f"Roles: {', '.join(ROLES)}.",
            )
        made = cls(name, found[0])
        made._check()
        return made

    def _check(self) -> None:
        Component(self.name, "package.module:Class", "")  # the one judge of names
        another = "Choose another name."
        if keyword.iskeyword(self.package) or self.package == "tests":
            raise PluginError(f"no package can be called {self.package!r}", hint=another)
        if importlib.util.find_spec(self.package) is not None:
            raise PluginError(
                f"a package {self.package!r} can be imported already, and would be hidden",
                hint=another,
            )
        for entry in plugin_manager().components(self.role):
            if entry.component.name == self.name:
                raise PluginError(
                    f"there is a {self.role} {self.name!r} already, from {entry.provider}",
                    hint=another,
                )

    @property
    def package(self) -> str:
        """The name it is imported by."""
        return self.name.replace("-", "_")

    @property
    def physics(self) -> str:
        """The file that the author's physics goes into, relative to the new folder."""
        return f"{self.package}/{self.role}.py"

    def write(self, folder: Path) -> None:
        """Write the package to `folder`, which must not be there yet; whole or not at all.

        Raises
        ------
        OutputError
            When it is there already, or cannot be written.
        """
        if os.path.lexists(folder):
            raise OutputError(
                "is there already", where=str(folder), hint="Choose another folder with -o."
            )
        parent = make_folder(folder.absolute().parent)
        try:
            temporary = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=parent))
            try:
                temporary.chmod(0o755)
                for path, text in self._files():
                    (temporary / path).parent.mkdir(exist_ok=True)
                    (temporary / path).write_text(text, "utf-8")
                os.rename(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=str(folder)
            ) from error

    def _files(self) -> Iterator[tuple[str, str]]:
        """Yield path and text of each file."""
        words = self.name.removesuffix(f"-{self.role}").split("-")
        names = {
            "name": self.name,
            "role": self.role,
            "package": self.package,
            "cls": "".join(word.capitalize() for word in (*words, self.role)),
            "hook": HOOKS[self.role],
            "summary": _SUMMARIES[self.role],
            "usage": _USAGES[self.role] % self.name,
            "version": __version__,
            "api": str(API_VERSION),
        }
        templates = importlib.resources.files("speckle_core.plugins") / "templates"
        for path, template in (
            ("pyproject.toml", "pyproject.toml"),
            ("README.md", "README.md"),
            (f"{self.package}/__init__.py", "__init__.py"),
            (f"{self.package}/plugin.py", "plugin.py"),
            (self.physics, f"{self.role}/component.py"),
            ("tests/test_kit.py", "test_kit.py"),
            ("tests/test_physics.py", f"{self.role}/test_physics.py"),
        ):
            text = (templates / f"{template}.tmpl").read_text("utf-8")
            yield path, string.Template(text).substitute(names)
