"""A4, image-to-video: animate a picture into a clip by a prompt."""

from collections.abc import Sequence

from pydantic import JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact
from models.agent import Bookmark, Picture, VideoSpec
from tools.arguments import Arguments, ArtifactId, Draft, Prompt, RecipeSpec, Seconds, Sentence, ShotSeconds, described
from tools.context import (
    Implementation,
    Remake,
    Report,
    ToolContext,
    at_once,
    clip_product,
    made_on,
    one_by_one,
    progress_of,
    recipe_of,
    stored_picture,
)
from tools.media.codecs import clip_writer, exact_rate, fit

DESCRIPTION = (
    "Makes a clip that starts at a stored picture. Say what moves and how; what is seen is in the picture already."
)


class ImageToVideo(Arguments):
    """Makes a clip that starts at a stored picture. Say what moves and how; what is seen is in the picture already."""

    model_config = described(DESCRIPTION)

    image: ArtifactId
    prompt: Prompt
    seconds: Seconds | None = None


class ImageToVideoArguments(Draft):
    """Arguments of a planned call. image: artifact id of a given picture; None: the picture of this shot."""

    model_config = described(
        "What A4 is told. `image` is the artifact id of a given picture; None: the picture made for this shot."
    )

    prompt: Sentence
    seconds: ShotSeconds | None = None
    image: str | None = None


def image_to_video(context: ToolContext, arguments: ImageToVideo, *, seed: int, report: Report | None = None) -> Made:
    """Store the clip of an animated picture, losslessly. Raises AgentError, BadInput for another kind."""
    image = context.archive.artifact(arguments.image)
    num_frames = num_frames_of(context, arguments.seconds)
    return animate(context, image, arguments.prompt, num_frames, seed=seed, report=report)


def num_frames_of(context: ToolContext, seconds: float | None) -> int:
    """Return the number of frames in `seconds`, at least two; for None, the profile's number."""
    return context.num_frames if seconds is None else max(2, round(seconds * exact_rate(context.fps)))


def animate(
    context: ToolContext, image: Artifact, prompt: str, num_frames: int, *, seed: int, report: Report | None = None
) -> Made:
    """Store A4's clip of num_frames frames, the first of which is the picture. Raises as `image_to_video`."""
    # Checked here, not in `produce`: a wrong kind is the planner's mistake even if the product exists already.
    picture = stored_picture(context, image)
    spec = VideoSpec(
        prompt=prompt,
        image=Picture(fit(picture.pixels, *context.size)),
        num_frames=num_frames,
        seed=seed,
        num_inference_steps=context.video_sampling.num_inference_steps,
        guidance_scale=context.video_sampling.guidance_scale,
        frames_at_once=context.frames_at_once,
    )

    def produce(bookmark: Bookmark | None) -> Produced:
        progress = progress_of(report or context.report, "image_to_video", spec.num_frames)
        with context.lender.lend("image_to_video") as agent:
            return clip_product(agent(spec, progress=progress, bookmark=bookmark))

    asked: dict[str, JsonValue] = {
        "prompt": spec.prompt,
        "seed": spec.seed,
        "num_frames": spec.num_frames,
        "num_inference_steps": spec.num_inference_steps,
        "guidance_scale": spec.guidance_scale,
        "width": context.size[0],
        "height": context.size[1],
        **at_once(context),
    }
    recipe = recipe_of(context, "image_to_video", "image_to_video", asked, writer=clip_writer(), parents=(image,))
    return made_on(context, recipe, produce, parents=(image,))


def _remade(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (image,) = parents
    return animate(context, image, spec.prompt or "", spec.num_frames, seed=spec.seed, report=report).artifact


IMPLEMENTATION = Implementation(
    ImageToVideo,
    DESCRIPTION,
    one_by_one(image_to_video),
    {"image_to_video": Remake(_remade, starts=1, role="image_to_video", sampling="video_sampling")},
    ImageToVideoArguments,
    "The motion of a shot.",
)
