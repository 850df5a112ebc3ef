"""Trim, speed up, reverse or repeat a clip, without an agent. The result is lossless."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from pydantic import Field, JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from models.agent import Clip
from tools.arguments import Arguments, ArtifactId, RecipeSpec, described
from tools.context import Implementation, Remake, Report, ToolContext, clip_product, one_by_one
from tools.cutting.edits import MOST_CLIP_FRAMES, Edit, fitted_edit, seconds_shown
from tools.errors import BadInput
from tools.media.codecs import MP4, clip_writer, frame_reader, frames_of
from tools.media.concat import has_sound
from tools.products.conform import in_order, rate_of, stored_clip

CODE_VERSION = 1
"""Part of the recipe: increment it when the same edit of a clip should give different frames."""

DESCRIPTION = "Trims a stored clip or film, plays it faster, slower, backwards or several times. No model is used."


class CutVideo(Arguments):
    """Trims a stored clip or film, plays it faster, slower, backwards or several times. No model is used.

    Applied in this order: trimmed, at another speed, backwards, repeated.
    """

    model_config = described(DESCRIPTION)

    clip: ArtifactId
    start: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Where it begins, in seconds")
    end: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="Where it ends, in seconds")
    speed: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="How many times as fast")
    backwards: bool = Field(default=False, description="Whether it is played from the last frame to the first")
    times: int = Field(default=1, ge=1, description="How often it is played")


def cut_video(context: ToolContext, arguments: CutVideo, *, seed: int = 0, report: Report | None = None) -> Made:  # noqa: ARG001 - nothing is drawn
    """Store the edited clip, losslessly, at its own size and rate.

    Times behind its end are cut off, with a note. Raises BadInput for a picture.
    """
    clip, notify = stored_clip(context, arguments.clip), report or context.report
    return cut(context, clip, fitted(arguments, clip, MOST_CLIP_FRAMES, "cut_video", notify), report=report)


def fitted(arguments: CutVideo, clip: Artifact, most_frames: int, stage: str, report: Report) -> Edit:
    """Return the edit in whole frames of a stored clip; report a note if the clip is too short for it."""
    asked: dict[str, Any] = arguments.model_dump(exclude={"clip"})
    count, rate = clip.media.num_frames, rate_of(clip)
    edit, fits = fitted_edit(num_frames=count, rate=rate, most_frames=most_frames, **asked)
    if not fits:
        lasts = seconds_shown(Fraction(count) / rate)
        report({"stage": stage, "note": f"The {clip.media.kind} lasts {lasts} s now, so it was cut as far as that."})
    return edit


def cut(context: ToolContext, clip: Artifact, edit: Edit, *, report: Report | None = None) -> Made:
    """Store a clip after an edit. Raises BadInput if nothing or too much is left."""
    count = edit.count(clip.media.num_frames)
    check_count(count, MOST_CLIP_FRAMES)

    def produce() -> Produced:
        indices = edit.of(range(clip.media.num_frames))
        frames = np.stack(list(in_order(frames_of(context.archive.read(clip)), indices)))
        return clip_product(Clip(frames, float(rate_of(clip))))

    recipe = Recipe(
        agent="cut_video",
        spec=spec_of(edit),
        parents=(clip.sha256,),
        numerics=f"cut_video:{CODE_VERSION};{frame_reader()};{clip_writer()}",
    )
    made = context.archive.make(context.lease, recipe, produce, parents=(clip.id,))
    if clip.media.media_type == MP4 and has_sound(context.archive.path(clip)):
        note = "The sound of the clip was dropped: it fits only the whole clip."
        (report or context.report)({"stage": "cut_video", "note": note})
    return made


def check_count(count: int, most: int) -> None:
    """Raise BadInput unless 1 to `most` frames are left."""
    if not 1 <= count <= most:
        raise BadInput("edit-unusable", f"{count} frames would be left of it, 1 to {most} can be; ask for another cut.")


def spec_of(edit: Edit) -> dict[str, JsonValue]:
    """Return the edit as stored in a recipe, in frames."""
    return {
        "begin": edit.begin,
        "end": edit.end,
        "speed": str(edit.speed),
        "backwards": edit.backwards,
        "times": edit.times,
    }


def edit_in(spec: RecipeSpec) -> Edit:
    """Return the edit of a recipe. Raises BadInput for a speed that no edit has."""
    speed = Fraction(spec.speed)
    if speed <= 0:
        raise BadInput("edit-unusable", "A speed of 0 shows nothing; ask for another cut.")
    return Edit(spec.begin, spec.end, speed, spec.backwards, spec.times)


def _cut_again(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    return cut(context, parents[0], edit_in(spec), report=report).artifact


IMPLEMENTATION = Implementation(
    CutVideo,
    DESCRIPTION,
    one_by_one(cut_video),
    {"cut_video": Remake(_cut_again, starts=1)},
)
