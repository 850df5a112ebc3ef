"""Metrics of the embedded scorer: VBench's consistency metrics with a network trained on the embedded world.

They are separate metrics, since their values cannot be compared with VBench's.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import ConsistencyTracker, unit_features
from evals.metrics.preprocessing import floats
from evals.networks.embedded import SCORER
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array
from models.embedded.language import SIDE

SOURCE: Final = "the embedded scorer (models/embedded), which knows the embedded world and nothing else"
OBJECT: Final = "Object consistency, embedded scorer"
PROMPT: Final = "Prompt likeness, embedded scorer"


def prepared(frames: UInt8Array) -> Tensor:
    """Resize the shorter side to 64 and crop the centre: uint8 (N, H, W, 3) -> float32 (N, 3, 64, 64), -1..1."""
    pixels = floats(frames)
    height, width = pixels.shape[-2:]
    scale = SIDE / min(height, width)
    size = max(SIDE, round(height * scale)), max(SIDE, round(width * scale))
    if size != (height, width):
        pixels = functional.interpolate(pixels, size, mode="bilinear", antialias=True, align_corners=False)
    top, left = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    return pixels[..., top : top + SIDE, left : left + SIDE] / 127.5 - 1


def _unit_features(chunk: Chunk, loader: NetworkLoader) -> Tensor:
    return chunk.memo.once("embedded directions", lambda: unit_features(loader, SCORER, prepared(chunk.frames)))


class ObjectConsistency:
    """values: by frame from the second on, (max(0, cos to the previous) + max(0, cos to the first)) / 2."""

    def __init__(self, _video: Video, loader: NetworkLoader) -> None:
        loader.get(SCORER)
        self._loader, self._tracker = loader, ConsistencyTracker()

    def update(self, chunk: Chunk) -> None:
        """Process the next frames."""
        self._tracker.add(_unit_features(chunk, self._loader))

    def result(self) -> Score:
        """Return the mean of the values."""
        return self._tracker.score(OBJECT)


class PromptSimilarity:
    """values: by frame, its cosine to the prompt. Blind to motion, which a single frame does not show."""

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        assert video.prompt is not None, "a metric is not begun without what it needs"
        scorer = loader.get(SCORER)
        with torch.inference_mode():
            words = scorer.of_texts(scorer.tokens(video.prompt).to(loader.device)).float().cpu()
        self._loader, self._words = loader, functional.normalize(words, dim=-1)
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the next frames."""
        self._values += (_unit_features(chunk, self._loader) @ self._words.T)[:, 0].tolist()

    def result(self) -> Score:
        """Return the mean of the values."""
        return Score(sum(self._values) / len(self._values), tuple(self._values))


OBJECT_CONSISTENCY: Final = Metric(
    name="embedded_object_consistency",
    title=OBJECT,
    of="pairs",
    low=0.0,
    high=1.0,
    better="higher",
    source=SOURCE,
    begin=ObjectConsistency,
    networks=(SCORER,),
    pooled="frames",
)
PROMPT_LIKENESS: Final = Metric(
    name="embedded_prompt_likeness",
    title=PROMPT,
    of="frames",
    low=-1.0,
    high=1.0,
    better="higher",
    source=SOURCE,
    begin=PromptSimilarity,
    networks=(SCORER,),
    needs=("prompt",),
)
