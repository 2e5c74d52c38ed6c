"""A vision transformer from scratch (Dosovitskiy et al., 2021), without a class token."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Transformer(nn.Module):
    """From patterns (B, 1, ny, nx) of one shape to linear scores (B, classes)."""

    def __init__(
        self, shape: tuple[int, int], classes: int, patch: int, width: int, depth: int, heads: int
    ) -> None:
        super().__init__()
        rows, columns = (pixels // patch + 1 for pixels in shape)
        self.patches = nn.Conv2d(1, width, patch, stride=patch, padding=patch // 2 + patch % 2)
        self.crop = (rows, columns)
        self.places = nn.Parameter(0.02 * torch.randn(1, rows * columns, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        # Tokens as maps, for Grad-CAM: the last layer that puts out (B, width, rows, columns).
        self.maps = nn.Unflatten(2, (rows, columns))
        self.dense = nn.Linear(width, classes)

    def forward(self, patterns: Tensor) -> Tensor:
        x = self.patches(patterns)[:, :, : self.crop[0], : self.crop[1]]
        tokens = self.norm(self.layers(x.flatten(2).transpose(1, 2) + self.places))
        scores: Tensor = self.dense(self.maps(tokens.transpose(1, 2)).mean((2, 3)))
        return scores
