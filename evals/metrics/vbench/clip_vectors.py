"""Compute ViCLIP embeddings of a video, from eight of its frames, and of its prompt, once for all metrics."""

from itertools import pairwise
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evals.metrics.base import Chunk, Score, Video
from evals.metrics.features import mean_score, outputs
from evals.metrics.preprocessing import clip_transform_uint8
from evals.networks.clip_tokenizer import is_cut
from evals.networks.viclip import VICLIP
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array


def middle_frames(num_frames: int, wanted: int) -> list[int]:
    """Return the middle frame of each of `wanted` equal parts of a video; a shorter video repeats its last frame.

    As VBench samples for ViCLIP; np.linspace(0, num_frames - 1, wanted) would move scores by up to 8.5e-3.
    """
    ends = np.linspace(0, num_frames, min(wanted, num_frames) + 1).astype(int).tolist()
    middles = [(start + end - 1) // 2 for start, end in pairwise(ends)]
    return middles + [middles[-1]] * (wanted - len(middles))


class ClipFrames:
    """Collects the frames of a video for ViCLIP, prepared. Shared by metrics, so chunks may arrive more than once."""

    def __init__(self, num_frames: int, wanted: int) -> None:
        self.indices: Final = middle_frames(num_frames, wanted)
        self._prepared: dict[int, Tensor] = {}

    def update(self, chunk: Chunk) -> None:
        """Collect the wanted ones of the next frames."""
        for index in range(chunk.first, chunk.first + len(chunk.frames)):
            if index in self.indices and index not in self._prepared:
                place = index - chunk.first
                self._prepared[index] = clip_transform_uint8(chunk.frames[place : place + 1])

    def clip(self) -> Tensor:
        """Return the prepared frames (1, wanted, 3, S, S), after the last frame."""
        return torch.cat([self._prepared[index] for index in self.indices])[None]


def clip_frames(video: Video, loader: NetworkLoader) -> ClipFrames:
    """Return the video's collector of frames, shared by all metrics. Raises MissingWeights, BadWeights."""
    wanted = loader.get(VICLIP).num_frames
    return video.memo.once(f"viclip's {wanted} frames", lambda: ClipFrames(video.num_frames, wanted))


def clip_embedding(video: Video, loader: NetworkLoader) -> Tensor:
    """Return the video's embedding of length 1, (C,), after `clip_frames` received the last frame."""
    frames = clip_frames(video, loader)
    return video.memo.once("viclip's direction", lambda: _embedding(loader, frames.clip()))


def embedding_of(frames: UInt8Array, loader: NetworkLoader) -> Tensor:
    """Return the embedding of length 1 of a clip: all its frames or ViCLIP's, uint8 (N, H, W, 3) -> (C,)."""
    wanted = middle_frames(len(frames), loader.get(VICLIP).num_frames)
    return _embedding(loader, torch.cat([clip_transform_uint8(frames[index : index + 1]) for index in wanted])[None])


def _embedding(loader: NetworkLoader, clip: Tensor) -> Tensor:
    return functional.normalize(outputs(loader, VICLIP, clip), dim=-1)[0]


def text_embedding(video: Video, loader: NetworkLoader) -> Tensor:
    """Return the prompt's embedding of length 1, (C,), without a template around the words."""
    assert video.prompt is not None, "a metric is begun when the video has what it needs"
    prompt = video.prompt

    def read() -> Tensor:
        with torch.inference_mode():
            return functional.normalize(loader.get(VICLIP).texts([prompt]).float().cpu(), dim=-1)[0]

    return video.memo.once("viclip's direction of the prompt", read)


class TextSimilarity:
    """No values; the cosine of the video's and the prompt's embeddings."""

    def __init__(self, title: str, video: Video, loader: NetworkLoader) -> None:
        self._title, self._video, self._loader = title, video, loader
        self._frames = clip_frames(video, loader)
        self._text = text_embedding(video, loader)

    def update(self, chunk: Chunk) -> None:
        """Process the next frames; eight of the video are used."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """Return the cosine, -1..1; about 0.1 to 0.3 for a matching prompt."""
        cosine = float(clip_embedding(self._video, self._loader) @ self._text)
        context = len(self._loader.get(VICLIP).text_encoder.positional_embedding)
        cut = self._video.prompt is not None and is_cut(self._video.prompt, context)
        note = f"The prompt is longer than ViCLIP reads ({context} tokens); its end was ignored." if cut else None
        details = {"frames": self._frames.indices}
        return Score(cosine, (), mean_score(self._title, [cosine]).note or note, details)
