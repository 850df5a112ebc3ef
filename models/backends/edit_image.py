"""A3 on any InstructPix2Pix pipeline."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

from models.agent import EditSpec, Picture, Progress
from models.backends.loading import generator
from models.backends.text_to_image import to_uint8
from models.presets import Preset


@dataclass(frozen=True)
class EditImage:
    """The agent A3: a loaded pipeline and the row it came from."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: EditSpec, *, progress: Progress) -> Picture:
        """The changed picture, in the size of the given one. Raises Degenerate when the numbers went wrong."""
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps

        def on_step(_pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            progress(step + 1, steps)
            return tensors

        own = self.row.options["image_guidance_scale"]
        pixels = self.pipeline(
            spec.instruction,
            image=Image.fromarray(spec.image.pixels),
            num_inference_steps=steps,
            guidance_scale=self.row.guidance if spec.guidance_scale is None else spec.guidance_scale,
            image_guidance_scale=own if spec.image_guidance_scale is None else spec.image_guidance_scale,
            generator=generator(spec.seed),
            output_type="np",
            callback_on_step_end=on_step,
        ).images[0]
        return Picture(to_uint8(pixels))
