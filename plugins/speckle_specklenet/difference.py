"""The difference synthesis: where bodies are missing from a model.

What is transformed is measured minus computed amplitude, with the computed phase. A body that the
model lacks appears with half its height.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from speckle_specklenet.amplitudes import Disks
from speckle_specklenet.leastsquares import Model
from speckle_specklenet.patterson import MEAN_RADIUS
from speckle_specklenet.superposition import separate

#: Largest k and width of the weight, in units of the distance that half of the intensity is within.
_BAND, _WIDTH = 2.0, 0.8
#: Half the window in units of half the period, its pixels per pixel of k.
_WINDOW, _PIXELS = 0.608, 0.977
#: Distance between peaks, and that of a new body from the rim of a known one, in mean radii.
_APART, _RIM, _GAP = 1.0, 0.7, 0.2


class Difference(nn.Module):
    """Finds missing bodies in a window about the middle of a structure."""

    _k: Tensor
    _y: Tensor
    _x: Tensor

    def __init__(self, reach: int, disks: Disks) -> None:
        super().__init__()
        self.reach, self.disks = reach, disks
        half = math.ceil(_WINDOW * _PIXELS * reach)
        self.middle, self.pixel = half, _WINDOW * math.pi / half
        axis = torch.arange(-half, half + 1) * self.pixel
        k = torch.arange(-reach, reach + 1.0)
        y, x = torch.outer(axis, k[reach:]), torch.outer(k, axis)
        self.register_buffer("_k", k, persistent=False)
        self.register_buffer("_y", torch.stack([y.cos(), y.sin()]), persistent=False)
        self.register_buffer("_x", torch.stack([x.cos(), x.sin()]), persistent=False)

    def forward(
        self, root: Tensor, known: Tensor, half_distance: Tensor, model: Model, scale: Tensor
    ) -> Tensor:
        """Return maps, (B, window, window); 1 for a missing body of the mean radius.

        Parameters
        ----------
        root : Tensor, (B, reach + 1, 2 reach + 1)
            Root of the intensity.
        known : Tensor, (B, reach + 1, 2 reach + 1)
            1 for measured pixels, one of each pair k, -k.
        half_distance, scale : Tensor, (B,)
            Unit of k, and scale of the model.
        model : Model
            The bodies known so far.
        """
        reach = self.reach
        band = min(reach, math.ceil(_BAND * float(half_distance.max())))
        columns = slice(reach - band, reach + band + 1)
        ky, kx = self._k[reach : reach + band + 1], self._k[columns]
        k = torch.hypot(ky[:, None], kx)
        unit = half_distance[:, None, None]
        weight = (
            known[:, : band + 1, columns] * k.sqrt() * torch.exp(-0.5 * (k / (_WIDTH * unit)) ** 2)
        )
        weight = weight * (k <= _BAND * unit)
        size = self.disks.form(model.radii[:, :, None, None], k) * model.present[:, :, None, None]
        y = model.places[..., 0, None] * ky
        x = model.places[..., 1, None] * kx
        cos = y.cos()[..., None] * x.cos()[:, :, None] - y.sin()[..., None] * x.sin()[:, :, None]
        sin = y.sin()[..., None] * x.cos()[:, :, None] + y.cos()[..., None] * x.sin()[:, :, None]
        real, imaginary = (size * cos).sum(1), -(size * sin).sum(1)
        modulus = torch.hypot(real, imaginary)
        measured = root[:, : band + 1, columns] / scale[:, None, None]
        share = weight * (measured - modulus) / modulus.clamp(min=1e-9)
        (cos_y, sin_y), (cos_x, sin_x) = self._y[:, :, : band + 1], self._x[:, columns]
        real, imaginary = real * share, imaginary * share
        # Real part of the sum over half of k space.
        rows_real = real @ cos_x - imaginary @ sin_x
        rows_imaginary = real @ sin_x + imaginary @ cos_x
        maps = cos_y @ rows_real - sin_y @ rows_imaginary
        mean = (MEAN_RADIUS / half_distance)[:, None, None]
        one = (weight * self.disks.form(mean, k)).sum((1, 2)) / 2
        found: Tensor = maps / one[:, None, None]
        return found

    def missing(
        self,
        root: Tensor,
        known: Tensor,
        half_distance: Tensor,
        model: Model,
        scale: Tensor,
        count: int,
    ) -> tuple[Tensor, Tensor]:
        """Return the highest peaks clear of known bodies: heights (B, count), places (B, count, 2).

        Heights are descending, and -1 where there is none.
        """
        maps = self(root, known, half_distance, model, scale)
        unit = (MEAN_RADIUS / half_distance)[:, None]
        heights, places = separate(maps, count, _APART * unit[:, 0] / self.pixel)
        places = (places - self.middle) * self.pixel
        gaps = torch.cdist(places, model.places) - _RIM * model.radii[:, None]
        gaps = torch.where(model.present[:, None] > 0, gaps, torch.inf)
        heights = torch.where(gaps.amin(2) > _GAP * unit, heights, -1.0)
        heights, order = heights.sort(1, descending=True)
        return heights, places.gather(1, order[:, :, None].expand(-1, -1, 2))
