"""A5: the embedded pipeline between two pictures."""

from dataclasses import dataclass
from typing import Any

from models.agent import Clip, ConnectSpec, Progress
from models.backends.image_to_video import frames_of, to_tensor
from models.backends.loading import generator
from models.presets import Preset


@dataclass(frozen=True)
class ConnectVideos:
    """The agent A5: `ClipBetweenImagesPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: ConnectSpec, *, progress: Progress) -> Clip:
        """`spec.num_frames` frames at the row's rate; the pictures, as the autoencoder sees them, first and last."""
        frames = self.pipeline(
            to_tensor(spec.before),
            to_tensor(spec.after),
            num_frames=spec.num_frames,
            num_inference_steps=self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps,
            generator=generator(spec.seed),
            on_step=progress,
        )
        return Clip(frames_of(frames), self.row.fps)
