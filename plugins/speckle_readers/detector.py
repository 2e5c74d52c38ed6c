"""What stands beside the frames of an HDF5 file: the pixel mask, and where the pixels lie in k."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core import DataError, Geometry, check_hdf5, read_hdf5_attribute, walk_hdf5
from speckle_readers.choice import MASKS
from speckle_readers.marks import text, texts

Mask = NDArray[np.bool_]
Flip = tuple[slice, slice]
#: Bits of a CXI mask that do not make a pixel unusable: it lies in a peak, or holds signal.
_CXI_GOOD = 0x20 | 0x800
_LIKE_MASK = re.compile(r"(.*_)?(masks?|bad_?pix(els?)?|good|valid)(_.*)?", re.IGNORECASE)
_METRES = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "micron": 1e-6, "nm": 1e-9}
_METRES |= {
    "metre": 1.0,
    "meter": 1.0,
    "angstrom": 1e-10,
    "angstroms": 1e-10,
    "a": 1e-10,
    "å": 1e-10,
    "cm": 1e-2,
}
#: The reciprocal of a unit, as programs write it, after "rad".
_INVERSE = re.compile(r"(?:1?/|inv(?:erse)?_?)([a-zåµ]+)|([a-zåµ]+)\^?\(?-1\)?")
#: Units of axes that number pixels.
_NO_UNIT = ("", "1", "px", "pixel", "pixels")
#: hc [J m] and [eV m].
_PLANCK = {"j": 1.98644586e-25, "ev": 1.23984198e-6, "kev": 1.23984198e-9}
_NAMES = {
    "pixel_size": ("x_pixel_size", "pixel_size", "y_pixel_size"),
    "distance": ("detector_distance", "distance"),
    "wavelength": ("incident_wavelength", "wavelength"),
}


def describe(
    file: h5py.File, dataset: Any, shape: tuple[int, int], count: int, folder: Path
) -> tuple[Callable[[int], Mask] | None, Geometry, Flip, tuple[str, ...]]:
    """Return mask, geometry, how to turn frames so that k ascends, and what is to be said.

    A mask may be virtual, of files in `folder`, as the frames themselves.
    """
    named: dict[str, list[Any]] = {}
    for group in {g.file.filename: g for g in (dataset.file, file)}.values():
        _collect(group, named)
    valid, said = _mask(named, dataset, shape, count, folder)
    step, center, flip, metric, unused = _axes(dataset, shape)
    known: dict[str, float] = {}
    for key, names in _NAMES.items():
        value = next((v for n in names for d in named.get(n, ()) if (v := _length(d))), None)
        if value:
            known[key] = value
    if "wavelength" not in known and (energy := _energy(named)):
        known["wavelength"] = energy
    if center is None:
        center = _beam(named)
    if step is not None:
        # k itself is stated; what it was computed from adds nothing.
        known = {}
    geometry = Geometry(
        center=center,
        step=None if metric else step,
        metric_step=step if metric else None,
        **known,
    )
    return valid, geometry, flip, (*said, *unused)


def _collect(file: h5py.File, named: dict[str, list[Any]]) -> None:
    """List the data sets of a file by the last part of their names."""
    for item in walk_hdf5(file):
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            named.setdefault(item.name.rsplit("/", 1)[-1], []).append(item)


def _mask(
    named: dict[str, list[Any]],
    dataset: Any,
    shape: tuple[int, int],
    count: int,
    folder: Path,
) -> tuple[Callable[[int], Mask] | None, tuple[str, ...]]:
    """Return the mask beside the frames, or else that of the detector; NeXus and CXI: 0 is good."""
    alike = [
        d
        for name, several in named.items()
        for d in several
        if d.name != dataset.name and d.ndim in (2, 3) and _LIKE_MASK.fullmatch(name)
    ]
    fitting = [
        d
        for d in alike
        if d.name.rsplit("/", 1)[-1].lower() in MASKS
        and d.shape in (shape, (1, *shape), (count, *shape))
        and d.dtype.kind in "iubf"
    ]
    beside = [d for d in fitting if d.parent == dataset.parent]
    chosen = (beside or fitting)[:1]
    if not chosen:
        return None, tuple(
            f"{d.name} {d.shape} is not used: masks are {' or '.join(MASKS[:2])}, of the frames' "
            "shape, and 0 where a pixel is good; name another with --mask FILE::DATASET"
            for d in alike
        )
    (found,) = chosen
    try:
        check_hdf5(found, folder=folder)
    except DataError as error:
        return None, (f"the mask is not used: {error}",)
    each = found.ndim == 3 and len(found) == count

    def good(values: NDArray[Any]) -> Mask:
        if values.dtype.kind == "f":
            return np.asarray(values == 0)
        return np.asarray(values.astype(np.int64) & ~_CXI_GOOD == 0)

    if each and count > 1:
        return (lambda index: good(found[index])), (f"mask: {found.name}, one for each frame",)
    whole = good(np.asarray(found[()]).reshape(shape))
    share = 1 - whole.mean()
    return (lambda _: whole), (f"mask: {found.name}, which leaves out {share:.1%} of the pixels",)


def _axes(
    dataset: Any, shape: tuple[int, int]
) -> tuple[float | None, tuple[float, float] | None, Flip, bool, tuple[str, ...]]:
    """Return step, centre and direction from the axes of an NXdata group that are k in a unit.

    Also whether that unit is metric, and what is to be said.
    """
    unmarked = (slice(None), slice(None))
    nothing = None, None, unmarked, False, ()
    group = dataset.parent
    names = texts(read_hdf5_attribute(group, "axes")) or texts(read_hdf5_attribute(dataset, "axes"))
    if len(names) < 2 or len(names) != dataset.ndim:
        return nothing
    found = []
    for name, length in zip(names[-2:], shape, strict=True):
        axis = group.get(name) if name in group else None
        if not isinstance(axis, h5py.Dataset) or axis.shape != (length,) or length < 2:
            return nothing
        named = text(read_hdf5_attribute(axis, "units")) or ""
        unit = _per_metre(named)
        if axis.dtype.kind not in "iuf" or named.lower() in _NO_UNIT:
            return nothing
        if unit is None:
            said = f"axis {axis.name} is not used: {named[:40]!r} is not a unit of k, such as 1/nm"
            return None, None, unmarked, False, (said,)
        values = np.asarray(axis[()], dtype=np.float64)
        steps = np.diff(values)
        even = np.allclose(steps, steps.mean(), rtol=1e-3, atol=abs(steps.mean()) * 1e-3)
        if not even or steps.mean() == 0:
            raise DataError(
                "is not evenly spaced", where=f"{dataset.file.filename}: {group.name}/{name}"
            )
        found.append((values, float(steps.mean()), unit))
    (y, dy, unit), (x, dx, other) = found
    if unit != other or abs(abs(dy) - abs(dx)) > 1e-3 * abs(dx):
        raise DataError(
            f"has other steps in y, {abs(dy):.6g}, than in x, {abs(dx):.6g}",
            where=f"{dataset.file.filename}: {group.name}",
            hint="Resample it to square pixels in k.",
        )
    flip = (slice(None, None, -1 if dy < 0 else 1), slice(None, None, -1 if dx < 0 else 1))
    center = (-float(min(y[0], y[-1])) / abs(dy), -float(min(x[0], x[-1])) / abs(dx))
    metric = unit > 0
    return abs(dx) * (unit if metric else 1.0), center, flip, metric, ()


def _per_metre(units: str) -> float | None:
    """Return how many 1/m a unit of k is, 0 for 1 / the box's unit of length, else None."""
    plain = units.lower().replace(" ", "").replace("⁻¹", "^-1").replace("μ", "µ")
    found = _INVERSE.fullmatch(plain.replace("**", "^").removeprefix("rad").lstrip("*·."))
    name = (found[1] or found[2]) if found else ""
    if name == "length":
        return 0.0
    return 1 / _METRES[name] if name in _METRES else None


def _value(dataset: Any) -> float | None:
    if dataset.dtype.kind not in "iuf" or dataset.size != 1:
        return None
    number = float(np.asarray(dataset[()]).reshape(-1)[0])
    return number if np.isfinite(number) and number > 0 else None


def _length(dataset: Any) -> float | None:
    """Return a length [m]; without a unit, metres, as EIGER's early files have it."""
    value, unit = _value(dataset), (text(read_hdf5_attribute(dataset, "units")) or "m").lower()
    if value is None or unit not in _METRES:
        return None
    if dataset.name.endswith("wavelength") and "units" not in dataset.attrs and value > 1e-6:
        return value * 1e-10
    return value * _METRES[unit]


def _energy(named: dict[str, list[Any]]) -> float | None:
    """Return the wavelength [m] of a photon energy, in J as CXI has it unless it says otherwise."""
    for name, usual in (("incident_energy", "ev"), ("photon_energy", "ev"), ("energy", "j")):
        for dataset in named.get(name, ()):
            unit = (text(read_hdf5_attribute(dataset, "units")) or usual).lower()
            value = _value(dataset)
            if value is not None and unit in _PLANCK:
                return _PLANCK[unit] / value
    return None


def _beam(named: dict[str, list[Any]]) -> tuple[float, float] | None:
    """Return the beam's centre (y, x) [pixel] of NXdetector."""
    found = []
    for name in ("beam_center_y", "beam_center_x"):
        for dataset in named.get(name, ()):
            unit = (text(read_hdf5_attribute(dataset, "units")) or "pixel").lower()
            if dataset.dtype.kind in "iuf" and dataset.size == 1 and unit.startswith("pix"):
                found.append(float(np.asarray(dataset[()]).reshape(-1)[0]))
                break
    # Files that never set it hold 0.
    return (found[0], found[1]) if len(found) == 2 and any(found) else None
