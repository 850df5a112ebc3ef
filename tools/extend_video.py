"""Extend a clip with A4: continue from its end, or lead up to its beginning."""

import re
from collections.abc import Sequence

from pydantic import Field

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from models.agent import Clip
from models.embedded.language import Motion
from tools.arguments import Arguments, ArtifactId, Draft, Prompt, RecipeSpec, Seconds, Sentence, ShotSeconds, described
from tools.context import Implementation, Remake, Report, ToolContext, clip_product, one_by_one
from tools.image_to_video import animate
from tools.media.codecs import clip_writer, decode_clip, exact_rate
from tools.products.conform import edge_picture, stored_clip

TURNED: dict[Motion, Motion] = {
    "moves left": "moves right",
    "moves right": "moves left",
    "moves up": "moves down",
    "moves down": "moves up",
    "grows": "shrinks",
    "shrinks": "grows",
}
"""Motions of the embedded world, and their counterparts when a clip is reversed."""

MOTION_WORDS = re.compile(rf"\b({'|'.join(TURNED)})\b")


DESCRIPTION = (
    "Makes the part that goes on from the end of a stored clip, or that leads up to its beginning.\n\n"
    "Say what is seen to happen in the new part. The clip itself stays as it is; the new part repeats its joint frame."
)


class ExtendVideo(Arguments):
    """Makes the part that goes on from the end of a stored clip, or that leads up to its beginning.

    Say what is seen to happen in the new part. The clip itself stays as it is; the new part repeats its joint frame.
    """

    model_config = described(DESCRIPTION)

    clip: ArtifactId
    prompt: Prompt
    seconds: Seconds | None = None
    before: bool = Field(default=False, description="The new part comes before the clip instead of after it")


class ExtendVideoArguments(Draft):
    """Arguments of a planned call. clip: id of a given clip; None: the part added by the previous shot."""

    model_config = described(
        "What A4 is told of a clip that goes on. `clip` is a given one's id; None: what the shot before added."
    )

    prompt: Sentence
    seconds: ShotSeconds | None = None
    clip: str | None = None
    before: bool = False


def extend_video(context: ToolContext, arguments: ExtendVideo, *, seed: int, report: Report | None = None) -> Made:
    """Store the new part alone: it begins with the clip's last frame or, with `before`, ends with its first frame.

    The joint frame is the model's reproduction and is not counted in `seconds`. Raises AgentError, and BadInput for a
    product that is not a clip.
    """
    clip = stored_clip(context, arguments.clip)
    num_frames = _num_frames(context, arguments.seconds)
    if not arguments.before:
        joint = edge_picture(context, clip, "last")
        return animate(context, joint, arguments.prompt, num_frames, seed=seed, report=report)
    # Agents only predict forwards: generate the opposite motion from the first frame and reverse the result.
    joint, words = edge_picture(context, clip, "first"), turned(arguments.prompt)
    forwards = animate(context, joint, words, num_frames, seed=seed, report=report)
    return Made(backwards(context, forwards.artifact), called=forwards.called)


def turned(prompt: str) -> str:
    """Return the prompt with the embedded world's motions reversed and all other words unchanged."""
    return MOTION_WORDS.sub(lambda found: TURNED[found[0]], prompt)  # type: ignore[index]


def _num_frames(context: ToolContext, seconds: float | None) -> int:
    return context.num_frames if seconds is None else 1 + max(1, round(seconds * exact_rate(context.fps)))


def backwards(context: ToolContext, forwards: Artifact) -> Artifact:
    """Store a clip with the frames of a stored one in reverse order."""

    def produce() -> Produced:
        clip = decode_clip(context.archive.read(forwards))
        return clip_product(Clip(clip.frames[::-1], clip.fps))

    recipe = Recipe(agent="backwards", parents=(forwards.sha256,), numerics=clip_writer())
    return context.archive.make(context.lease, recipe, produce, parents=(forwards.id,)).artifact


def _reversed_again(
    context: ToolContext, _spec: RecipeSpec, parents: Sequence[Artifact], _report: Report | None
) -> Artifact:
    (forwards,) = parents
    return backwards(context, forwards)


def _edge_again(
    context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], _report: Report | None
) -> Artifact:
    (clip,) = parents
    return edge_picture(context, clip, spec.edge)


IMPLEMENTATION = Implementation(
    ExtendVideo,
    DESCRIPTION,
    one_by_one(extend_video),
    {"backwards": Remake(_reversed_again, starts=1), "frame": Remake(_edge_again, starts=1)},
    ExtendVideoArguments,
    "More of a clip.",
)
