"""The particles of many configurations as HDF5 columns: every array field of their class.

Any particle class works. Its name is stored as text, so reading a set imports no class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.geometry import Configuration, Particles
from speckle_core.data.nexus import LENGTH, PARTICLES, field, group
from speckle_core.errors import PluginError

#: Name of the column with the pattern number that each row belongs to.
INDEX = "pattern_index"
_LENGTHS = ("centers", "bounding_radii", "radii")
_PROTOCOL = ("centers", "bounding_radii", "contrast")


class Columns:
    """Collects the particles of successive patterns and writes them as HDF5 columns.

    A class with fields a and b becomes a group with datasets a and b, rows in the order of the
    patterns. The attribute ``index`` of each names the dataset with the pattern of each row.
    With `packed`, they are compressed.
    """

    def __init__(self, *, packed: bool = False) -> None:
        self._packed = packed
        self._boxes: list[float] = []
        # By class, then field: the rows of each object, with the pattern it belongs to.
        self._rows: dict[type, dict[str, list[tuple[int, NDArray[Any]]]]] = {}
        self._sizes: dict[type, list[tuple[int, int]]] = {}
        self._units: dict[type, dict[str, str]] = {}

    def add(self, pattern: int, configuration: Configuration) -> None:
        """Add the particles of one pattern; `pattern` is its number in the whole set."""
        self._boxes.append(configuration.box)
        for particles in configuration.particles:
            kind = type(particles)
            self._sizes.setdefault(kind, []).append((pattern, len(particles)))
            columns = self._rows.setdefault(kind, {})
            for name, value, units in array_fields(particles):
                columns.setdefault(name, []).append((pattern, value))
                self._units.setdefault(kind, {})[name] = units

    def write(self, entry: h5py.Group) -> None:
        """Write everything that was added below the NXentry `entry`.

        Raises
        ------
        PluginError
            When a field cannot be stored as an array of numbers.
        """
        home = group(entry, PARTICLES.rsplit("/", 1)[1], "NXcollection")
        boxes, about = np.asarray(self._boxes), "side of the box"
        field(home, "box", boxes, packed=self._packed, units=LENGTH, long_name=about)
        for name, kind in _names(self._rows):
            shape = group(home, name, "NXcollection", **{"class": _path(kind)})
            sizes = self._sizes[kind]
            field(shape, INDEX, _index(sizes), packed=self._packed, units="")
            for column, values in self._rows[kind].items():
                self._write_column(shape, kind, column, values)

    def _write_column(
        self, home: h5py.Group, kind: type, name: str, values: list[tuple[int, NDArray[Any]]]
    ) -> None:
        lengths = [(pattern, len(value)) for pattern, value in values]
        index = INDEX
        if lengths != self._sizes[kind]:
            # A field that does not have one row per body gets its own index.
            index = f"{name}_{INDEX}"
            field(home, index, _index(lengths), packed=self._packed, units="")
        try:
            rows = np.concatenate([value for _, value in values])
            if rows.dtype.kind not in "biufc":
                raise ValueError(f"it contains {rows.dtype}")
        except ValueError as error:
            raise PluginError(
                f"the field {name!r} cannot be stored as an array of numbers: {error}",
                where=_path(kind),
                hint="Store arrays that differ in the first axis only, or make it private.",
            ) from error
        units = self._units[kind][name]
        field(home, name, rows, packed=self._packed, units=units, index=index)


def array_fields(particles: Particles) -> Iterator[tuple[str, NDArray[Any], str]]:
    """Iterate over name, rows and units of the fields of `particles`.

    The fields of the protocol come first and are stored for any class, attrs or not.
    """
    kind = type(particles)
    known = {a.name: a.metadata for a in attrs.fields(kind)} if attrs.has(kind) else {}
    for name in dict.fromkeys((*_PROTOCOL, *known)):
        value = getattr(particles, name)
        number = isinstance(value, (int, float, complex, np.generic)) and np.ndim(value) == 0
        if (isinstance(value, np.ndarray) or number) and not name.startswith("_"):
            yield name, np.atleast_1d(value), known.get(name, {}).get("units", _guess(name))


def _guess(name: str) -> str:
    """Return the unit of a field without one; only the protocol's fields are known."""
    return LENGTH if name in _LENGTHS else ""


def _index(sizes: list[tuple[int, int]]) -> NDArray[np.int64]:
    patterns, lengths = zip(*sizes, strict=True)
    return np.repeat(np.asarray(patterns, dtype=np.int64), lengths)


def _path(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _names(kinds: Iterable[type]) -> list[tuple[str, type]]:
    """Return a group name for each class: its own name, with the module where two would clash."""
    kinds = list(kinds)
    own = [kind.__qualname__.rsplit(".", 1)[-1] for kind in kinds]
    return [
        (name if own.count(name) == 1 else f"{kind.__module__}.{name}", kind)
        for name, kind in zip(own, kinds, strict=True)
    ]
