"""All-pairs correlation: how alike each place of one frame is to every place of another. RAFT and AMT look up in it.

Teed and Deng, "RAFT" (arXiv 2003.12039), section 3.2: the dot products of two feature maps, averaged over ever larger
neighbourhoods of the second, are read at the places a flow points to, and around them. Knows no weights.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

LEVELS: Final = 4
SMALLEST_SIDE: Final = 2 ** (LEVELS - 1) * 2
"""Cells a feature map must have a side: with fewer, a side of the coarsest level is one cell, and both published codes
divide by that side less one."""


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """The place of every pixel, x before y: (1, 2, height, width), of the type and on the device of `like`."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([x, y])[None]


def normalised(places: Tensor, height: int, width: int) -> Tensor:
    """Places in pixels (..., 2), x before y, as `grid_sample` wants them with align_corners: corners at -1 and 1."""
    x, y = places.unbind(-1)
    return torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)


def volume(first: Tensor, second: Tensor) -> Tensor:
    """Feature maps (N, C, H, W) -> (N, H * W, H * W): row p, column q is place p of the first by q of the second."""
    channels = first.shape[1]
    return torch.matmul(first.flatten(2).transpose(1, 2), second.flatten(2)) / math.sqrt(channels)


def pyramid(correlations: Tensor, height: int, width: int) -> list[Tensor]:
    """(N, P, H * W) -> LEVELS maps (N * P, 1, H / 2^l, W / 2^l), each the mean over 2 x 2 of the one before."""
    level = correlations.reshape(-1, 1, height, width)
    levels = [level]
    for _ in range(LEVELS - 1):
        level = functional.avg_pool2d(level, 2)
        levels.append(level)
    return levels


def look_up(levels: Sequence[Tensor], places: Tensor, radius: int) -> Tensor:
    """What correlates with each pixel around the place it is thought to have gone to.

    places: (N, 2, H, W) in cells of the finest level, x before y. Returns (N, LEVELS * (2 radius + 1)^2, H, W): level
    by level the window around the place, bilinear, zero outside; within a window x is the slower index, as in the
    published networks.
    """
    batch, _, height, width = places.shape
    side = 2 * radius + 1
    steps = torch.linspace(-radius, radius, side, dtype=places.dtype, device=places.device)
    window = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)
    centres = places.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
    seen = []
    for octave, level in enumerate(levels):
        where = normalised(centres / 2**octave + window, *level.shape[-2:])
        found = functional.grid_sample(level, where, align_corners=True)
        seen.append(found.view(batch, height, width, side * side))
    return torch.cat(seen, dim=-1).permute(0, 3, 1, 2).contiguous()
