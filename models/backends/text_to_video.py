"""Text-to-video systems that Mora is compared with: ModelScope and CogVideoX."""

from dataclasses import dataclass
from typing import Any

from diffusers import CogVideoXDPMScheduler

from models.agent import Bookmark, Clip, Progress, TextToVideoSpec
from models.backends.denoising import Loops
from models.backends.noise import generator
from models.backends.text_to_image import to_uint8
from models.presets import Preset


@dataclass(frozen=True)
class TextToVideo:
    """ModelScope's text-to-video and its derivatives, on `TextToVideoSDPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: TextToVideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:  # noqa: ARG002
        """Return `spec.num_frames` frames of the row's size and rate. Raises Degenerate if the output is not finite.

        The pipeline's callback reports steps but cannot replace latents, so no bookmark is kept.
        """
        shared = _arguments(self.row, spec)
        steps = shared["num_inference_steps"]
        frames = self.pipeline(
            **shared, output_type="np", callback=lambda step, _time, _latents: progress(min(step + 1, steps), steps)
        ).frames[0]
        return Clip(to_uint8(frames), self.row.fps)


@dataclass(frozen=True)
class CogVideo:
    """CogVideoX, on `CogVideoXPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: TextToVideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:
        """Return `spec.num_frames` frames of the 4 n + 1 that the model makes. Raises Degenerate as `TextToVideo`."""
        shared = _arguments(self.row, spec)
        if isinstance(self.pipeline.scheduler, CogVideoXDPMScheduler):
            bookmark = None  # this solver needs the previous prediction, which the pipeline does not expose
        stride = self.pipeline.vae_scale_factor_temporal
        shared["num_frames"] = -(-(spec.num_frames - 1) // stride) * stride + 1
        max_tokens = self.pipeline.transformer.config.max_text_seq_length
        with Loops(self, [spec], [shared["generator"]], shared["num_inference_steps"], progress, bookmark) as loops:
            frames = self.pipeline(
                **shared, max_sequence_length=max_tokens, output_type="np", callback_on_step_end=loops
            ).frames[0]
        return Clip(to_uint8(frames[: spec.num_frames]), self.row.fps)


def _arguments(row: Preset, spec: TextToVideoSpec) -> dict[str, Any]:
    """Return the arguments that both pipelines share."""
    return {
        "prompt": spec.prompt,
        "height": row.height,
        "width": row.width,
        "num_frames": spec.num_frames,
        "num_inference_steps": row.steps if spec.num_inference_steps is None else spec.num_inference_steps,
        "guidance_scale": row.guidance if spec.guidance_scale is None else spec.guidance_scale,
        "generator": generator(spec.seed),
    }
