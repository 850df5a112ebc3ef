"""A2: pictures from text, with any diffusers text-to-image pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.agent import Bookmark, ImageSpec, Picture, Progress, UInt8Array
from models.backends.denoising import Loops
from models.backends.noise import generator
from models.errors import Degenerate
from models.presets import Preset


@dataclass(frozen=True)
class TextToImage:
    """The agent A2: a loaded pipeline and its preset."""

    pipeline: Any
    row: Preset
    weights: str
    numerics: str

    def __call__(self, spec: ImageSpec, *, progress: Progress, bookmark: Bookmark | None = None) -> Picture:
        """Return a picture of the row's size. Raises Degenerate if the output is not finite."""
        return self.many([spec], progress=progress, bookmark=bookmark)[0]

    def many(
        self, specs: Sequence[ImageSpec], *, progress: Progress, bookmark: Bookmark | None = None
    ) -> list[Picture]:
        """Return a picture for each spec from one batched call of the pipeline; the specs differ only in the seed."""
        spec = specs[0]
        assert all(replace(each, seed=spec.seed) == spec for each in specs), "candidates differ in more than the seed"
        steps = self.row.steps if spec.num_inference_steps is None else spec.num_inference_steps
        seeds = [generator(each.seed) for each in specs]
        with Loops(self, specs, seeds, steps, progress, bookmark) as loops:
            pixels = self.pipeline(
                spec.prompt,
                num_images_per_prompt=len(specs),
                num_inference_steps=steps,
                guidance_scale=self.row.guidance if spec.guidance_scale is None else spec.guidance_scale,
                width=self.row.width,
                height=self.row.height,
                generator=seeds,
                output_type="np",
                callback_on_step_end=loops,
            ).images
        return [Picture(each) for each in to_uint8(pixels)]


def to_uint8(pixels: Any) -> UInt8Array:
    """Convert float (..., 3) in 0..1 to uint8, rounded. Raises Degenerate if a value is not finite."""
    if not np.isfinite(pixels).all():
        raise Degenerate(
            "output-not-finite", "the model's output is not a number everywhere; try another seed or dtype float32"
        )
    rounded: UInt8Array = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return rounded
