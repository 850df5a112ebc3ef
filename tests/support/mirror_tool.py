"""A tool of one's own, as whoever adds one writes it: a clip -> the clip as a mirror shows it. Calls no agent."""

from collections.abc import Sequence

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from models.agent import Clip
from tools.arguments import Arguments, ArtifactId, Draft, RecipeSpec, described
from tools.context import Implementation, Remake, Report, ToolContext, clip_product, one_by_one
from tools.media.codecs import clip_writer, decode_clip
from tools.products.conform import stored_clip
from tools.registry import Start, Tool

DESCRIPTION = "Shows a stored clip as a mirror does: what was on the left is on the right."


class MirrorVideo(Arguments):
    """All that the function takes."""

    model_config = described(DESCRIPTION)

    clip: ArtifactId


class MirrorVideoArguments(Draft):
    """What a planner says of a call."""

    model_config = described("`clip` is null: the clip of this shot.")

    clip: str | None = None


def mirror_video(context: ToolContext, arguments: MirrorVideo, *, seed: int, report: Report | None = None) -> Made:
    """The clip with its columns from right to left, stored without loss. Raises BadInput for what is no clip."""
    clip = stored_clip(context, arguments.clip)

    def produce() -> Produced:
        shown = decode_clip(context.archive.read(clip))
        return clip_product(Clip(shown.frames[:, :, ::-1], shown.fps))

    recipe = Recipe(agent="mirror_video", parents=(clip.sha256,), numerics=clip_writer())
    return context.archive.make(context.lease, recipe, produce, parents=(clip.id,))


def mirrored_again(
    context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None
) -> Artifact:
    (clip,) = parents
    return mirror_video(context, MirrorVideo(clip=clip.id), seed=spec.seed).artifact


IMPLEMENTATION = Implementation(
    MirrorVideo,
    DESCRIPTION,
    one_by_one(mirror_video),
    {"mirror_video": Remake(mirrored_again, starts=1)},
    MirrorVideoArguments,
    "The clip of a shot, mirrored.",
)
MIRROR = Tool(
    "mirror_video", lambda: IMPLEMENTATION, "clip", "mirrored clip of", "mirrored", "mirroring",
    starts=(Start("clip", ("image_to_video",)),), replaces=True, optional=True,
)  # fmt: skip
