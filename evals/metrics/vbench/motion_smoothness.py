"""Motion smoothness: how well AMT-S predicts every second frame from its neighbours."""

from typing import Final

import numpy as np
import torch

from evals.metrics.base import Chunk, Metric, Reading, Score, Undefined, Video
from evals.metrics.features import mean_score
from evals.metrics.preprocessing import floats, padded, unpadded
from evals.networks.amt import AMT, SMALLEST, STRIDE
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array

TITLE: Final = "Motion smoothness"
WHITE: Final = 255.0


class MotionSmoothness:
    """values: by odd frame with two neighbours, (255 - mean absolute difference to the predicted frame) / 255.

    The predicted frame is truncated to whole levels, not rounded, as in VBench. Keeps two frames.
    """

    def __init__(self, loader: NetworkLoader) -> None:
        self._loader, self._amt = loader, loader.get(AMT)
        self._pending: UInt8Array | None = None
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, uncropped."""
        frames = chunk.as_opencv if self._pending is None else np.concatenate([self._pending, chunk.as_opencv])
        used = (len(frames) - 1) // 2 * 2
        step = 2 * self._loader.batch
        for start in range(0, used, step):
            self._compare(frames[start : min(start + step, used) + 1])
        self._pending = frames[used:].copy()

    def _compare(self, frames: UInt8Array) -> None:
        """Compare frames (2 N + 1, H, W, 3), the first of which has an even index."""
        height, width = frames.shape[1:3]
        pixels = floats(frames).to(self._loader.device)
        even, odd = padded(pixels[::2] / WHITE, STRIDE), pixels[1::2]
        with torch.inference_mode():
            predicted = unpadded(self._amt(even[:-1], even[1:]), height, width)
        difference = ((predicted * WHITE).trunc() - odd).abs().double().mean(dim=(1, 2, 3))
        self._values.extend(((WHITE - difference) / WHITE).tolist())

    def result(self) -> Score:
        """Return the mean of the values; of an even number of frames the last one is ignored."""
        return mean_score(TITLE, self._values)


def begin(video: Video, loader: NetworkLoader) -> Reading:
    """Start a reading; a video that is too short or too small has no score. Raises MissingWeights, BadWeights."""
    if video.num_frames < 3:
        return Undefined(f"{TITLE} predicts a frame from both neighbours and needs three; this video has fewer.")
    if min(video.width, video.height) <= SMALLEST - STRIDE:
        return Undefined(
            f"{TITLE} needs more than {SMALLEST - STRIDE} pixels a side, or AMT's correlations have no coarsest level; "
            f"this video is {video.width}x{video.height}."
        )
    return MotionSmoothness(loader)


METRIC: Final = Metric(
    name="motion_smoothness",
    title=TITLE,
    of="pairs",
    low=0.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982), AMT-S",
    begin=begin,
    networks=(AMT,),
)
