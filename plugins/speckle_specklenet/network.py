"""The network in PyTorch: evidence of a pattern, then three layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from speckle_specklenet.evidence import FARTHEST, Evidence
from speckle_specklenet.remembered import Remembered


class SpeckleNet(nn.Module):
    """From prepared patterns (B, ny, nx) to linear scores (B, classes)."""

    def __init__(self, evidence: Evidence, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.evidence = Remembered(evidence)
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

    def forward(self, patterns: Tensor) -> Tensor:
        """Return the scores."""
        values = patterns.detach().float().cpu().numpy()
        found = torch.from_numpy(self.evidence(values)).to(patterns.device)
        scores: Tensor = self.layers(self.norm(found).clamp(-FARTHEST, FARTHEST))
        return scores
