"""From places in a Patterson map to disks that explain the pattern, in a fixed number of stages.

Each stage refines places and radii on random pixels up to some k, then looks for missing bodies. It
ends early if the pattern is explained. Patterns are refined one by one, and the random pixels are
the same for all of one scale, so that a result does not depend on the batch.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from speckle_specklenet.amplitudes import Disks, Points
from speckle_specklenet.difference import Difference
from speckle_specklenet.leastsquares import Model, refine
from speckle_specklenet.patterson import MEAN_RADIUS, Patterson

#: The misfit of a pattern that is explained, and the price of one more body in the first choice.
_EXPLAINED, _PRICE = 2e-7, 2e-4
#: Bodies to start from: least height as a share of the highest, and most.
_LEAST, _MOST = 0.12, 20
#: Bodies smaller than this share of the mean radius are dropped.
_TINY = 0.04
#: Weakest ring as a share of the strongest: in dark rings a residual says little.
_DARKEST = 2e-3
#: Peaks looked at in a difference synthesis.
PEAKS = 8
#: For radii from heights of peaks: width of the weight times the mean radius.
_REACH = 1.57


@attrs.frozen
class Stage:
    """One stage: largest k in units of the half distance, pixels, steps, then bodies to add."""

    band: float
    pixels: int
    steps: int
    least: float
    added: int


STAGES = (
    Stage(1.5, 350, 8, 0.12, 4),
    Stage(1.8, 450, 6, 0.06, 4),
    Stage(2.2, 600, 5, 0.03, 3),
    Stage(2.4, 700, 4, 0.01, 3),
    Stage(2.4, 700, 4, 0.004, 3),
    Stage(2.4, 800, 4, 0.002, 2),
)


@attrs.frozen(eq=False)
class Refined:
    """What a refinement has found.

    Parameters
    ----------
    radii : Tensor, (1, bodies)
        In mean radii, descending, 0 where there is no body.
    misfits : Tensor, (1, stages)
        Share of the intensity that is left over after each stage.
    first : Tensor, (1, starts)
        The same after the first stage from each start.
    missing : Tensor, (1, PEAKS)
        Heights of the last difference synthesis; 0 for an explained pattern.
    """

    radii: Tensor
    misfits: Tensor
    first: Tensor
    missing: Tensor


def radii_from(heights: Tensor) -> Tensor:
    """Return radii, in mean radii, of bodies with these relative heights in a map (B, T)."""
    high = (heights > 0.5).float()
    mean = (heights * high).sum(1, keepdim=True) / high.sum(1, keepdim=True).clamp(min=1)
    trial = torch.linspace(0.05, 2.2, 200, device=heights.device)
    curve = trial**2 / (_REACH**-2 + trial**2 / 4) ** 1.5
    curve = torch.cummax(curve, 0).values
    one = (_REACH**-2 + 0.25) ** -1.5
    index = torch.searchsorted(curve, (heights / mean * one).clamp(min=0))
    return trial[index.clamp(max=len(trial) - 1)]


class Refinement(nn.Module):
    """Refines structures of at most `bodies` bodies."""

    _pixel: Tensor
    _k: Tensor
    _ky: Tensor
    _kx: Tensor
    _shares: Tensor

    def __init__(self, patterson: Patterson, bodies: int) -> None:
        super().__init__()
        self.patterson, self.bodies = patterson, bodies
        self.disks = Disks()
        reach = patterson.reach
        self.difference = Difference(reach, self.disks)
        ky, kx = torch.arange(reach + 1.0), torch.arange(-reach, reach + 1.0)
        distance = torch.hypot(ky[:, None], kx).flatten()
        order = distance.argsort(stable=True)
        use = (distance >= 1) & (distance <= reach)
        use[: reach + 1] = False
        order = order[use[order]]
        width = 2 * reach + 1
        self.register_buffer("_pixel", order, persistent=False)
        self.register_buffer("_k", distance[order], persistent=False)
        self.register_buffer("_ky", (order // width).float(), persistent=False)
        self.register_buffer("_kx", (order % width - reach).float(), persistent=False)
        generator = torch.Generator().manual_seed(0)
        most = max(stage.pixels for stage in STAGES)
        shares = torch.rand(len(STAGES), most, generator=generator)
        self.register_buffer("_shares", shares, persistent=False)

    def _points(self, intensity: Tensor, weight: Tensor, band: Tensor, stage: int) -> Points:
        """Return the pixels of a stage, up to k = `band` (B,)."""
        count = torch.searchsorted(self._k, band.contiguous())[:, None]
        index = (self._shares[stage, : STAGES[stage].pixels] * count).long()
        pixel = self._pixel[index]
        root = intensity.flatten(1).gather(1, pixel).clamp(min=1e-12).sqrt()
        weights = weight.flatten(1).gather(1, pixel)
        return Points(self._ky[index], self._kx[index], self._k[index], root, weights)

    def weight(self, intensity: Tensor, profile: Tensor) -> Tensor:
        """Return the weight of each pixel's residual, 0 for blocked ones, like `intensity`."""
        rings = self.patterson.spread(profile)
        floor = _DARKEST * profile.amax(1)[:, None, None]
        return (rings + floor).rsqrt() * self.patterson.known(intensity)

    def starts(self, structures: Tensor, unit: Tensor) -> Model:
        """Return models from rows (height, y, x) of places, (B, T, 3) [pixels of the map]."""
        heights = structures[..., 0] / structures[:, :1, 0].clamp(min=1e-6)
        present = heights > _LEAST
        present[:, :2] = True
        present[:, _MOST:] = False
        places = structures[..., 1:] * self.patterson.pixel
        low = torch.where(present[..., None], places, torch.inf).amin(1, keepdim=True)
        high = torch.where(present[..., None], places, -torch.inf).amax(1, keepdim=True)
        radii = radii_from(heights.clamp(min=0)) * unit[:, None]
        return Model(places - (low + high) / 2, radii, present.float())

    def forward(
        self, intensity: Tensor, profile: Tensor, half_distance: Tensor, structures: Tensor
    ) -> Refined:
        """Return what was found in one pattern from its structures, (starts, T, 3)."""
        unit = MEAN_RADIUS / half_distance
        weight = self.weight(intensity, profile)
        root, known = intensity.sqrt(), self.patterson.known(intensity)
        starts = len(structures)
        model, scale, first = refine(
            self.disks,
            self.starts(structures, unit.expand(starts)),
            self._points(intensity, weight, STAGES[0].band * half_distance, 0).repeated(starts),
            unit.expand(starts),
            STAGES[0].steps,
        )
        best = (first + _PRICE * model.present.sum(1)).argmin().view(1)
        model, scale, left = model.take(best), scale[best], first[best]
        misfits, missing = [left], torch.zeros(1, PEAKS, device=unit.device)
        for number, stage in enumerate(STAGES):
            if number:
                points = self._points(intensity, weight, stage.band * half_distance, number)
                model, scale, left = refine(self.disks, model, points, unit, stage.steps)
                misfits.append(left)
            if float(left) <= _EXPLAINED:
                missing = torch.zeros_like(missing)
                break
            missing, places = self.difference.missing(
                root, known, half_distance, model, scale, PEAKS
            )
            if stage is not STAGES[-1]:
                model = self._completed(model, missing, places, unit, stage)
        misfits += misfits[-1:] * (len(STAGES) - len(misfits))
        radii = torch.where(model.present > 0, model.radii / unit, 0.0)
        radii = functional.pad(radii, (0, self.bodies - radii.shape[1]))
        found = radii.sort(1, descending=True).values
        return Refined(found, torch.stack(misfits, 1), first[None], missing)

    def _completed(
        self, model: Model, heights: Tensor, places: Tensor, unit: Tensor, stage: Stage
    ) -> Model:
        """Return a model without its tiny bodies and with the highest missing ones."""
        kept = ((model.present > 0) & (model.radii > _TINY * unit))[0].nonzero()[:, 0]
        room = min(stage.added, self.bodies - len(kept))
        new = (heights[0, :room] > stage.least).nonzero()[:, 0]
        size = unit * heights[:, new].clamp(1e-3, 1).sqrt().clamp(min=0.1)
        return Model(
            torch.cat([model.places[:, kept], places[:, new]], 1),
            torch.cat([model.radii[:, kept], size], 1),
            torch.ones(1, len(kept) + len(new), device=unit.device),
        )
