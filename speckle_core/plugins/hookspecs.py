"""The hooks a plugin can implement: one per role, each returning components.

A plugin is a module (or object) registered under the entry-point group ``speckle.plugins``; it
describes components and must not import anything heavy to do so. In ``pyproject.toml``::

    [project.entry-points."speckle.plugins"]
    ellipses = "speckle_ellipses.plugin"

The hooks take no arguments so that arguments can be added later without breaking a plugin.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from speckle_core.plugins.component import Component

#: Version of the hooks, the roles and the data passed between them. A plugin module may state the
#: version it was written for as ``SPECKLE_API = 1``; a plugin for another version is not loaded.
API_VERSION = 1
PROJECT = "speckle"
GROUP = "speckle.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def speckle_samplers() -> Iterable[Component]:
    """Return components that draw configurations (role `Sampler`).

    Examples
    --------
    >>> import attrs, numpy as np
    >>> from speckle_core import Component, Configuration, hookimpl
    >>> @attrs.frozen(kw_only=True)
    ... class Lattice:
    ...     box: float = 2000.0
    ...     def sample(self, count: int, rng: np.random.Generator) -> Configuration: ...
    >>> @hookimpl
    ... def speckle_samplers():
    ...     yield Component("lattice", Lattice, "Disks on a square lattice.")
    """
    return ()


@hookspec
def speckle_scatterers() -> Iterable[Component]:
    """Return components that turn a configuration into an amplitude (role `Scatterer`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_scatterers():
    ...     return [Component("born", "my_package.born:Born", "First Born approximation.")]
    """
    return ()


@hookspec
def speckle_preprocessors() -> Iterable[Component]:
    """Return components that transform patterns for a classifier (role `Preprocessor`).

    Examples
    --------
    >>> import attrs, numpy as np
    >>> from speckle_core import Component, hookimpl
    >>> @attrs.frozen(kw_only=True)
    ... class Root:
    ...     def __call__(self, patterns, grid):
    ...         return np.sqrt(patterns)
    >>> @hookimpl
    ... def speckle_preprocessors():
    ...     return [Component("root", Root, "Square root of the intensity.")]
    """
    return ()


@hookspec
def speckle_classifiers() -> Iterable[Component]:
    """Return components that learn the number of particles (role `Classifier`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_classifiers():
    ...     yield Component(
    ...         "jax-vit", "my_package.vit:VisionTransformer", "A vision transformer in JAX.",
    ...         requires=("jax",), extra="jax", reference="doi:10.48550/arXiv.2010.11929",
    ...     )
    """
    return ()


@hookspec
def speckle_explainers() -> Iterable[Component]:
    """Return components that show which pixels a classifier used (role `Explainer`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_explainers():
    ...     yield Component("occlusion", "my_package.occlusion:Occlusion", "Blank and look.")
    """
    return ()


@hookspec
def speckle_solvers() -> Iterable[Component]:
    """Return components that find the bodies behind a pattern (role `Solver`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_solvers():
    ...     yield Component("flip", "my_package.flip:ChargeFlipping", "Charge flipping.")
    """
    return ()


@hookspec
def speckle_readers() -> Iterable[Component]:
    """Return components that read the frames in files of some format (role `Reader`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_readers():
    ...     yield Component("beamline-7", "my_package.reader:Reader", "Files of beamline 7.")
    """
    return ()


@hookspec
def speckle_detectors() -> Iterable[Component]:
    """Return components that record simulated intensities (role `Detector`).

    Examples
    --------
    >>> from speckle_core import Component, hookimpl
    >>> @hookimpl
    ... def speckle_detectors():
    ...     yield Component("ccd", "my_package.ccd:Ccd", "A CCD in direct detection.")
    """
    return ()


HOOKS = {
    "sampler": "speckle_samplers",
    "scatterer": "speckle_scatterers",
    "preprocessor": "speckle_preprocessors",
    "classifier": "speckle_classifiers",
    "explainer": "speckle_explainers",
    "solver": "speckle_solvers",
    "reader": "speckle_readers",
    "detector": "speckle_detectors",
}
