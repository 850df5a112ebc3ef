"""Change a clip with A3: frame by frame, or by animating the changed first frame with A4 for a new motion."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from memory.products.files import Made, Produced
from memory.records import Artifact
from models.agent import Bookmark, Clip, Progress
from tools.arguments import Arguments, ArtifactId, Draft, Prompt, RecipeSpec, Sentence, described
from tools.context import (
    Implementation,
    Remake,
    Report,
    ToolContext,
    clip_product,
    made_on,
    one_by_one,
    progress_of,
    recipe_of,
)
from tools.edit_image import EditImage, edit_asked, edit_image, edit_spec
from tools.errors import BadInput
from tools.image_to_video import animate
from tools.media.codecs import clip_writer, exact_rate, fit, frame_reader, frames_of
from tools.products.conform import edge_picture, rate_of, retimed_count, stored_clip
from tools.products.partial_edit import EditedFrames

Kept = Literal["kept", "new"]

MOST_FRAMES = 2400
"""Frames edited one by one and held in memory together: twenty seconds at the highest rate."""


DESCRIPTION = (
    "Changes a stored clip as an instruction says. Name only what is to change; everything else stays.\n\n"
    "The clip keeps its motion, or gets a new one: then say in the prompt what moves and how."
)


class EditVideo(Arguments):
    """Changes a stored clip as an instruction says. Name only what is to change; everything else stays.

    The clip keeps its motion, or gets a new one: then say in the prompt what moves and how.
    """

    model_config = described(DESCRIPTION)

    clip: ArtifactId
    instruction: Prompt
    motion: Kept = Field(default="kept", description="Whether the clip's own motion stays")
    prompt: Prompt | None = Field(default=None, description="What moves and how; only for a new motion")

    @model_validator(mode="after")
    def _new_motion_is_said(self) -> Self:
        if self.motion == "new" and self.prompt is None:
            raise ValueError("a new motion needs a prompt that says what moves and how")
        return self


class EditVideoArguments(Draft):
    """Arguments of a planned call. prompt: describes the motion, if it is a new one."""

    model_config = described("What A3 is told of a clip. `prompt` is that of its motion, if it is a new one.")

    instruction: Sentence
    clip: str
    motion: Kept = "kept"
    prompt: Sentence | None = None


def edit_video(context: ToolContext, arguments: EditVideo, *, seed: int, report: Report | None = None) -> Made:
    """Store the changed clip, losslessly, in the profile's size and as long as the original.

    With motion "kept" it is edited frame by frame with one seed, at the clip's rate; with "new" it has the profile's
    rate. Raises AgentError, and BadInput for a product that is not a clip or is too long.
    """
    clip = stored_clip(context, arguments.clip)
    if (count := clip.media.num_frames) > MOST_FRAMES:
        raise BadInput(
            "clip-too-long-to-edit",
            f"{clip.id} has {count} frames, {MOST_FRAMES} can be edited at once; edit its shots one by one.",
            artifact=clip.id,
            frames=count,
            most=MOST_FRAMES,
        )
    if arguments.prompt is None or arguments.motion == "kept":
        return _frame_by_frame(context, clip, arguments.instruction, seed, report)
    asked = EditImage(image=edge_picture(context, clip, "first").id, instruction=arguments.instruction)
    first = edit_image(context, asked, seed=seed, report=report)
    num_frames = max(2, retimed_count(count, rate_of(clip), exact_rate(context.fps)))
    moved = animate(context, first.artifact, arguments.prompt, num_frames, seed=seed, report=report)
    return Made(moved.artifact, called=first.called or moved.called)


def _frame_by_frame(context: ToolContext, clip: Artifact, instruction: str, seed: int, report: Report | None) -> Made:
    count = clip.media.num_frames

    def produce(bookmark: Bookmark | None) -> Produced:
        progress = progress_of(report or context.report, "edit_video", count)
        edited = EditedFrames(bookmark, context.size)
        with context.lender.lend("edit_image") as agent:
            for index, frame in enumerate(frames_of(context.archive.read(clip))):
                if index < len(edited.frames):
                    continue
                # One seed for all frames: equal noise keeps the change from flickering.
                spec = edit_spec(context, instruction, fit(frame, *context.size), seed)
                edited.add(agent(spec, progress=_within(progress, index, count), bookmark=edited).pixels)
        return clip_product(Clip(np.stack(edited.frames), float(rate_of(clip))))

    recipe = recipe_of(
        context,
        "edit_video",
        "edit_image",
        edit_asked(context, instruction, seed),
        writer=f"{frame_reader()};{clip_writer()}",
        parents=(clip,),
    )
    return made_on(context, recipe, produce, parents=(clip,))


def _within(progress: Progress, index: int, count: int) -> Progress:
    """Return a callback that reports the progress of frame `index` as part of all `count` frames."""
    return lambda step, of: progress(index * of + step, count * of)


def _remade(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (clip,) = parents
    arguments = EditVideo.model_validate({"clip": clip.id, "instruction": spec.instruction})
    return edit_video(context, arguments, seed=spec.seed, report=report).artifact


IMPLEMENTATION = Implementation(
    EditVideo,
    DESCRIPTION,
    one_by_one(edit_video),
    {"edit_video": Remake(_remade, starts=1, role="edit_image", sampling="edit_sampling")},
    EditVideoArguments,
    "A clip, changed.",
)
