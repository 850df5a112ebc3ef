"""Aesthetic quality: how much people would like each frame as a picture, by LAION's predictor on CLIP's vectors."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import directions, scored
from evals.metrics.preprocessing import clip_transform
from evals.networks.aesthetic import AESTHETIC_HEAD
from evals.networks.clip import CLIP_L14
from evals.networks.weights.loader import NetworkLoader, forward

TITLE: Final = "Aesthetic quality"
TOP: Final = 10.0
"""The best mark that people could give."""


class AestheticQuality:
    """values: by frame, the predicted mark over 10. Not cut off: a network may predict less than 0 or more than 1."""

    def __init__(self, _: Video, loader: NetworkLoader) -> None:
        loader.get(CLIP_L14)
        self._loader, self._head = loader, loader.get(AESTHETIC_HEAD)
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, of each the centre square."""
        vectors = directions(self._loader, CLIP_L14, clip_transform(chunk.frames))
        marks = forward(self._head, vectors.to(self._loader.device), len(vectors))[:, 0]
        self._values.extend((marks / TOP).tolist())

    def result(self) -> Score:
        """The mean of the values."""
        return scored(TITLE, self._values)


METRIC: Final = Metric(
    name="aesthetic_quality",
    title=TITLE,
    of="frames",
    low=None,
    high=None,
    better="higher",
    source="VBench (arXiv 2311.17982), CLIP ViT-L/14 and LAION's linear predictor",
    begin=AestheticQuality,
    networks=(CLIP_L14, AESTHETIC_HEAD),
)
