"""VideoTI, Mora's metric for how well a video shows its picture and instruction, compared as texts.

One captioner describes the picture, another the video, and a text encoder compares the descriptions. The paper names
LLaVA, Video-LLaMA and BERT, but neither their variants nor the pooling. All three can therefore be chosen (the clip's
captioner is by default the picture's), and every score stores them: models, digests, question, frames, pooling. Scores
with different models cannot be compared.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

import numpy as np
from torch import Tensor
from torch.nn import functional

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import mean_score
from evals.metrics.vbench.clip_vectors import middle_frames
from evals.networks.language import Bert, Describer
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.loader import NetworkLoader
from evals.networks.weights.network import Network
from models.agent import UInt8Array

TITLE: Final = "VideoTI"
SEEN: Final = 8
"""Frames of a video that the captioner receives."""


class Captioner(Protocol):
    """Describes pictures in a sentence."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What the caption depends on (model, digest, question); stored with the score."""

    def caption(self, frames: UInt8Array) -> str:
        """Describe a picture or the frames of a clip: RGB uint8 (N, H, W, 3)."""


class TextEncoder(Protocol):
    """Encodes a text as a vector."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What the vector depends on (model, digest, pooling); stored with the score."""

    def encode(self, text: str) -> Tensor:
        """Return the text's vector, float32 (C,)."""


class VideoTI:
    """No values; the cosine of two texts: the instruction with the picture's caption, and the video's caption."""

    def __init__(
        self, picture: Captioner, clip: Captioner, encoder: TextEncoder, video: Video, _: NetworkLoader
    ) -> None:
        assert video.image is not None and video.prompt is not None, (
            "a metric is begun when the video has what it needs"
        )
        self._picture, self._clip, self._encoder = picture, clip, encoder
        self._image, self._prompt = video.image, video.prompt
        self._indices: Final = middle_frames(video.num_frames, SEEN)
        self._frames: dict[int, UInt8Array] = {}

    def update(self, chunk: Chunk) -> None:
        """Process the next frames; eight of the video are kept."""
        for place, frame in enumerate(chunk.frames):
            if chunk.first + place in self._indices:
                self._frames[chunk.first + place] = frame.copy()

    def result(self) -> Score:
        """Return the cosine, -1..1. details: the captions and the models."""
        shown = np.stack([self._frames[index] for index in sorted(self._frames)])
        said = f"{self._prompt} {self._picture.caption(self._image[None])}"
        seen = self._clip.caption(shown)
        cosine = float(functional.cosine_similarity(self._encoder.encode(said), self._encoder.encode(seen), dim=0))
        details = {
            "said": said,
            "seen": seen,
            "frames": sorted(self._frames),
            "picture_captioner": dict(self._picture.identity),
            "clip_captioner": dict(self._clip.identity),
            "text_encoder": dict(self._encoder.identity),
        }
        return Score(cosine, (), mean_score(TITLE, [cosine]).note, details)


CAPTIONER: Final = Network(WEIGHTS["captioner"], Describer)
CLIP_CAPTIONER: Final = Network(WEIGHTS["clip_captioner"], Describer)
TEXT_ENCODER: Final = Network(WEIGHTS["text_encoder"], Bert)


def begin(video: Video, loader: NetworkLoader) -> VideoTI:
    """Start a reading with the loader's models. Raises MissingWeights, BadWeights."""
    return VideoTI(loader.get(CAPTIONER), loader.get(CLIP_CAPTIONER), loader.get(TEXT_ENCODER), video, loader)


METRIC: Final = Metric(
    name="video_ti",
    title=TITLE,
    of="video",
    low=-1.0,
    high=1.0,
    better="higher",
    source="Mora (arXiv 2403.13248), section 4.1",
    begin=begin,
    networks=(CAPTIONER, CLIP_CAPTIONER, TEXT_ENCODER),
    needs=("image", "prompt"),
)


def video_ti(picture: Captioner, clip: Captioner, encoder: TextEncoder) -> Metric:
    """Return the metric with the given models."""
    return replace(METRIC, begin=partial(VideoTI, picture, clip, encoder), networks=())
