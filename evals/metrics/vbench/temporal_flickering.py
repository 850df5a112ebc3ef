"""Temporal flickering: how little neighbouring frames differ. No network; a video that moves differs too.

VBench means it for videos of static scenes; of others it says how calm they are.
"""

from typing import Final

import numpy as np

from evals.metrics.base import Chunk, Metric, Score, Video, mean, undefined
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array

TITLE: Final = "Temporal flickering"
WHITE: Final = 255.0


class TemporalFlickering:
    """values: by pair of neighbours, (255 - mean absolute difference) / 255."""

    def __init__(self, _: Video, __: NetworkLoader) -> None:
        self._former: UInt8Array | None = None
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, whole; one is kept."""
        for frame in chunk.as_opencv:
            if self._former is not None:
                difference = np.abs(frame.astype(np.int16) - self._former).mean()
                self._values.append(float((WHITE - difference) / WHITE))
            self._former = frame

    def result(self) -> Score:
        """The mean of the values."""
        if not self._values:
            return undefined(f"{TITLE} compares frames and this video has one; give it two or more.")
        return Score(mean(self._values), tuple(self._values))


METRIC: Final = Metric(
    name="temporal_flickering",
    title=TITLE,
    of="pairs",
    low=0.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982)",
    begin=TemporalFlickering,
)
