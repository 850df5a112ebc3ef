"""Aesthetic quality: how much people would like each frame, by LAION's predictor on CLIP embeddings."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import mean_score, unit_features
from evals.metrics.preprocessing import clip_transform
from evals.networks.aesthetic import AESTHETIC_HEAD
from evals.networks.clip import CLIP_L14
from evals.networks.weights.loader import NetworkLoader, forward

TITLE: Final = "Aesthetic quality"
TOP: Final = 10.0
"""The highest rating that people could give."""


class AestheticQuality:
    """values: by frame, the predicted rating over 10. Not clipped, so it may be below 0 or above 1."""

    def __init__(self, _: Video, loader: NetworkLoader) -> None:
        loader.get(CLIP_L14)
        self._loader, self._head = loader, loader.get(AESTHETIC_HEAD)
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the centre squares of the next frames."""
        vectors = unit_features(self._loader, CLIP_L14, clip_transform(chunk.frames))
        marks = forward(self._head, vectors.to(self._loader.device), len(vectors))[:, 0]
        self._values.extend((marks / TOP).tolist())

    def result(self) -> Score:
        """Return the mean of the values."""
        return mean_score(TITLE, self._values)


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
