"""DINO's vision transformer, which computes a feature vector of a picture. Loads `dino_vitbase16_pretrain.pth`.

Implemented from Caron et al., "Emerging Properties in Self-Supervised Vision Transformers" (arXiv 2104.14294), a ViT of
Dosovitskiy et al. (arXiv 2010.11929). Module names are those of the official file.
"""

from math import sqrt
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, num_layers, read_tensors, shape_of
from evals.networks.weights.network import Network

HEAD_WIDTH: Final = 64
EPS: Final = 1e-6
"""Epsilon of the layer norms; torch's default is 1e-5."""
OFFSET: Final = 0.1
"""Added to the grid's sides when positions are resized, so that rounding does not make them too few."""


class Attention(nn.Module):
    """Self-attention, (N, T, C) in and out."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attention output of each token."""
        split = self.qkv(tokens).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        gathered = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(gathered.transpose(1, 2).flatten(2))
        return out


class Mlp(nn.Module):
    """Two layers with GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, C) in and out."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


class Block(nn.Module):
    """A pre-norm transformer layer: attention and a two-layer perceptron, each with a residual connection."""

    def __init__(self, width: int, hidden: int, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPS)
        self.attn = Attention(width, num_heads)
        self.norm2 = nn.LayerNorm(width, eps=EPS)
        self.mlp = Mlp(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, C) in and out."""
        tokens = tokens + self.attn(self.norm1(tokens))
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out


class Patches(nn.Module):
    """Embeds square patches of a picture as tokens."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=side, stride=side)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, C, H // side, W // side)."""
        out: Tensor = self.proj(pixels)
        return out


class Dino(nn.Module):
    """Computes features of pictures of at least one patch, normalised as for ImageNet: (N, 3, H, W) -> (N, C)."""

    def __init__(self, width: int, hidden: int, depth: int, num_positions: int, patch: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + num_positions, width))
        self.patch_embed = Patches(width, patch)
        self.blocks = nn.Sequential(*(Block(width, hidden, width // HEAD_WIDTH) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=EPS)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the class token after the last norm."""
        patches = self.patch_embed(pixels)
        tokens = torch.cat([self.cls_token.expand(len(pixels), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
        tokens = self.blocks(tokens + self._positions(*patches.shape[-2:], square=pixels.shape[-1] == pixels.shape[-2]))
        out: Tensor = self.norm(tokens[:, 0])
        return out

    def _positions(self, rows: int, columns: int, *, square: bool) -> Tensor:
        """Return the position embeddings, resized (bicubic) for a grid other than the learned one.

        The official code resizes by a factor, not to a size, which changes the sampling points: a difference of up to
        1.3e-3 of a score.
        """
        side = round(sqrt(self.pos_embed.shape[1] - 1))
        if rows * columns == side * side and square:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        factors = ((rows + OFFSET) / side, (columns + OFFSET) / side)
        resized = functional.interpolate(grid, scale_factor=factors, mode="bicubic", align_corners=False)
        assert resized.shape[-2:] == (rows, columns), f"{tuple(resized.shape[-2:])} positions for {rows}x{columns}"
        return torch.cat([self.pos_embed[:, :1], resized.flatten(2).transpose(1, 2)], dim=1)


def load_dino(path: Path) -> Dino:
    """Load DINO; its sizes are read from the file. Raises BadWeights."""
    tensors = read_tensors(path)
    width, _, patch, _ = shape_of(tensors, "patch_embed.proj.weight", 4, path)
    _, num_tokens, _ = shape_of(tensors, "pos_embed", 3, path)
    hidden, _ = shape_of(tensors, "blocks.0.mlp.fc1.weight", 2, path)
    dino = Dino(width, hidden, num_layers(tensors, "blocks.", path), num_tokens - 1, patch)
    fill(dino, tensors, path)
    return dino


DINO: Final = Network(WEIGHTS["dino"], load_dino)
