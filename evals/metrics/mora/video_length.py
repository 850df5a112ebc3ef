"""Video length in seconds, as in the paper's tables."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Video length"


class VideoLength:
    """No values; the number of frames over the frame rate."""

    def __init__(self, video: Video, _: NetworkLoader) -> None:
        self._fps = video.fps
        self._num_frames = 0

    def update(self, chunk: Chunk) -> None:
        """Count the next frames."""
        self._num_frames += len(chunk.frames)

    def result(self) -> Score:
        """Return the length in seconds."""
        return Score(
            float(self._num_frames / self._fps), details={"num_frames": self._num_frames, "fps": str(self._fps)}
        )


METRIC: Final = Metric(
    name="video_length",
    title=TITLE,
    of="video",
    low=0.0,
    high=None,
    better="neither",
    source="Mora (arXiv 2403.13248), Video Length",
    begin=VideoLength,
)
