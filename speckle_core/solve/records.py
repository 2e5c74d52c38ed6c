"""A solution as plain values and as files.

None of them contains the time taken, so equal answers give equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from speckle_core._version import __version__
from speckle_core.analysis.alignment import align
from speckle_core.contracts.geometry import Particles
from speckle_core.contracts.solution import Solution, claim
from speckle_core.data.columns import Columns, array_fields
from speckle_core.data.nexus import LENGTH, LIBVER, PARTICLES, describe, field, group
from speckle_core.solve.source import Subject

#: Suffixes of the files of one solved pattern, besides its record.
FILES = ("h5", "png")
_BOUND = "bounding_radii"


def stem(index: int) -> str:
    """Return the name of the files of pattern `index`, without suffix."""
    return f"pattern-{index:05d}"


def record_of(subject: Subject, solution: Solution) -> dict[str, Any]:
    """Return a solution and its comparison with the truth as JSON types."""
    found: dict[str, Any] = {
        "pattern": subject.index,
        "label": subject.label,
        "n": len(solution.configuration),
        "solved": bool(solution.solved),
        "explained": bool(solution.explained),
        "residual": _plain(solution.residual),
        "noise_residual": _plain(solution.noise_residual),
        "noise": solution.noise,
        "scale": _plain(solution.scale),
        "offset": _plain(solution.offset),
        "faintest": _plain(solution.faintest),
        "starts": int(solution.starts),
        "box": solution.configuration.box,
        "deviances": {str(n): _plain(v) for n, v in sorted(solution.deviances.items())},
        "bodies": list(_bodies(solution)),
        "truth": None,
    }
    if subject.truth is not None:
        laid = align(solution.configuration, subject.truth)
        found["truth"] = {
            "n": len(subject.truth),
            "exact": laid.matched(),
            "farthest": _plain(laid.distances.max(initial=0.0)),
            "largest_size_error": _plain(np.abs(laid.sizes).max(initial=0.0)),
        }
    return found


def claim_of(record: dict[str, Any]) -> str:
    """Return what a record claims, in a word or two; those of version 0.2.0 lack `explained`."""
    explained = record.get("explained", record["solved"])
    return claim(record["solved"], explained, record["faintest"] or 0.0)


def _plain(value: Any) -> Any:
    """Return a number or array as JSON types; non-finite values as None, complex ones as pairs."""
    if np.ndim(value):
        return [_plain(v) for v in value]
    if np.iscomplexobj(value):
        return [_plain(value.real), _plain(value.imag)]
    number = float(value)
    return number if math.isfinite(number) else None


def _bodies(solution: Solution) -> Iterator[dict[str, Any]]:
    for at, particles in enumerate(solution.configuration.particles):
        errors = solution.errors[at] if solution.errors else {}
        rows = [(n, v) for n, v, _ in array_fields(particles) if len(v) == len(particles)]
        if any(n != _BOUND and np.array_equal(v, particles.bounding_radii) for n, v in rows):
            rows = [(n, v) for n, v in rows if n != _BOUND]
        for i in range(len(particles)):
            body: dict[str, Any] = {"shape": type(particles).__name__}
            for name, values in rows:
                if name == "centers":
                    body["x"], body["y"] = _plain(values[i])
                else:
                    body[name] = _plain(values[i])
            yield body | {"errors": {name: _plain(v[i]) for name, v in errors.items()}}


def bodies_csv(records: Sequence[dict[str, Any]]) -> str:
    """Return the bodies of many records as CSV, one row per body."""
    rows = []
    for record in records:
        for number, body in enumerate(record["bodies"]):
            row = {"pattern": record["pattern"], "body": number}
            for name, value in body.items():
                if name == "errors":
                    row |= {f"{key}_error": v for key, v in value.items()}
                elif isinstance(value, list):
                    row |= {f"{name}_{i}": v for i, v in enumerate(value)}
                else:
                    row[name] = value
            rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row) or ["pattern", "body", "x", "y"]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def hdf5(subject: Subject, solution: Solution, record: dict[str, Any]) -> bytes:
    """Return a NeXus file with the pattern, the pattern of the bodies found, and the bodies.

    silx view opens with the pattern; ``speckle show`` draws the bodies beside it.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=LIBVER) as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry_1", "creator": "speckle-core"})
        entry = group(file, "entry_1", "NXentry", default="data_1")
        field(entry, "title", f"Bodies found in pattern {subject.index}", units="")
        process = group(entry, "process_1", "NXprocess")
        field(process, "program", "speckle-core", units="")
        field(process, "version", __version__, units="")
        note = group(process, "solution", "NXnote")
        field(note, "type", "application/json", units="")
        field(note, "data", json.dumps(record, sort_keys=True, allow_nan=False), units="")
        data = group(entry, "data_1", "NXdata", signal="data", auxiliary_signals=["computed"])
        data.attrs["axes"] = ["pattern", "y", "x"]
        data.attrs["default_slice"] = ["0", ".", "."]
        data.attrs["SILX_style"] = json.dumps({"signal_scale_type": "log"})
        for name in ("y", "x"):
            field(data, name, subject.grid.axis, units=f"1/{LENGTH}", long_name=f"k{name}")
        numbers = field(data, "pattern", np.array([subject.index], dtype=np.int64))
        describe(field(data, "data", subject.pattern[None]), numbers)
        computed = solution.pattern(subject.grid).astype(np.float32)
        describe(field(data, "computed", computed[None]), numbers)
        if subject.mask is not None:
            # CXI and NeXus: non-zero marks an invalid pixel.
            field(data, "pixel_mask", (~subject.mask).astype(np.uint8), units="")
        columns = Columns()
        columns.add(subject.index, solution.configuration)
        columns.write(entry)
        for at, particles in enumerate(solution.configuration.particles):
            if solution.errors:
                _write_errors(entry, particles, solution.errors[at])
    return memory.getvalue()


def _write_errors(entry: h5py.Group, particles: Particles, errors: Any) -> None:
    """Write standard deviations beside the columns under NeXus names such as ``radii_errors``."""
    home = entry[f"{PARTICLES.rsplit('/', 1)[1]}/{type(particles).__name__}"]
    others: dict[str, NDArray[np.float64]] = dict(errors)
    if "x" in others and "y" in others:
        centers = np.stack([others.pop("x"), others.pop("y")], axis=1)
        field(home, "centers_errors", centers, units=LENGTH)
    for name, values in others.items():
        field(home, f"{name}_errors", values, units=LENGTH)
