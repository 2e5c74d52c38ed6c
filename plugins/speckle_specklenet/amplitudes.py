"""Amplitudes of disks and their derivatives, on chosen points of k space.

The amplitude of a disk of radius R at r is ``π R² · 2 J1(kR)/(kR) · exp(-i k·r)``; π is left out,
since scales are projected out everywhere. J0 and J1 are read from a table.
"""

from __future__ import annotations

import attrs
import numpy as np
import torch
from scipy.special import j0, j1
from torch import Tensor, nn

_TABLE_STEP, _TABLE_END = 5e-4, 45.0


@attrs.frozen(eq=False)
class Points:
    """P points of k space for each of B models, and what was measured there.

    All are (B, P): coordinates and length of k [pixels], root of the intensity, and the weight of
    its residual.
    """

    ky: Tensor
    kx: Tensor
    k: Tensor
    root: Tensor
    weight: Tensor

    def repeated(self, times: int) -> Points:
        """Return the points of one pattern for several models."""
        return Points(*(value.expand(times, -1) for value in attrs.astuple(self, recurse=False)))


@attrs.frozen(eq=False)
class Waves:
    """Each body's wave at each point, (B, T, P), and the sum of all, (B, P)."""

    size: Tensor
    slope: Tensor
    cos: Tensor
    sin: Tensor
    real: Tensor
    imaginary: Tensor

    @property
    def modulus(self) -> Tensor:
        """The modulus of the sum, (B, P)."""
        return torch.hypot(self.real, self.imaginary)

    def replaced(self, new: Waves, where: Tensor) -> Waves:
        """Return these with those of `new` for some models, bool (B,)."""
        ours, theirs = (attrs.astuple(w, recurse=False) for w in (self, new))
        pairs = zip(ours, theirs, strict=True)
        return Waves(*(torch.where(where.view(-1, *[1] * (a.ndim - 1)), b, a) for a, b in pairs))


class Disks(nn.Module):
    """The form factor of a disk, from a table."""

    _form: Tensor
    _j0: Tensor

    def __init__(self) -> None:
        super().__init__()
        x = np.arange(0, _TABLE_END, _TABLE_STEP)
        form = np.where(x > 0, 2 * j1(x) / np.maximum(x, 1e-9), 1.0)
        self.register_buffer("_form", torch.tensor(form, dtype=torch.float32), persistent=False)
        self.register_buffer("_j0", torch.tensor(j0(x), dtype=torch.float32), persistent=False)

    def _index(self, radii: Tensor, k: Tensor) -> Tensor:
        index = (radii * k / _TABLE_STEP + 0.5).long()
        return index.clamp(max=len(self._form) - 1)

    def form(self, radii: Tensor, k: Tensor) -> Tensor:
        """Return R² 2 J1(kR)/(kR) for radii and k of shapes that fit."""
        found: Tensor = self._form[self._index(radii, k)] * radii**2
        return found

    def waves(self, places: Tensor, radii: Tensor, present: Tensor, points: Points) -> Waves:
        """Return the waves of bodies at (B, T, 2) with radii (B, T), where `present` is 1."""
        index = self._index(radii[:, :, None], points.k[:, None])
        size = self._form[index] * (radii**2 * present)[:, :, None]
        slope = self._j0[index] * (2 * radii * present)[:, :, None]
        phase = (
            places[..., 0, None] * points.ky[:, None] + places[..., 1, None] * points.kx[:, None]
        )
        cos, sin = phase.cos(), phase.sin()
        return Waves(size, slope, cos, sin, (size * cos).sum(1), -(size * sin).sum(1))


def misfit(modulus: Tensor, points: Points) -> tuple[Tensor, Tensor]:
    """Return the best scale of the modulus and the share of intensity left over, both (B,)."""
    weighted, root = points.weight * modulus, points.weight * points.root
    scale = (weighted * root).sum(1) / (weighted**2).sum(1).clamp(min=1e-20)
    left = ((scale[:, None] * weighted - root) ** 2).sum(1)
    return scale, left / (root**2).sum(1).clamp(min=1e-20)
