"""Levenberg-Marquardt for places and radii of disks, for several models at once."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from speckle_specklenet.amplitudes import Disks, Points, Waves, misfit

_DAMPING, _LESS, _MORE = 1e-2, 0.3, 8.0
#: Largest steps and the allowed radii, in mean radii.
_SHIFT, _GROWTH, _SMALLEST, _LARGEST = 0.5, 0.3, 0.03, 2.5


@attrs.frozen(eq=False)
class Model:
    """B models of T bodies each.

    Parameters
    ----------
    places : Tensor, (B, T, 2)
        (y, x) [1 / k step].
    radii : Tensor, (B, T)
        Radii [1 / k step].
    present : Tensor, (B, T)
        1 for a body of the model, else 0.
    """

    places: Tensor
    radii: Tensor
    present: Tensor

    def take(self, rows: Tensor) -> Model:
        """Return some of the B."""
        return Model(self.places[rows], self.radii[rows], self.present[rows])


def step(waves: Waves, points: Points, scale: Tensor, damping: Tensor) -> Tensor:
    """Return the change of all parameters, (B, 3 T + 1): y, x, radii and the scale."""
    modulus = waves.modulus
    unit = modulus.clamp(min=1e-12)
    real, imaginary = (waves.real / unit)[:, None], (waves.imaginary / unit)[:, None]
    along = real * waves.cos - imaginary * waves.sin
    across = real * waves.sin + imaginary * waves.cos
    weight = (scale[:, None] * points.weight)[:, None]
    turned = -waves.size * across * weight
    slopes = [
        turned * points.ky[:, None],
        turned * points.kx[:, None],
        waves.slope * along * weight,
        (modulus * points.weight * scale[:, None])[:, None],
    ]
    jacobian = torch.cat(slopes, 1)
    residual = points.weight * (scale[:, None] * modulus - points.root)
    normal = jacobian @ jacobian.transpose(1, 2)
    gradient = jacobian @ residual[:, :, None]
    diagonal = normal.diagonal(dim1=1, dim2=2)
    ridge = damping[:, None] * diagonal + 1e-9 * diagonal.amax(1, keepdim=True)
    factor, _ = torch.linalg.cholesky_ex(normal + torch.diag_embed(ridge + (diagonal <= 0)))
    change = -torch.cholesky_solve(gradient, factor)[:, :, 0]
    return torch.where(torch.isfinite(change), change, 0.0)


def _within(value: Tensor, bound: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(value, bound), -bound)


def refine(
    disks: Disks, model: Model, points: Points, mean_radius: Tensor, steps: int
) -> tuple[Model, Tensor, Tensor]:
    """Return the refined model, its scale (B,) and its misfit (B,); the misfit never rises."""
    count = model.radii.shape[1]
    unit = mean_radius[:, None]
    places, radii, present = model.places, model.radii, model.present
    waves = disks.waves(places, radii, present, points)
    scale, left = misfit(waves.modulus, points)
    damping = torch.full_like(left, _DAMPING)
    for _ in range(steps):
        change = step(waves, points, scale, damping)
        shift = torch.stack([change[:, :count], change[:, count : 2 * count]], 2)
        growth = _within(change[:, 2 * count : 3 * count], _GROWTH * unit)
        tried = places + _within(shift, _SHIFT * unit[:, :, None]) * present[:, :, None]
        tried_radii = radii + growth * present
        tried_radii = torch.minimum(torch.maximum(tried_radii, _SMALLEST * unit), _LARGEST * unit)
        new = disks.waves(tried, tried_radii, present, points)
        new_scale, new_left = misfit(new.modulus, points)
        better = new_left < left
        one, two = better[:, None], better[:, None, None]
        places, radii = torch.where(two, tried, places), torch.where(one, tried_radii, radii)
        waves = waves.replaced(new, better)
        scale, left = torch.where(better, new_scale, scale), torch.where(better, new_left, left)
        damping = torch.where(better, damping * _LESS, damping * _MORE).clamp(1e-6, 1e3)
    return Model(places, radii, present), scale, left
