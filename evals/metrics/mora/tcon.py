"""TCON and T_mean, Mora's metrics for the similarity of a clip to its neighbours, by ViCLIP embeddings.

TCON compares an extension with the clip that it continues; a copy of that clip would score 1. T_mean is the mean
similarity of a transition to the clip before and to the clip after it.
"""

from typing import Final

from torch import Tensor

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import mean_score
from evals.metrics.vbench.clip_vectors import clip_embedding, clip_frames, embedding_of
from evals.networks.viclip import VICLIP
from evals.networks.weights.loader import NetworkLoader

SOURCE: Final = "Mora (arXiv 2403.13248), section 4.1; ViCLIP-L/14, eight middle frames of each clip"


class NeighbourSimilarity:
    """values: by neighbouring clip, the cosine of both clips' embeddings."""

    def __init__(self, title: str, neighbours: list[Tensor], video: Video, loader: NetworkLoader) -> None:
        self._title, self._neighbours = title, neighbours
        self._video, self._loader = video, loader
        self._frames = clip_frames(video, loader)

    def update(self, chunk: Chunk) -> None:
        """Process the next frames; eight of the video are used."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """Return the mean of the values."""
        direction = clip_embedding(self._video, self._loader)
        score = mean_score(self._title, [float(direction @ neighbour) for neighbour in self._neighbours])
        return Score(score.value, score.values, score.note, {"frames": self._frames.indices})


def begin_tcon(video: Video, loader: NetworkLoader) -> NeighbourSimilarity:
    """Start a reading of a clip that continues another. Raises MissingWeights, BadWeights."""
    assert video.before is not None, "a metric is begun when the video has what it needs"
    return NeighbourSimilarity(TCON.title, [embedding_of(video.before, loader)], video, loader)


def begin_tmean(video: Video, loader: NetworkLoader) -> NeighbourSimilarity:
    """Start a reading of a transition. Raises MissingWeights, BadWeights."""
    assert video.before is not None and video.after is not None, "a metric is begun when the video has what it needs"
    return NeighbourSimilarity(
        TMEAN.title, [embedding_of(clip, loader) for clip in (video.before, video.after)], video, loader
    )


TCON: Final = Metric(
    name="tcon",
    title="TCON",
    of="video",
    low=-1.0,
    high=1.0,
    better="higher",
    source=SOURCE,
    begin=begin_tcon,
    networks=(VICLIP,),
    needs=("before",),
)
TMEAN: Final = Metric(
    name="tmean",
    title="T_mean",
    of="video",
    low=-1.0,
    high=1.0,
    better="higher",
    source=SOURCE,
    begin=begin_tmean,
    networks=(VICLIP,),
    needs=("before", "after"),
)
