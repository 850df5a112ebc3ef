"""What several metrics ask of ViCLIP: the direction of a video, from eight frames of it, and of a text. Made once."""

from itertools import pairwise
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evals.metrics.base import Chunk, Score, Video
from evals.metrics.features import answers, scored
from evals.metrics.preprocessing import clip_transform_uint8
from evals.networks.clip_tokenizer import is_cut
from evals.networks.viclip import VICLIP
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array


def middle_frames(num_frames: int, wanted: int) -> list[int]:
    """The middle of each of `wanted` equal parts of a video; of a shorter one every frame, the last one repeated.

    As VBench samples for ViCLIP; np.linspace(0, num_frames - 1, wanted) would move scores by up to 8.5e-3.
    """
    ends = np.linspace(0, num_frames, min(wanted, num_frames) + 1).astype(int).tolist()
    middles = [(start + end - 1) // 2 for start, end in pairwise(ends)]
    return middles + [middles[-1]] * (wanted - len(middles))


class ClipFrames:
    """Gathers the frames of a video that ViCLIP sees, prepared. Shared: it may be shown a chunk more than once."""

    def __init__(self, num_frames: int, wanted: int) -> None:
        self.indices: Final = middle_frames(num_frames, wanted)
        self._prepared: dict[int, Tensor] = {}

    def update(self, chunk: Chunk) -> None:
        """Takes what it wants of the next frames."""
        for index in range(chunk.first, chunk.first + len(chunk.frames)):
            if index in self.indices and index not in self._prepared:
                place = index - chunk.first
                self._prepared[index] = clip_transform_uint8(chunk.frames[place : place + 1])

    def clip(self) -> Tensor:
        """(1, wanted, 3, S, S), once every frame was shown."""
        return torch.cat([self._prepared[index] for index in self.indices])[None]


def clip_frames(video: Video, loader: NetworkLoader) -> ClipFrames:
    """What gathers the video's frames, one for all metrics. Raises MissingWeights, BadWeights."""
    wanted = loader.get(VICLIP).num_frames
    return video.memo.once(f"viclip's {wanted} frames", lambda: ClipFrames(video.num_frames, wanted))


def clip_direction(video: Video, loader: NetworkLoader) -> Tensor:
    """The video's vector, of length 1: (C,), once every frame was shown to `clip_frames`."""
    frames = clip_frames(video, loader)
    return video.memo.once("viclip's direction", lambda: _direction(loader, frames.clip()))


def direction_of(frames: UInt8Array, loader: NetworkLoader) -> Tensor:
    """The vector, of length 1, of a clip given as its frames or as those that ViCLIP sees: (N, H, W, 3) -> (C,)."""
    wanted = middle_frames(len(frames), loader.get(VICLIP).num_frames)
    return _direction(loader, torch.cat([clip_transform_uint8(frames[index : index + 1]) for index in wanted])[None])


def _direction(loader: NetworkLoader, clip: Tensor) -> Tensor:
    return functional.normalize(answers(loader, VICLIP, clip), dim=-1)[0]


def text_direction(video: Video, loader: NetworkLoader) -> Tensor:
    """The vector of the prompt, of length 1: (C,). No template is put around the words."""
    assert video.prompt is not None, "a metric is begun when the video has what it needs"
    prompt = video.prompt

    def read() -> Tensor:
        with torch.inference_mode():
            return functional.normalize(loader.get(VICLIP).texts([prompt]).float().cpu(), dim=-1)[0]

    return video.memo.once("viclip's direction of the prompt", read)


class TextLikeness:
    """No values: the cosine of the video's vector and the prompt's."""

    def __init__(self, title: str, video: Video, loader: NetworkLoader) -> None:
        self._title, self._video, self._loader = title, video, loader
        self._frames = clip_frames(video, loader)
        self._text = text_direction(video, loader)

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames, of which eight are looked at."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """-1..1; about 0.1 to 0.3 for words that fit."""
        cosine = float(clip_direction(self._video, self._loader) @ self._text)
        context = len(self._loader.get(VICLIP).text_encoder.positional_embedding)
        cut = self._video.prompt is not None and is_cut(self._video.prompt, context)
        note = f"The prompt is more than ViCLIP reads ({context} tokens); the end was left out." if cut else None
        details = {"frames": self._frames.indices}
        return Score(cosine, (), scored(self._title, [cosine]).note or note, details)
