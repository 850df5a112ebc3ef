"""A4: clips from a picture, made by the embedded pipeline or by Stable Video Diffusion."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from models.agent import Bookmark, Clip, Picture, Progress, UInt8Array, VideoSpec
from models.backends.denoising import Loops
from models.backends.noise import generator
from models.backends.text_to_image import to_uint8
from models.embedded.pipelines import num_chunks
from models.presets import Preset

SHORTEST_SEGMENT = 14
"""Frames of the shortest clips that Stable Video Diffusion was trained on (its model card; the XT weights: 25)."""


@dataclass(frozen=True)
class ImageToVideo:
    """The agent A4 on `ClipFromImagePipeline`, in which the text guides the motion."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: VideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:
        """Return a clip of `spec.num_frames` frames at the row's rate; the first frame is the given picture."""
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps
        noise = generator(spec.seed)
        loops_in_all = num_chunks(spec.num_frames, spec.frames_at_once)
        with Loops(self, [spec], [noise], steps, progress, bookmark, loops_in_all) as loops:
            frames = self.pipeline(
                spec.prompt,
                to_tensor(spec.image),
                num_frames=spec.num_frames,
                num_inference_steps=steps,
                guidance_scale=self.row.guidance if spec.guidance_scale is None else spec.guidance_scale,
                generator=noise,
                frames_at_once=spec.frames_at_once,
                callback_on_step_end=loops,
            )
        return Clip(frames_of(frames), self.row.fps)


def to_tensor(picture: Picture) -> torch.Tensor:
    """Convert a picture, uint8 (H, W, 3), to float32 (3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(picture.pixels)).movedim(-1, 0).float() / 127.5 - 1


def frames_of(frames: torch.Tensor) -> UInt8Array:
    """Convert frames, float (T, 3, H, W) in [-1, 1], to uint8 (T, H, W, 3). Raises Degenerate if one is not finite."""
    return to_uint8(((frames + 1) / 2).movedim(1, -1).cpu().numpy())


@dataclass(frozen=True)
class StableVideo:
    """The agent A4 of the paper's first configuration: Stable Video Diffusion, which takes no text."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: VideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:
        """Return a clip made of segments of `row.num_frames` frames, or of fewer to save memory.

        Each segment starts from the last frame of the one before; the shared frame appears once.
        """
        length = self.row.num_frames
        if spec.frames_at_once is not None:
            length = min(length, max(SHORTEST_SEGMENT, spec.frames_at_once))
        added = length - 1
        segments = max(1, -(-(spec.num_frames - 1) // added))
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps
        noise, frames = generator(spec.seed), spec.image.pixels[None]
        with Loops(self, [spec], [noise], steps, progress, bookmark, segments) as loops:
            for segment in range(segments):
                made = self._segment(frames[-1], length, spec, noise, loops)
                frames = made if segment == 0 else np.concatenate([frames, made[1:]])
        return Clip(frames[: spec.num_frames], self.row.fps)

    def _segment(self, first: Any, length: int, spec: VideoSpec, noise: torch.Generator, loops: Loops) -> Any:
        options = self.row.options
        chunk = int(options["decode_chunk_size"])
        made = self.pipeline(
            Image.fromarray(first),
            height=first.shape[0],
            width=first.shape[1],
            num_frames=length,
            num_inference_steps=loops.steps,
            max_guidance_scale=self.row.guidance if spec.guidance_scale is None else spec.guidance_scale,
            fps=round(self.row.fps),
            motion_bucket_id=int(options["motion_bucket_id"]),
            noise_aug_strength=options["noise_aug_strength"],
            decode_chunk_size=chunk if spec.frames_at_once is None else min(chunk, spec.frames_at_once),
            generator=noise,
            output_type="np",
            callback_on_step_end=loops,
        ).frames[0]
        return to_uint8(made)
