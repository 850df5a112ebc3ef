"""Temporal flickering: how little consecutive frames differ. Uses no network.

VBench defines it for static scenes; motion lowers the score as well.
"""

from typing import Final

import numpy as np

from evals.metrics.base import Chunk, Metric, Score, Video, mean, undefined
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array

TITLE: Final = "Temporal flickering"
WHITE: Final = 255.0


class TemporalFlickering:
    """values: by pair of consecutive frames, (255 - mean absolute difference) / 255."""

    def __init__(self, _: Video, __: NetworkLoader) -> None:
        self._previous: UInt8Array | None = None
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, uncropped; one is kept."""
        for frame in chunk.as_opencv:
            if self._previous is not None:
                difference = np.abs(frame.astype(np.int16) - self._previous).mean()
                self._values.append(float((WHITE - difference) / WHITE))
            self._previous = frame

    def result(self) -> Score:
        """Return the mean of the values."""
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
