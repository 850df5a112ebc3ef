"""Subject consistency: how much the subject stays itself along a video, by DINO's features of all frames."""

from typing import Final

from evals.metrics.base import CannotScore, Chunk, Metric, Score, Video
from evals.metrics.features import Along, directions
from evals.metrics.preprocessing import dino_transform
from evals.networks.dino import DINO
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Subject consistency"
WIDEST: Final = 16
"""Times that one side may be as long as the other. DINO sees the whole of a frame, so what it costs grows with this."""


class SubjectConsistency:
    """values: by frame from the second on, (max(0, cos to the frame before) + max(0, cos to the first)) / 2."""

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        sides = video.width, video.height
        if max(sides) > WIDEST * min(sides):
            raise CannotScore(f"{TITLE} cannot be read from {sides[0]}x{sides[1]} pixels; cut out what matters.")
        loader.get(DINO)
        self._loader, self._along = loader, Along()

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, each at 224 on its shorter side and not cropped."""
        self._along.follow(directions(self._loader, DINO, dino_transform(chunk.frames)))

    def result(self) -> Score:
        """The mean of the values."""
        return self._along.score(TITLE)


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
