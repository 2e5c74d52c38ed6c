"""What is measured of a pattern before the network reads it: numbers without learned weights."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor, nn

from speckle_specklenet.patterson import Patterson
from speckle_specklenet.refinement import PEAKS, STAGES, Refinement
from speckle_specklenet.superposition import chains, peaks, structure

#: Peaks read from each map, chains built from the first of them, bodies added to each, and chains
#: that are refined.
_PEAKS, _CHAINS, _STEPS, STARTS = 120, 8, 26, 3
#: Heights below this are noise.
_FLOOR = 3e-5
#: Radii, in mean radii, from which bodies are counted.
_COUNTED = (0.05, 0.12)


@attrs.frozen
class Parts:
    """Which evidence is used beside the azimuthal profile: for ablations."""

    peaks: bool = True
    structure: bool = True


class Evidence(nn.Module):
    """Evidence of patterns (B, size, size), as (B, width) of about unit size."""

    def __init__(self, size: int, bodies: int, parts: Parts) -> None:
        super().__init__()
        self.patterson = Patterson(size)
        self.refinement = Refinement(self.patterson, bodies)
        self.bodies, self.parts = bodies, parts
        self.width = self.patterson.reach + 1
        if parts.peaks:
            self.width += 2 * _PEAKS
        if parts.structure:
            found = 2 * bodies + len(STAGES) + STARTS + PEAKS
            self.width += found + len(_COUNTED) * (bodies + 1)

    def forward(self, patterns: Tensor) -> Tensor:
        """Return the evidence; it has no gradients, since places are chosen, not computed."""
        with torch.no_grad(), torch.autocast(patterns.device.type, enabled=False):
            return torch.cat([self._of(one) for one in patterns.float()[:, None]])

    def _of(self, pattern: Tensor) -> Tensor:
        """Return the evidence of one pattern, (1, size, size): it depends on no other."""
        patterson = self.patterson
        intensity = patterson.intensity(pattern)
        profile = patterson.profile(intensity)
        half_distance = patterson.half_distance(profile)
        logs = profile[:, 1:].clamp(min=1e-7).log()
        found = [logs - logs.mean(1, keepdim=True), half_distance.log()[:, None]]
        if not (self.parts.peaks or self.parts.structure):
            return torch.cat(found, 1)
        radius = patterson.radius(half_distance)
        maps = patterson.weighted(intensity, half_distance)
        heights, vectors = peaks(maps, _PEAKS, radius)
        if self.parts.peaks:
            sharp, _ = peaks(patterson.sharp(intensity, profile), _PEAKS, radius)
            found += [_logs(heights), _logs(sharp)]
        if self.parts.structure:
            structures = self._structures(maps, vectors, radius)
            refined = self.refinement(intensity, profile, half_distance, structures)
            found += [_logs(structures[:1, :, 0]), refined.radii]
            found += [refined.misfits.clamp(min=1e-9).log(), refined.first.clamp(min=1e-9).log()]
            found += [_logs(refined.missing)]
            found += [self._counted(refined.radii, least) for least in _COUNTED]
        return torch.cat(found, 1)

    def _structures(self, maps: Tensor, vectors: Tensor, radius: Tensor) -> Tensor:
        """Return rows (height, y, x) of the structures to refine, (STARTS, bodies, 3)."""
        heights, places = (found[0] for found in chains(maps, vectors, radius, _CHAINS, _STEPS))
        best = heights.clamp(min=0).sum(1).topk(STARTS).indices.tolist()
        size = float(radius)
        found = [structure(maps[0], places[i], heights[i], size, self.bodies) for i in best]
        return torch.stack(found)

    def _counted(self, radii: Tensor, least: float) -> Tensor:
        """Return how many radii are above `least`, as a soft one-hot vector, (B, bodies + 1)."""
        count = torch.sigmoid((radii - least) / (0.1 * least)).sum(1, keepdim=True)
        number = torch.arange(self.bodies + 1, device=radii.device)
        return torch.exp(-2 * (count - number) ** 2)


def _logs(heights: Tensor) -> Tensor:
    return (heights.clamp(min=_FLOOR) / _FLOOR).log()
