"""Appearance style: how well each frame matches the words of a style, by CLIP embeddings."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import mean_score, unit_features
from evals.metrics.preprocessing import clip_transform_pil
from evals.networks.clip import CLIP_B32
from evals.networks.clip_tokenizer import is_cut
from evals.networks.weights.loader import NetworkLoader, full_precision

TITLE: Final = "Appearance style"
PUBLISHED_SCALE: Final = 100.0
"""The logit scale of the published CLIP; VBench divides its logits by this."""


class AppearanceStyle:
    """values: by frame, the cosine to the style (times the weights' logit scale over 100: 1 for the published weights).

    The text is the style, such as "Van Gogh style", not the prompt.
    """

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        assert video.style is not None, "a metric is begun when the video has what it needs"
        clip = loader.get(CLIP_B32)
        with full_precision():
            style = clip.texts([video.style])[0]
            self._style = (clip.scale * style / style.norm() / PUBLISHED_SCALE).cpu()
        self._loader, self._cut = loader, is_cut(video.style)
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the centre squares of the next frames, resized by PIL."""
        vectors = unit_features(self._loader, CLIP_B32, clip_transform_pil(chunk.frames))
        self._values.extend((vectors @ self._style).tolist())

    def result(self) -> Score:
        """Return the mean of the values."""
        score = mean_score(TITLE, self._values)
        note = "The words of the style are longer than CLIP reads (77 tokens); their end was ignored."
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
