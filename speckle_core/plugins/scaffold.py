"""Create the package of a new plugin: one working component, and one file for the physics.

The files are written from `templates`, all or none of them. Nothing is installed or imported.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import keyword
import os
import string
from collections.abc import Iterator
from pathlib import Path

import attrs

from speckle_core._version import __version__
from speckle_core.contracts.roles import ROLES, Role
from speckle_core.errors import OutputError, PluginError, nearest
from speckle_core.files import make_folder, replaced_folder
from speckle_core.plugins.component import Component
from speckle_core.plugins.hookspecs import API_VERSION, HOOKS
from speckle_core.plugins.manager import plugin_manager

_SUMMARIES: dict[Role, str] = {
    "sampler": "Equal squares at random positions, with a fixed total area.",
    "scatterer": "The exact sum of form factors, optionally with blurred edges.",
    "preprocessor": "A power of the intensity.",
    "classifier": "Nearest class mean of the intensity histograms.",
    "explainer": "Loss of probability when a patch of the pattern is blanked.",
    "solver": "One Gaussian body, from the slope of Guinier's plot.",
    "reader": "Frames as text: rows of numbers, with an empty line between frames.",
    "detector": "Photon counts with Poisson noise; every pixel counts.",
}
_USAGES: dict[Role, str] = {
    "sampler": 'sampler = { name = "%s" }` under `[structure]` of an experiment',
    "scatterer": 'scatterer = { name = "%s" }` under `[scattering]` of an experiment',
    "preprocessor": 'name = "%s"` under a `[[prepare]]` of an experiment',
    "classifier": 'name = "%s"` under `[classifier]` of an experiment',
    "explainer": 'explainers = ["%s"]` in an experiment',
    "solver": "speckle solve FILE --solver %s` on the command line",
    "reader": "speckle show FILE.%s` on the command line, by the ending of the file",
    "detector": 'name = "%s"` under `[detector]` of an experiment',
}


#: The frameworks of a network, and the packages that its component needs.
NETWORKS: dict[str, tuple[str, ...]] = {
    "torch": ("torch", "safetensors"),
    "keras": ("keras", "safetensors"),
}
_NETWORK_SUMMARY = "A small convolutional network in {}."


@attrs.frozen
class NewPlugin:
    """A package to be written; created by `named`.

    Parameters
    ----------
    name : str
        Name of the component and the distribution, in kebab-case.
    role : str
        The role that the component fills.
    network : str, optional
        A framework of `NETWORKS`, for a classifier that is a network.
    """

    name: str
    role: Role
    network: str | None = None

    @classmethod
    def named(cls, name: str, role: str, network: str | None = None) -> NewPlugin:
        """Return the plugin of that name.

        Raises
        ------
        PluginError
            For an unknown role or framework, or a name that is taken or not valid for a component
            or package.
        """
        found = [known for known in ROLES if known == role]
        if not found:
            near = nearest(role, ROLES)
            raise PluginError(
                f"unknown role {role!r}",
                hint=(f"Did you mean {near[0]!r}? " if near else "")
                + f"Roles: {', '.join(ROLES)}.",
            )
        if network is not None and found[0] != "classifier":
            article = "an" if found[0][0] in "aeiou" else "a"
            raise PluginError(
                f"{article} {found[0]} cannot be a network; only a classifier can",
                hint="Leave out --network, or use --role classifier.",
            )
        if network is not None and network not in NETWORKS:
            raise PluginError(
                f"there is no template for a network in {network!r}",
                hint=f"Frameworks: {', '.join(NETWORKS)}.",
            )
        plugin = cls(name, found[0], network)
        plugin._check()
        return plugin

    def _check(self) -> None:
        Component(self.name, "package.module:Class", "")  # raises if the name is not valid
        another = "Choose another name."
        if keyword.iskeyword(self.package) or self.package == "tests":
            raise PluginError(f"{self.package!r} is not a valid package name", hint=another)
        if importlib.util.find_spec(self.package) is not None:
            raise PluginError(
                f"a package {self.package!r} is already installed and would be shadowed",
                hint=another,
            )
        for entry in plugin_manager().components(self.role):
            if entry.component.name == self.name:
                raise PluginError(
                    f"{entry.provider} already provides a {self.role} {self.name!r}",
                    hint=another,
                )

    @property
    def package(self) -> str:
        """The import name of the package."""
        return self.name.replace("-", "_")

    @property
    def physics(self) -> str:
        """The file for the author's physics, relative to the new folder."""
        return f"{self.package}/{self.role}.py"

    @property
    def _summary(self) -> str:
        if self.network is None:
            return _SUMMARIES[self.role]
        return _NETWORK_SUMMARY.format({"torch": "PyTorch", "keras": "Keras"}[self.network])

    @property
    def _requires(self) -> str:
        """The line of the component that names the packages it needs, if there are any."""
        if self.network is None:
            return ""
        packages = ", ".join(f'"{package}"' for package in NETWORKS[self.network])
        return f"\n        requires=({packages}),"

    def write(self, folder: Path) -> None:
        """Write the package to `folder`, which must not exist yet, completely or not at all.

        Raises
        ------
        OutputError
            When it exists already or cannot be written.
        """
        if os.path.lexists(folder):
            raise OutputError(
                "already exists", where=str(folder), hint="Choose another folder with -o."
            )
        make_folder(folder.absolute().parent)
        with replaced_folder(folder.absolute()) as temporary:
            for path, text in self._files():
                (temporary / path).parent.mkdir(exist_ok=True)
                (temporary / path).write_text(text, "utf-8")

    def _files(self) -> Iterator[tuple[str, str]]:
        """Iterate over the path and text of each file."""
        words = self.name.removesuffix(f"-{self.role}").split("-")
        names = {
            "name": self.name,
            "role": self.role,
            "package": self.package,
            "cls": "".join(word.capitalize() for word in (*words, self.role)),
            "hook": HOOKS[self.role],
            "summary": self._summary,
            "requires": self._requires,
            "extra": f"[{self.network}]" if self.network else "",
            "usage": _USAGES[self.role] % self.name,
            "version": __version__,
            "api": str(API_VERSION),
        }
        kind = f"network-{self.network}" if self.network else self.role
        # What a network is tested for does not depend on its framework.
        tested = "network" if self.network else self.role
        templates = importlib.resources.files("speckle_core.plugins") / "templates"
        for path, template in (
            ("pyproject.toml", "pyproject.toml"),
            ("README.md", "README.md"),
            (f"{self.package}/__init__.py", "__init__.py"),
            (f"{self.package}/plugin.py", "plugin.py"),
            (self.physics, f"{kind}/component.py"),
            ("tests/test_kit.py", "test_kit.py"),
            ("tests/test_physics.py", f"{tested}/test_physics.py"),
        ):
            text = (templates / f"{template}.tmpl").read_text("utf-8")
            yield path, string.Template(text).substitute(names)
