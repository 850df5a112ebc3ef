"""TCON and T_mean, Mora's own: how alike a clip is to the clips beside it, by ViCLIP's vectors of them.

TCON is asked of an extended clip and the clip it goes on from; a copy of that clip would score 1. T_mean is asked of a
transition: the mean of its likeness to the clip before and to the clip after.
"""

from typing import Final

from torch import Tensor

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import scored
from evals.metrics.vbench.clip_vectors import clip_direction, clip_frames, direction_of
from evals.networks.viclip import VICLIP
from evals.networks.weights.loader import NetworkLoader

SOURCE: Final = "Mora (arXiv 2403.13248), section 4.1; ViCLIP-L/14, eight middle frames of each clip"


class Beside:
    """values: by clip beside it, the cosine of both clips' vectors."""

    def __init__(self, title: str, neighbours: list[Tensor], video: Video, loader: NetworkLoader) -> None:
        self._title, self._neighbours = title, neighbours
        self._video, self._loader = video, loader
        self._frames = clip_frames(video, loader)

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, of which eight are looked at."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """The mean of the values."""
        direction = clip_direction(self._video, self._loader)
        score = scored(self._title, [float(direction @ neighbour) for neighbour in self._neighbours])
        return Score(score.value, score.values, score.note, {"frames": self._frames.indices})


def begin_tcon(video: Video, loader: NetworkLoader) -> Beside:
    """A reading of a clip that goes on from another. Raises MissingWeights, BadWeights."""
    assert video.before is not None, "a metric is begun when the video has what it needs"
    return Beside(TCON.title, [direction_of(video.before, loader)], video, loader)


def begin_tmean(video: Video, loader: NetworkLoader) -> Beside:
    """A reading of a transition. Raises MissingWeights, BadWeights."""
    assert video.before is not None and video.after is not None, "a metric is begun when the video has what it needs"
    return Beside(TMEAN.title, [direction_of(clip, loader) for clip in (video.before, video.after)], video, loader)


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
