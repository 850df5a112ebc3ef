"""A3, image editing: change a picture by an instruction."""

from collections.abc import Sequence

from pydantic import JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact
from models.agent import Bookmark, EditSpec, Picture, UInt8Array
from tools.arguments import Arguments, ArtifactId, Draft, Prompt, RecipeSpec, Sentence, described
from tools.context import (
    Implementation,
    Remake,
    Report,
    ToolContext,
    made_on,
    one_by_one,
    picture_product,
    progress_of,
    recipe_of,
    stored_picture,
)
from tools.media.codecs import fit, image_writer

DESCRIPTION = "Changes a stored picture as an instruction says. Name only what is to change; everything else stays."


class EditImage(Arguments):
    """Changes a stored picture as an instruction says. Name only what is to change; everything else stays."""

    model_config = described(DESCRIPTION)

    image: ArtifactId
    instruction: Prompt


class EditImageArguments(Draft):
    """Arguments of a planned call. image: artifact id of a given picture; None: the picture of this shot."""

    model_config = described(
        "What A3 is told. `image` is the artifact id of a given picture; None: the picture painted for this shot."
    )

    instruction: Sentence
    image: str | None = None


def edit_image(context: ToolContext, arguments: EditImage, *, seed: int, report: Report | None = None) -> Made:
    """Store the changed picture as PNG in the profile's size. Raises AgentError, BadInput for another kind."""
    image = context.archive.artifact(arguments.image)
    # Checked here, not in `produce`: a wrong kind is the planner's mistake even if the product exists already.
    picture = stored_picture(context, image)
    spec = edit_spec(context, arguments.instruction, fit(picture.pixels, *context.size), seed)

    def produce(bookmark: Bookmark | None) -> Produced:
        progress = progress_of(report or context.report, "edit_image", 1)
        with context.lender.lend("edit_image") as agent:
            return picture_product(agent(spec, progress=progress, bookmark=bookmark).pixels)

    asked = edit_asked(context, arguments.instruction, seed)
    recipe = recipe_of(context, "edit_image", "edit_image", asked, writer=image_writer(), parents=(image,))
    return made_on(context, recipe, produce, parents=(image,))


def edit_spec(context: ToolContext, instruction: str, pixels: UInt8Array, seed: int) -> EditSpec:
    """Return A3's input for one picture, uint8 (H, W, 3) of the profile's size."""
    return EditSpec(
        instruction=instruction,
        image=Picture(pixels),
        seed=seed,
        num_inference_steps=context.edit_sampling.num_inference_steps,
        guidance_scale=context.edit_sampling.guidance_scale,
        image_guidance_scale=context.edit_sampling.image_guidance_scale,
    )


def edit_asked(context: ToolContext, instruction: str, seed: int) -> dict[str, JsonValue]:
    """Return the same input as a recipe's spec; the picture is the recipe's parent."""
    return {
        "instruction": instruction,
        "seed": seed,
        "num_inference_steps": context.edit_sampling.num_inference_steps,
        "guidance_scale": context.edit_sampling.guidance_scale,
        "image_guidance_scale": context.edit_sampling.image_guidance_scale,
        "width": context.size[0],
        "height": context.size[1],
    }


def _remade(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    (image,) = parents
    arguments = EditImage.model_validate({"image": image.id, "instruction": spec.instruction})
    return edit_image(context, arguments, seed=spec.seed, report=report).artifact


IMPLEMENTATION = Implementation(
    EditImage,
    DESCRIPTION,
    one_by_one(edit_image),
    {"edit_image": Remake(_remade, starts=1, role="edit_image", sampling="edit_sampling")},
    EditImageArguments,
    "A change of the first picture of a shot.",
)
