"""The network: evidence of a pattern, then three layers."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from speckle_specklenet.evidence import Evidence

_FARTHEST = 8.0
#: Patterns whose evidence is remembered, 2 kB each; the oldest are forgotten.
_MOST = 100_000


class SpeckleNet(nn.Module):
    """From prepared patterns (B, ny, nx) to linear scores (B, classes).

    The evidence of a pattern never changes, so that of the last hundred thousand is remembered:
    every epoch but the first takes seconds.
    """

    def __init__(self, evidence: Evidence, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.evidence = evidence
        self.norm = nn.BatchNorm1d(evidence.width, affine=False)
        self.layers = nn.Sequential(
            nn.Linear(evidence.width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, classes),
        )
        self._remembered: dict[bytes, Tensor] = {}

    def forward(self, patterns: Tensor) -> Tensor:
        """Return the scores."""
        scores: Tensor = self.layers(self.norm(self._known(patterns)).clamp(-_FARTHEST, _FARTHEST))
        return scores

    def _known(self, patterns: Tensor) -> Tensor:
        values = patterns.detach().float().cpu().numpy()
        keys = [hashlib.blake2b(one.tobytes(), digest_size=16).digest() for one in values]
        new = [i for i, key in enumerate(keys) if key not in self._remembered]
        for i, row in zip(new, torch.from_numpy(self.evidence(values[new])), strict=True):
            self._remembered[keys[i]] = row
        found = torch.stack([self._remembered[key] for key in keys]).to(patterns.device)
        while len(self._remembered) > _MOST:
            del self._remembered[next(iter(self._remembered))]
        return found
