"""Subject consistency: how similar the subject stays along a video, by DINO features of all frames."""

from typing import Final

from evals.metrics.base import CannotScore, Chunk, Metric, Score, Video
from evals.metrics.features import ConsistencyTracker, unit_features
from evals.metrics.preprocessing import dino_transform
from evals.networks.dino import DINO
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Subject consistency"
WIDEST: Final = 16
"""Greatest aspect ratio. DINO reads frames uncropped, so its cost grows with it."""


class SubjectConsistency:
    """values: by frame from the second on, (max(0, cos to the previous) + max(0, cos to the first)) / 2."""

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        sides = video.width, video.height
        if max(sides) > WIDEST * min(sides):
            raise CannotScore(
                "frames-too-narrow",
                f"{TITLE} cannot be read from {sides[0]}x{sides[1]} pixels; cut out what matters.",
                metric=TITLE,
            )
        loader.get(DINO)
        self._loader, self._tracker = loader, ConsistencyTracker()

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, resized to 224 on the shorter side and uncropped."""
        self._tracker.add(unit_features(self._loader, DINO, dino_transform(chunk.frames)))

    def result(self) -> Score:
        """Return the mean of the values."""
        return self._tracker.score(TITLE)


METRIC: Final = Metric(
    name="subject_consistency",
    title=TITLE,
    of="pairs",
    low=0.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982), DINO ViT-B/16; the paper's Object Consistency",
    begin=SubjectConsistency,
    networks=(DINO,),
    pooled="frames",
)
