"""Dynamic degree: whether a video moves (1 or 0), by RAFT's flow between frames an eighth of a second apart.

VBench counts the pairs of frames that move, so a reading stops when the remaining pairs can no longer change the
result. Higher is not better: the metric says how lively a system is, not how good.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from evals.metrics.base import Chunk, Metric, Reading, Score, Undefined, Video
from evals.metrics.preprocessing import floats, padded
from evals.networks.raft import RAFT, SMALLEST, STRIDE
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Dynamic degree"
SAMPLED_FPS: Final = 8
FASTEST_SHARE: Final = 0.05
"""A pair's radius is the mean flow over this share of its pixels, the fastest."""
THRESHOLD: Final = 6.0 / 256
"""Radius in pixels above which a pair moves, per pixel of the frame's shorter side."""
NEEDED_SHARE: Final = 4 / 16
"""Pairs that must move, per sampled frame."""


@dataclass(frozen=True)
class Criterion:
    """VBench's criterion for one video: at least `needed` of its `pairs` move by more than `threshold_px`.

    every: one frame in `every` is sampled.
    """

    every: int
    pairs: int
    needed: int
    threshold_px: float

    @classmethod
    def of(cls, video: Video) -> "Criterion":
        """Return a video's criterion. Rounding half to even is part of the definition: 12 and 20 fps give 2."""
        every = max(1, round(video.fps / SAMPLED_FPS))
        sampled = len(range(0, video.num_frames, every))
        shorter = min(video.width, video.height)
        return cls(every, sampled - 1, round(NEEDED_SHARE * sampled), THRESHOLD * shorter)

    def answer(self, radii: Sequence[float]) -> bool | None:
        """Return the result for all pairs from the radii of the first ones; None while the others can change it.

        Pairs that are not read yet, or whose radius is NaN, may or may not move: the count ends between `moved` and
        `moved + left`. VBench tests after each pair, so without pairs the result is False.
        """
        moved = sum(radius > self.threshold_px for radius in radii)
        left = self.pairs - sum(not math.isnan(radius) for radius in radii)
        if self.pairs > 0 and moved >= self.needed:
            return True
        return False if self.pairs <= 0 or moved + left < self.needed else None


class DynamicDegree:
    """values: by pair of sampled frames that was read, the mean flow of its fastest twentieth, in pixels.

    every_pair: read all pairs even when the result is known. Keeps one frame and its features.
    """

    def __init__(self, video: Video, loader: NetworkLoader, *, every_pair: bool = False) -> None:
        self._loader, self._raft = loader, loader.get(RAFT)
        self._criterion, self._every_pair = Criterion.of(video), every_pair
        self._frame: Tensor | None = None
        self._features: Tensor | None = None
        self._radii: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the sampled ones of the next frames, uncropped."""
        sampled = chunk.as_opencv[-chunk.first % self._criterion.every :: self._criterion.every]
        for start in range(0, len(sampled), self._loader.batch):
            if not self._every_pair and self._criterion.answer(self._radii) is not None:
                return
            pixels = floats(sampled[start : start + self._loader.batch]).to(self._loader.device)
            with torch.inference_mode():
                self._add_pairs(padded(pixels, STRIDE))

    def _add_pairs(self, frames: Tensor) -> None:
        """Measure frames (N, 3, H, W), each paired with the previous one."""
        features = self._raft.features(frames)
        if self._frame is not None and self._features is not None:
            frames, features = torch.cat([self._frame, frames]), torch.cat([self._features, features])
        if len(frames) > 1:
            self._radii.extend(fastest(self._raft.flow(frames[:-1], features[:-1], features[1:])).tolist())
        self._frame, self._features = frames[-1:], features[-1:]

    def result(self) -> Score:
        """Return 1 if the video moves, 0 if it does not, NaN if pairs with NaN leave it open."""
        criterion, answer = self._criterion, self._criterion.answer(self._radii)
        details = {"sampled_every": criterion.every, "pairs": criterion.pairs, "needed": criterion.needed}
        return Score(
            math.nan if answer is None else float(answer),
            tuple(self._radii),
            _note(criterion, answer, self._radii),
            {**details, "threshold_px": criterion.threshold_px, "pairs_read": len(self._radii)},
        )


def _note(criterion: Criterion, answer: bool | None, radii: Sequence[float]) -> str | None:
    if answer is None:
        bad = sum(map(math.isnan, radii))
        return f"{TITLE}: the network answered {bad} of {len(radii)} times with no number; its weights are damaged."
    if criterion.pairs <= 0:
        return f"{TITLE}: one sampled frame cannot move, and VBench calls it still."
    if criterion.needed == 0:
        return f"{TITLE}: of two sampled frames VBench requires no moving pair, so the result is always yes."
    return None


def fastest(flow: Tensor) -> Tensor:
    """Return the mean length (N,) of the longest twentieth of flows (N, 2, H, W) in pixels. NaN stays NaN."""
    lengths = flow.square().sum(dim=1).sqrt().flatten(1)
    return lengths.topk(int(lengths.shape[1] * FASTEST_SHARE)).values.mean(dim=1)


def begin(video: Video, loader: NetworkLoader) -> Reading:
    """Start a reading; a video that is too small has no score. Raises MissingWeights, BadWeights."""
    if Criterion.of(video).answer([]) is None and min(video.width, video.height) <= SMALLEST - STRIDE:
        return Undefined(
            f"{TITLE} needs more than {SMALLEST - STRIDE} pixels a side, or RAFT's correlations have no coarsest "
            f"level; this video is {video.width}x{video.height}."
        )
    return DynamicDegree(video, loader)


METRIC: Final = Metric(
    name="dynamic_degree",
    title=TITLE,
    of="pairs",
    low=0.0,
    high=1.0,
    better="neither",
    source="VBench (arXiv 2311.17982), RAFT",
    begin=begin,
    networks=(RAFT,),
)
