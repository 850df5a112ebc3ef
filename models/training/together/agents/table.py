"""Which trainable serves which pipeline, loaded as generation loads it."""

from collections.abc import Callable
from typing import Any

from models.backends import loading
from models.errors import WeightsMissing
from models.presets import Preset
from models.training.together.agents.clips import StableVideoClip, WanClip
from models.training.together.agents.embedded import LayoutImage, LocatedClip, LocatedEdit
from models.training.together.agents.pictures import Pix2Pix, Sdxl
from models.training.together.contract import Trainable

KINDS: dict[str, Callable[[Any, Preset], Trainable]] = {
    "ImageFromLayoutPipeline": lambda pipeline, _row: LayoutImage(pipeline),
    "EditImagePipeline": lambda pipeline, _row: LocatedEdit(pipeline),
    "ClipFromImagePipeline": lambda pipeline, _row: LocatedClip(pipeline),
    "StableDiffusionXLPipeline": lambda pipeline, _row: Sdxl(pipeline),
    "StableDiffusionInstructPix2PixPipeline": lambda pipeline, _row: Pix2Pix(pipeline),
    "StableVideoDiffusionPipeline": lambda pipeline, row: StableVideoClip(pipeline, options=row.options, fps=row.fps),
    "WanImageToVideoPipeline": lambda pipeline, _row: WanClip(pipeline),
}


def load_trainable(row: Preset, placement: loading.Placement) -> Trainable:
    """Load the pipeline of a row as generation does, frozen, and return it as a trainable.

    Raises WeightsMissing, also for a pipeline that cannot be trained here.
    """
    if row.pipeline not in KINDS:
        raise WeightsMissing(
            "model-not-trainable",
            f"{row.role} of {row.profile} is a {row.pipeline}, which cannot be trained here; choose another profile",
            role=row.role,
            profile=row.profile,
        )
    pipeline = loading.load(row, placement)
    if getattr(pipeline, "transformer_2", None) is not None:
        raise WeightsMissing(
            "model-of-two-networks",
            f"{row.weights} has two transformers, one for each end of the noise; take a model with one",
            weights=row.weights,
        )
    for part in pipeline.components.values():
        if hasattr(part, "requires_grad_"):
            part.requires_grad_(False)
    return KINDS[row.pipeline](pipeline, row)
