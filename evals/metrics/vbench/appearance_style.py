"""Appearance style: how near each frame comes to the words of a style, by CLIP's vectors of both."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import directions, scored
from evals.metrics.preprocessing import clip_transform_pil
from evals.networks.clip import CLIP_B32
from evals.networks.clip_tokenizer import is_cut
from evals.networks.weights.loader import NetworkLoader, exactly

TITLE: Final = "Appearance style"
PUBLISHED_SCALE: Final = 100.0
"""What a cosine is multiplied with in the published CLIP; VBench divides its logits by this."""


class AppearanceStyle:
    """values: by frame, the cosine to the style (times the weights' own scale over 100, which is 1 as published).

    The words are those of the style, such as "Van Gogh style", not the prompt.
    """

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        assert video.style is not None, "a metric is begun when the video has what it needs"
        clip = loader.get(CLIP_B32)
        with exactly():
            style = clip.texts([video.style])[0]
            self._style = (clip.scale * style / style.norm() / PUBLISHED_SCALE).cpu()
        self._loader, self._cut = loader, is_cut(video.style)
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, of each the centre square, resized by PIL."""
        vectors = directions(self._loader, CLIP_B32, clip_transform_pil(chunk.frames))
        self._values.extend((vectors @ self._style).tolist())

    def result(self) -> Score:
        """The mean of the values."""
        score = scored(TITLE, self._values)
        note = "The words of the style are more than CLIP reads (77 tokens); the end was left out."
        return Score(score.value, score.values, score.note or (note if self._cut else None))


METRIC: Final = Metric(
    name="appearance_style",
    title=TITLE,
    of="frames",
    low=-1.0,
    high=1.0,
    better="higher",
    source="VBench (arXiv 2311.17982), CLIP ViT-B/32",
    begin=AppearanceStyle,
    networks=(CLIP_B32,),
    needs=("style",),
    pooled="frames",
)
