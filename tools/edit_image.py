"""A3: a picture and an instruction -> the picture changed."""

from langchain_core.tools import StructuredTool
from pydantic import JsonValue

from memory.products.files import Made, Produced
from models.agent import Bookmark, EditSpec, Picture, UInt8Array
from tools.arguments import Arguments, ArtifactId, Prompt, described
from tools.context import (
    Report,
    ToolContext,
    made_on,
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


def edit_image(context: ToolContext, arguments: EditImage, *, seed: int, report: Report | None = None) -> Made:
    """The changed picture, of the profile's size, stored as PNG. Raises AgentError, BadInput for what is no picture."""
    image = context.archive.artifact(arguments.image)
    # Here, not inside the production: a wrong kind is the planner's mistake even when the recipe is known.
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
    """What A3 is given for one picture: uint8 (H, W, 3) of the profile's size."""
    return EditSpec(
        instruction=instruction,
        image=Picture(pixels),
        seed=seed,
        num_inference_steps=context.edit_sampling.num_inference_steps,
        guidance_scale=context.edit_sampling.guidance_scale,
        image_guidance_scale=context.edit_sampling.image_guidance_scale,
    )


def edit_asked(context: ToolContext, instruction: str, seed: int) -> dict[str, JsonValue]:
    """The same as a recipe says it; the picture is its parent."""
    return {
        "instruction": instruction,
        "seed": seed,
        "num_inference_steps": context.edit_sampling.num_inference_steps,
        "guidance_scale": context.edit_sampling.guidance_scale,
        "image_guidance_scale": context.edit_sampling.image_guidance_scale,
        "width": context.size[0],
        "height": context.size[1],
    }


def as_tool(context: ToolContext, *, seed: int) -> StructuredTool:
    """The verb as a planner calls it: answers with the artifact id."""

    def call(image: str, instruction: str) -> str:
        return edit_image(context, EditImage(image=image, instruction=instruction), seed=seed).artifact.id

    return StructuredTool.from_function(call, name="edit_image", description=DESCRIPTION, args_schema=EditImage)
