"""A product made again from its recipe: from what the records say of it, back to the verb that made it.

The recipe may come from a stranger's file, so it is read like a planner's words: with bounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, JsonValue, ValidationError, model_validator

from memory.records import Artifact
from models.agent import Role
from tools.arguments import Prompt, Seed
from tools.assemble_film import AssembleFilm, Place, assemble_film
from tools.connect_videos import transition
from tools.context import Report, Sampling, ToolContext
from tools.edit_image import EditImage, edit_image
from tools.edit_video import EditVideo, edit_video
from tools.errors import BadInput
from tools.extend_video import backwards
from tools.image_to_video import animate
from tools.products.conform import Edge, edge_picture
from tools.text_to_image import TextToImage, text_to_images

MOST_FRAMES = 20 * 120
"""Of one product: the longest shot at the highest rate that a planner may ask for."""
MOST_TOGETHER = 64

Rate = Annotated[str, Field(pattern=r"^\d{1,9}(/[1-9]\d{0,8})?$")]


class _Asked(BaseModel):
    """What the spec of any recipe may say; what a maker does not know of is in the recipe's key only."""

    prompt: Prompt | None = None
    instruction: Prompt | None = None
    seed: Seed = 0
    together: list[Seed] = Field(default=[], max_length=MOST_TOGETHER)
    num_frames: int = Field(default=2, ge=2, le=MOST_FRAMES + 1)
    frames_at_once: int | None = Field(default=None, ge=1, le=MOST_FRAMES)
    num_inference_steps: int | None = Field(default=None, ge=1, le=1000)
    guidance_scale: float | None = Field(default=None, ge=0, le=100)
    image_guidance_scale: float | None = Field(default=None, ge=0, le=100)
    edge: Edge = "first"
    fps: Rate = "1"
    drop_first: frozenset[Place] = frozenset()
    drop_last: frozenset[Place] = frozenset()

    @model_validator(mode="after")
    def _seed_is_among_them(self) -> Self:
        if self.together and (self.seed not in self.together or len(set(self.together)) != len(self.together)):
            raise ValueError("those drawn together have each a seed of its own, and this one's is among them")
        return self


def _drawn(context: ToolContext, asked: _Asked, _parents: Sequence[Artifact], report: Report | None) -> Artifact:
    seeds = asked.together or [asked.seed]
    every = text_to_images(context, TextToImage.model_validate({"prompt": asked.prompt}), seeds=seeds, report=report)
    return every[seeds.index(asked.seed)].artifact


def _changed(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (image,) = parents
    arguments = EditImage.model_validate({"image": image.id, "instruction": asked.instruction})
    return edit_image(context, arguments, seed=asked.seed, report=report).artifact


def _animated(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (image,) = parents
    return animate(context, image, asked.prompt or "", asked.num_frames, seed=asked.seed, report=report).artifact


def _edited(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (clip,) = parents
    arguments = EditVideo.model_validate({"clip": clip.id, "instruction": asked.instruction})
    return edit_video(context, arguments, seed=asked.seed, report=report).artifact


def _connected(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    start, end = parents
    return transition(context, start, end, asked.num_frames, seed=asked.seed, report=report).artifact


def _turned(context: ToolContext, _asked: _Asked, parents: Sequence[Artifact], _report: Report | None) -> Artifact:
    (forwards,) = parents
    return backwards(context, forwards)


def _cut_out(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], _report: Report | None) -> Artifact:
    (clip,) = parents
    return edge_picture(context, clip, asked.edge)


def _joined(context: ToolContext, asked: _Asked, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    arguments = AssembleFilm(
        clips=[clip.id for clip in parents],
        fps=float(Fraction(asked.fps)),
        drop_first=asked.drop_first,
        drop_last=asked.drop_last,
    )
    return assemble_film(context, arguments, report=report).artifact


Maker = Callable[[ToolContext, _Asked, Sequence[Artifact], Report | None], Artifact]
MAKERS: dict[str, Maker] = {
    "text_to_image": _drawn,
    "edit_image": _changed,
    "image_to_video": _animated,
    "edit_video": _edited,
    "connect_videos": _connected,
    "backwards": _turned,
    "frame": _cut_out,
    "assemble_film": _joined,
}
"""By the name in the recipe; what a person gave cannot be made."""

STARTS = {
    "text_to_image": 0, "edit_image": 1, "image_to_video": 1, "edit_video": 1, "connect_videos": 2, "backwards": 1,
    "frame": 1,
}  # fmt: skip
"""From how many products each starts; a film is joined from any number."""
SAMPLING: dict[str, str] = {
    "text_to_image": "image_sampling",
    "edit_image": "edit_sampling",
    "edit_video": "edit_sampling",
    "image_to_video": "video_sampling",
    "connect_videos": "connect_sampling",
}
ROLES: dict[str, Role] = {
    "text_to_image": "text_to_image",
    "edit_image": "edit_image",
    "edit_video": "edit_image",
    "image_to_video": "image_to_video",
    "connect_videos": "connect_videos",
}
"""Whose weights a product is made with."""


def regenerate(
    context: ToolContext,
    made_by: str,
    spec: dict[str, JsonValue],
    parents: Sequence[Artifact],
    *,
    report: Report | None = None,
) -> Artifact:
    """What the verb makes in this studio of a recipe's agent, spec and parents; from the store if it has it.

    Raises BadInput for a recipe that no verb here has, AgentError.
    """
    if made_by not in MAKERS:
        raise BadInput(f"Nothing here makes what {made_by!r} made; use the version of Mora that made it.")
    try:
        asked = _Asked.model_validate(spec)
        if len(parents) != STARTS.get(made_by, len(parents)):
            raise BadInput(f"{made_by} starts from {STARTS[made_by]} products, not from {len(parents)}.")
        return MAKERS[made_by](_with_dials(context, made_by, asked), asked, parents, report)
    except ValidationError as error:
        raise BadInput(f"The recipe of {made_by} cannot be read; use the version of Mora that made it.") from error


def _with_dials(context: ToolContext, made_by: str, asked: _Asked) -> ToolContext:
    if made_by not in SAMPLING:
        return context
    dials: dict[str, Any] = {
        SAMPLING[made_by]: Sampling(asked.num_inference_steps, asked.guidance_scale, asked.image_guidance_scale),
        "frames_at_once": asked.frames_at_once,
    }
    return replace(context, **dials)
