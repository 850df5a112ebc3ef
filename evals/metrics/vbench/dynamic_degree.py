"""Dynamic degree: whether a video moves, by RAFT's flow between frames an eighth of a second apart. 1 or 0.

VBench's answer hangs on how many pairs of frames move, so a reading stops when those left can no longer change it: the
same answer for fewer pairs. More is not better: it says how lively a system is, not how good.
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
"""A pair's radius is the mean over this share of its pixels."""
THRESHOLD: Final = 6.0 / 256
"""Pixels a pair must move, for each pixel of the frame's shorter side."""
NEEDED_SHARE: Final = 4 / 16
"""Pairs that must move, for each sampled frame."""


@dataclass(frozen=True)
class Question:
    """What VBench asks of one video: do at least `needed` of its `pairs` move by more than `threshold_px`?

    every: one frame in so many is sampled.
    """

    every: int
    pairs: int
    needed: int
    threshold_px: float

    @classmethod
    def of(cls, video: Video) -> "Question":
        """Python's rounding, to the even, is part of the definition: 12 and 20 frames a second give 2."""
        every = max(1, round(video.fps / SAMPLED_FPS))
        sampled = len(range(0, video.num_frames, every))
        shorter = min(video.width, video.height)
        return cls(every, sampled - 1, round(NEEDED_SHARE * sampled), THRESHOLD * shorter)

    def answer(self, radii: Sequence[float]) -> bool | None:
        """The answer for all pairs, from the radii of the first ones; None while the others can still change it.

        Of `left` pairs between none and all move, and a radius that is NaN is between as well: with `moved` pairs known
        to move, the count ends between moved and moved + left. VBench asks after each pair, so without one it says no.
        """
        moved = sum(radius > self.threshold_px for radius in radii)
        left = self.pairs - sum(not math.isnan(radius) for radius in radii)
        if self.pairs > 0 and moved >= self.needed:
            return True
        return False if self.pairs <= 0 or moved + left < self.needed else None


class DynamicDegree:
    """values: by pair of sampled frames, in pixels, how far its fastest twentieth moved; of the pairs that were needed.

    every_pair: go on when the answer is known. One frame and its features are kept.
    """

    def __init__(self, video: Video, loader: NetworkLoader, *, every_pair: bool = False) -> None:
        self._loader, self._raft = loader, loader.get(RAFT)
        self._question, self._every_pair = Question.of(video), every_pair
        self._frame: Tensor | None = None
        self._features: Tensor | None = None
        self._radii: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, of which it looks at the sampled ones, whole."""
        sampled = chunk.as_opencv[-chunk.first % self._question.every :: self._question.every]
        for start in range(0, len(sampled), self._loader.batch):
            if not self._every_pair and self._question.answer(self._radii) is not None:
                return
            pixels = floats(sampled[start : start + self._loader.batch]).to(self._loader.device)
            with torch.inference_mode():
                self._follow(padded(pixels, STRIDE))

    def _follow(self, frames: Tensor) -> None:
        """Frames (N, 3, H, W), each a pair with the one before it."""
        features = self._raft.features(frames)
        if self._frame is not None and self._features is not None:
            frames, features = torch.cat([self._frame, frames]), torch.cat([self._features, features])
        if len(frames) > 1:
            self._radii.extend(fastest(self._raft.flow(frames[:-1], features[:-1], features[1:])).tolist())
        self._frame, self._features = frames[-1:], features[-1:]

    def result(self) -> Score:
        """1 if the video moves, 0 if it does not, NaN if pairs without a number leave it open."""
        question, answer = self._question, self._question.answer(self._radii)
        details = {"sampled_every": question.every, "pairs": question.pairs, "needed": question.needed}
        return Score(
            math.nan if answer is None else float(answer),
            tuple(self._radii),
            _note(question, answer, self._radii),
            {**details, "threshold_px": question.threshold_px, "pairs_read": len(self._radii)},
        )


def _note(question: Question, answer: bool | None, radii: Sequence[float]) -> str | None:
    if answer is None:
        bad = sum(map(math.isnan, radii))
        return f"{TITLE}: the network answered {bad} of {len(radii)} times with no number; its weights are damaged."
    if question.pairs <= 0:
        return f"{TITLE}: one sampled frame cannot move, and VBench calls it still."
    if question.needed == 0:
        return f"{TITLE}: of two sampled frames VBench asks for no moving pair, so it says yes whatever they show."
    return None


def fastest(flow: Tensor) -> Tensor:
    """Flows (N, 2, H, W) in pixels -> (N,), the mean length of the longest twentieth. NaN stays NaN."""
    lengths = flow.square().sum(dim=1).sqrt().flatten(1)
    return lengths.topk(int(lengths.shape[1] * FASTEST_SHARE)).values.mean(dim=1)


def begin(video: Video, loader: NetworkLoader) -> Reading:
    """A reading; of a video that is too small, one that says so. Raises MissingWeights, BadWeights."""
    if Question.of(video).answer([]) is None and min(video.width, video.height) <= SMALLEST - STRIDE:
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
