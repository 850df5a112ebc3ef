"""A5: clips between two pictures, made by the embedded pipeline."""

from dataclasses import dataclass
from typing import Any

from models.agent import Bookmark, Clip, ConnectSpec, Progress
from models.backends.denoising import Loops
from models.backends.image_to_video import frames_of, to_tensor
from models.backends.noise import generator
from models.embedded.pipelines import num_chunks
from models.presets import Preset


@dataclass(frozen=True)
class ConnectVideos:
    """The agent A5: `ClipBetweenImagesPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: ConnectSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:
        """Return a clip of `spec.num_frames` frames at the row's rate that begins and ends with the given pictures."""
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps
        noise = generator(spec.seed)
        loops_in_all = num_chunks(spec.num_frames, spec.frames_at_once)
        with Loops(self, [spec], [noise], steps, progress, bookmark, loops_in_all) as loops:
            frames = self.pipeline(
                to_tensor(spec.before),
                to_tensor(spec.after),
                num_frames=spec.num_frames,
                num_inference_steps=steps,
                generator=noise,
                frames_at_once=spec.frames_at_once,
                callback_on_step_end=loops,
            )
        return Clip(frames_of(frames), self.row.fps)
