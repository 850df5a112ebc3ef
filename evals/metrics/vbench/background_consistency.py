"""Background consistency: how similar the scene stays along a video, by CLIP embeddings of all frames."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import ConsistencyTracker, unit_features
from evals.metrics.preprocessing import clip_transform
from evals.networks.clip import CLIP_B32
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Background consistency"


class BackgroundConsistency:
    """values: by frame from the second on, (max(0, cos to the previous) + max(0, cos to the first)) / 2."""

    def __init__(self, _: Video, loader: NetworkLoader) -> None:
        loader.get(CLIP_B32)
        self._loader, self._tracker = loader, ConsistencyTracker()

    def update(self, chunk: Chunk) -> None:
        """Process the centre squares of the next frames."""
        self._tracker.add(unit_features(self._loader, CLIP_B32, clip_transform(chunk.frames)))

    def result(self) -> Score:
        """Return the mean of the values."""
        return self._tracker.score(TITLE)


METRIC: Final = Metric(
    name="background_consistency",
    title=TITLE,
    of="pairs",
    low=0.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982), CLIP ViT-B/32",
    begin=BackgroundConsistency,
    networks=(CLIP_B32,),
    pooled="frames",
)
