"""Systems that Mora is held against: words alone -> a clip, by ModelScope's pipeline or CogVideoX's."""

from dataclasses import dataclass
from typing import Any

from diffusers import CogVideoXDPMScheduler

from models.agent import Bookmark, Clip, Progress, TextToVideoSpec
from models.backends.denoising import Loops
from models.backends.loading import generator
from models.backends.text_to_image import to_uint8
from models.presets import Preset


@dataclass(frozen=True)
class TextToVideo:
    """ModelScope's text-to-video and its descendants: `TextToVideoSDPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: TextToVideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:  # noqa: ARG002
        """`spec.num_frames` frames of the row's size and rate. Raises Degenerate when the numbers went wrong.

        Its loop tells where it is and takes nothing back, so that no bookmark is kept.
        """
        asked = _asked(self.row, spec)
        steps = asked["num_inference_steps"]
        frames = self.pipeline(
            **asked, output_type="np", callback=lambda step, _time, _latents: progress(min(step + 1, steps), steps)
        ).frames[0]
        return Clip(to_uint8(frames), self.row.fps)


@dataclass(frozen=True)
class CogVideo:
    """CogVideoX: `CogVideoXPipeline`."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: TextToVideoSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Clip:
        """As ModelScope's; the model makes 4 n + 1 frames, of which `spec.num_frames` are kept."""
        asked = _asked(self.row, spec)
        if isinstance(self.pipeline.scheduler, CogVideoXDPMScheduler):
            bookmark = None  # the pipeline keeps what this solver needs of the step before to itself
        stride = self.pipeline.vae_scale_factor_temporal
        asked["num_frames"] = -(-(spec.num_frames - 1) // stride) * stride + 1
        most = self.pipeline.transformer.config.max_text_seq_length
        with Loops(self, [spec], [asked["generator"]], asked["num_inference_steps"], progress, bookmark) as loops:
            frames = self.pipeline(
                **asked, max_sequence_length=most, output_type="np", callback_on_step_end=loops
            ).frames[0]
        return Clip(to_uint8(frames[: spec.num_frames]), self.row.fps)


def _asked(row: Preset, spec: TextToVideoSpec) -> dict[str, Any]:
    """What both pipelines call by the same names."""
    return {
        "prompt": spec.prompt,
        "height": row.height,
        "width": row.width,
        "num_frames": spec.num_frames,
        "num_inference_steps": row.steps if spec.num_inference_steps is None else spec.num_inference_steps,
        "guidance_scale": row.guidance if spec.guidance_scale is None else spec.guidance_scale,
        "generator": generator(spec.seed),
    }
