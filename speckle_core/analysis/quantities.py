"""Quantities of a configuration that a model can learn in place of the number of its bodies.

They follow from array fields that a data set stores of every shape: ``radii`` (n,) of round bodies,
and ``areas`` (n,), the projected areas of bodies of any shape.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.errors import DataError

Array = NDArray[np.float64]
QuantityName = Literal["count", "mean-radius", "radius-spread", "coverage"]
QUANTITIES: tuple[QuantityName, ...] = get_args(QuantityName)

#: What each is called in a sentence, and its unit; a share has none.
_TITLES: dict[QuantityName, tuple[str, str]] = {
    "count": ("number of particles", "particles"),
    "mean-radius": ("mean radius", "length"),
    "radius-spread": ("spread of the radii", "length"),
    "coverage": ("coverage", ""),
}


@attrs.frozen(eq=False)
class Bodies:
    """The bodies of several configurations, one after the other.

    Parameters
    ----------
    owner : array of int, (bodies,)
        Which configuration each belongs to.
    radii, areas : array, (bodies,), optional
        Radius [length] and projected area [length²]; None for a shape without that field.
    shape : str
        Its name, for error messages.
    """

    owner: IntArray
    radii: Array | None
    areas: Array | None
    shape: str


def title_of(quantity: QuantityName) -> str:
    """Return what a quantity is called: ``mean radius``."""
    return _TITLES[quantity][0]


def unit_of(quantity: QuantityName) -> str:
    """Return the unit of a quantity: ``length``, that of the box, or nothing for a share."""
    return _TITLES[quantity][1]


def title_with_unit(quantity: QuantityName) -> str:
    """Return a title for axes and tables: ``mean radius [length]``, ``coverage``."""
    return f"{title_of(quantity)}{column_unit(quantity)}"


def column_unit(quantity: QuantityName) -> str:
    """Return what follows the name of a column: `` [length]``, or nothing for a number or share."""
    return f" [{unit_of(quantity)}]" if unit_of(quantity) == "length" else ""


def unit_in_words(quantity: QuantityName) -> str:
    """Return what follows a number in a sentence: ``in the unit of length of the box``, if any.

    A box has a side, but nobody says in what: it may be nanometres.
    """
    return " in the unit of length of the box" if unit_of(quantity) == "length" else ""


def values_of(quantity: QuantityName, shapes: list[Bodies], boxes: Array) -> Array:
    """Return the quantity of each configuration, (N,).

    ``mean-radius`` and ``radius-spread`` are mean and standard deviation (of these bodies, divided
    by n) of the radii; ``coverage`` is the sum of the projected areas over that of the box, so
    bodies that overlap count twice.

    Parameters
    ----------
    quantity : str
        One of `QUANTITIES`.
    shapes : list of Bodies
        The bodies of all configurations, by shape.
    boxes : array, (N,)
        Side of each box [length].

    Raises
    ------
    DataError
        When a shape lacks the field that the quantity needs.
    """
    owner = np.concatenate([np.zeros(0, np.int64), *(shape.owner for shape in shapes)])
    count = np.bincount(owner, minlength=len(boxes))
    if quantity == "count":
        return count.astype(np.float64)
    if quantity == "coverage":
        areas = np.concatenate([np.zeros(0), *(_areas(shape) for shape in shapes)])
        covered: Array = np.bincount(owner, areas, len(boxes)) / boxes**2
        return covered
    radii = np.concatenate([np.zeros(0), *(_radii(shape, quantity) for shape in shapes)])
    many = np.maximum(count, 1)
    mean: Array = np.bincount(owner, radii, len(boxes)) / many
    if quantity == "mean-radius":
        return mean
    squares = np.bincount(owner, (radii - mean[owner]) ** 2, len(boxes))
    return np.asarray(np.sqrt(squares / many))


def value_of(quantity: QuantityName, configuration: Configuration) -> float:
    """Return the quantity of one configuration.

    Raises
    ------
    DataError
        When one of its shapes lacks the field that the quantity needs.
    """
    shapes = [
        Bodies(
            np.zeros(len(particles), np.int64),
            _field(particles, "radii"),
            _field(particles, "areas"),
            type(particles).__name__,
        )
        for particles in configuration.particles
    ]
    return float(values_of(quantity, shapes, np.array([configuration.box]))[0])


def _field(particles: Any, name: str) -> Array | None:
    """Return a field that a data set stores as well; a property is not stored."""
    kind = type(particles)
    stored = attrs.has(kind) and name in attrs.fields_dict(kind)
    values = getattr(particles, name) if stored else None
    whole = isinstance(values, np.ndarray) and values.shape == (len(particles),)
    return np.asarray(values, dtype=np.float64) if whole else None


def _areas(shape: Bodies) -> Array:
    if shape.areas is not None:
        return shape.areas
    return np.asarray(np.pi * _radii(shape, "coverage") ** 2)


def _radii(shape: Bodies, quantity: QuantityName) -> Array:
    if shape.radii is not None:
        return shape.radii
    needed = "'radii' or 'areas'" if quantity == "coverage" else "'radii'"
    raise DataError(
        f"the {title_of(quantity)} of {shape.shape} is not known: the shape has no array field "
        f"{needed} with one number for each body",
        where="target.quantity",
        hint="Choose quantity = 'count', or give the class of the shape that field.",
    )
