"""A3: picture editing with any InstructPix2Pix pipeline."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

from models.agent import Bookmark, EditSpec, Picture, Progress
from models.backends.denoising import Loops
from models.backends.noise import generator
from models.backends.text_to_image import to_uint8
from models.presets import Preset


@dataclass(frozen=True)
class EditImage:
    """The agent A3: a loaded pipeline and its preset."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: EditSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Picture:
        """Return the edited picture in the size of the given one. Raises Degenerate if the output is not finite."""
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps
        own = self.row.options["image_guidance_scale"]
        noise = generator(spec.seed)
        with Loops(self, [spec], [noise], steps, progress, bookmark) as loops:
            pixels = self.pipeline(
                spec.instruction,
                image=Image.fromarray(spec.image.pixels),
                num_inference_steps=steps,
                guidance_scale=self.row.guidance if spec.guidance_scale is None else spec.guidance_scale,
                image_guidance_scale=own if spec.image_guidance_scale is None else spec.image_guidance_scale,
                generator=noise,
                output_type="np",
                callback_on_step_end=loops,
            ).images[0]
        return Picture(to_uint8(pixels))
