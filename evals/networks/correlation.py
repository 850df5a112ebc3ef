"""All-pairs correlation of two feature maps, with lookup around a flow, for RAFT and AMT. Has no weights.

Teed and Deng, "RAFT" (arXiv 2003.12039), section 3.2: the dot products of two feature maps, averaged over increasingly
large neighbourhoods of the second, are read at and around the positions that a flow points to.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

LEVELS: Final = 4
KEPT_BYTES: Final = 2 * 2**30
"""Memory limit for all pairs of two frames: enough for 1,500 x 800 pixels."""
SMALLEST_SIDE: Final = 2 ** (LEVELS - 1) * 2
"""Least side of a feature map in cells: with fewer, the coarsest level is one cell wide, and both published codes
divide by its width less one."""


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """Return the coordinates of every pixel, x before y: (1, 2, height, width), with the dtype and device of `like`."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([x, y])[None]


def normalised(places: Tensor, height: int, width: int) -> Tensor:
    """Scale coordinates in pixels (..., 2), x before y, to -1..1 between corners, as `grid_sample` (align_corners)."""
    x, y = places.unbind(-1)
    return torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)


class Correlations:
    """The correlations of two frames' feature maps, (N, C, H, W) each.

    All pairs are kept if they fit into KEPT_BYTES. For larger frames they are recomputed at each lookup, in blocks that
    fit, which is slower with the same result.
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
        """Look up the correlations around the positions in the second frame; see the function `look_up`."""
        if self._kept is not None:
            return look_up(self._kept, places, radius)
        height, width = places.shape[-2:]
        row = places.flatten(2)[:, :, None]
        starts = range(0, row.shape[-1], self._block)
        seen = [look_up(self._levels(at, at + self._block), row[..., at : at + self._block], radius) for at in starts]
        return torch.cat(seen, dim=-1).view(len(row), -1, height, width)


def volume(first: Tensor, second: Tensor) -> Tensor:
    """Correlate every position of the first with every one of the second: (N, C, P), (N, C, Q) -> (N, P, Q)."""
    return torch.matmul(first.transpose(1, 2), second).div_(math.sqrt(first.shape[1]))


def pyramid(correlations: Tensor, height: int, width: int) -> list[Tensor]:
    """Average over 2 x 2 repeatedly: (N, P, H * W) -> LEVELS maps (N * P, 1, H / 2^l, W / 2^l)."""
    level = correlations.reshape(-1, 1, height, width)
    levels = [level]
    for _ in range(LEVELS - 1):
        level = functional.avg_pool2d(level, 2)
        levels.append(level)
    return levels


def look_up(levels: Sequence[Tensor], places: Tensor, radius: int) -> Tensor:
    """Return the correlations of each pixel in a window around the position that it moved to.

    places: (N, 2, H, W) in cells of the finest level, x before y. Returns (N, LEVELS * (2 radius + 1)^2, H, W): level
    by level the window around the position, bilinear, zero outside; within a window x is the slower index, as in the
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
