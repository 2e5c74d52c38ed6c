"""Numbers of the saliency maps and their controls."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import jn_zeros

from results.files import interval, rows

#: From this number of disks on, the densest ring follows the first zero.
MANY = 7


def _peaks() -> dict[str, np.ndarray]:
    found = [row for row in rows("maps/peaks.csv") if row["explainer"] == "saliency"]
    return {
        key: np.array([float(row[key]) for row in found])
        for key in found[0]
        if key != "explainer"
    }


def _over_zeros() -> tuple[np.ndarray, np.ndarray]:
    """Return n, and the k of the densest ring over that of the first zeros, (zeros, classes)."""
    found = _peaks()
    radius = 90 * np.sqrt(2 / found["n"])  # disks of constant total area
    return found["n"], found["peak"] * radius / jn_zeros(1, 4)[:, None]


def over_first_zero() -> str:
    """Return the range of the densest ring over the first zero, for many disks."""
    n, ratios = _over_zeros()
    return _range(ratios[0, n >= MANY])


def over_later_zero() -> str:
    """Return the range of the densest ring over the nearest zero inside it, for few disks."""
    n, ratios = _over_zeros()
    inside = np.where(ratios >= 1, ratios, math.inf)[:, n < MANY]
    return _range(inside.min(axis=0))


def random_peak() -> str:
    """Return the largest k of the densest ring with random weights."""
    return f"{_peaks()['peak, random weights'].max():.2f}"


def lobe(what: str, n: str) -> str:
    """Return the percentage of ``pixels`` or ``saliency`` inside the central lobe of class n."""
    found = _peaks()
    column = found["area of lobe" if what == "pixels" else "share in lobe"]
    return f"{100 * column[found['n'] == int(n)][0]:.0f} %"


def agreement() -> str:
    """Return the range of the rank correlation with the maps of random weights."""
    return _range(_peaks()["agreement with random weights"])


def after_deletion(which: str) -> str:
    """Return the accuracy without a tenth of the pixels, ``most-attributed`` or ``random``."""
    patterns = 4 * len(_peaks()["n"])
    (found,) = (
        float(row[which.replace("-", " ")])
        for row in rows("maps/deletion.csv")
        if row["explainer"] == "saliency" and float(row["share of pixels"]) == 0.1
    )
    return interval(found * patterns, patterns, digits=2)


def _range(values: np.ndarray) -> str:
    return f"{values.min():.2f} to {values.max():.2f}"
