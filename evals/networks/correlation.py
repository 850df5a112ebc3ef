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
KEPT_BYTES: Final = 2 * 2**30
"""Of all pairs of two frames: enough for 1,500 x 800 pixels."""
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


class Correlations:
    """One frame's feature maps against another's, (N, C, H, W) each, to be looked up in.

    All pairs are kept where they fit into KEPT_BYTES; of larger frames they are made anew at each look, for as many
    places at a time as fit, which takes longer and says the same.
    """

    def __init__(self, first: Tensor, second: Tensor) -> None:
        self._first, self._second = first.flatten(2), second.flatten(2)
        self._size = second.shape[-2:]
        bytes_a_place = len(first) * self._second.shape[-1] * first.element_size() * 4 // 3
        self._block = max(1, KEPT_BYTES // bytes_a_place)
        fits = self._first.shape[-1] <= self._block
        self._kept = self._levels(0, self._block) if fits else None

    def _levels(self, start: int, end: int) -> list[Tensor]:
        height, width = self._size
        return pyramid(volume(self._first[..., start:end], self._second), height, width)

    def look_up(self, places: Tensor, radius: int) -> Tensor:
        """What correlates with each place of the first frame around where in the second it is thought to be; below."""
        if self._kept is not None:
            return look_up(self._kept, places, radius)
        height, width = places.shape[-2:]
        row = places.flatten(2)[:, :, None]
        starts = range(0, row.shape[-1], self._block)
        seen = [look_up(self._levels(at, at + self._block), row[..., at : at + self._block], radius) for at in starts]
        return torch.cat(seen, dim=-1).view(len(row), -1, height, width)


def volume(first: Tensor, second: Tensor) -> Tensor:
    """Features (N, C, P) and (N, C, Q) -> (N, P, Q), each place of the first by each of the second."""
    return torch.matmul(first.transpose(1, 2), second).div_(math.sqrt(first.shape[1]))


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
