"""A3: a picture and an instruction -> the picture changed."""

from langchain_core.tools import StructuredTool
from pydantic import JsonValue

from memory.products.files import Made, Product
from models.agent import EditSpec, Picture, UInt8Array
from tools.arguments import Arguments, ArtifactId, Prompt, described
from tools.context import Bookmark, Report, Studio, made_on, picture_product, progress_of, recipe_of, stored_picture
from tools.media.codecs import fit, image_writer

DESCRIPTION = "Changes a stored picture as an instruction says. Name only what is to change; everything else stays."


class EditImage(Arguments):
    """Changes a stored picture as an instruction says. Name only what is to change; everything else stays."""

    model_config = described(DESCRIPTION)

    image: ArtifactId
    instruction: Prompt


def edit_image(studio: Studio, arguments: EditImage, *, seed: int, report: Report | None = None) -> Made:
    """The changed picture, of the profile's size, stored as PNG. Raises AgentError, BadInput for what is no picture."""
    image = studio.archive.artifact(arguments.image)
    # Here, not inside the production: a wrong kind is the planner's mistake even when the recipe is known.
    picture = stored_picture(studio, image)
    spec = edit_spec(studio, arguments.instruction, fit(picture.pixels, *studio.size), seed)

    def produce(bookmark: Bookmark | None) -> Product:
        progress = progress_of(report or studio.report, "edit_image", 1)
        with studio.lender.lend("edit_image") as agent:
            return picture_product(agent(spec, progress=progress, bookmark=bookmark).pixels)

    asked = edit_asked(studio, arguments.instruction, seed)
    recipe = recipe_of(studio, "edit_image", "edit_image", asked, writer=image_writer(), parents=(image,))
    return made_on(studio, recipe, produce, parents=(image,))


def edit_spec(studio: Studio, instruction: str, pixels: UInt8Array, seed: int) -> EditSpec:
    """What A3 is given for one picture: uint8 (H, W, 3) of the profile's size."""
    return EditSpec(
        instruction=instruction,
        image=Picture(pixels),
        seed=seed,
        num_inference_steps=studio.edit_sampling.num_inference_steps,
        guidance_scale=studio.edit_sampling.guidance_scale,
        image_guidance_scale=studio.edit_sampling.image_guidance_scale,
    )


def edit_asked(studio: Studio, instruction: str, seed: int) -> dict[str, JsonValue]:
    """The same as a recipe says it; the picture is its parent."""
    return {
        "instruction": instruction,
        "seed": seed,
        "num_inference_steps": studio.edit_sampling.num_inference_steps,
        "guidance_scale": studio.edit_sampling.guidance_scale,
        "image_guidance_scale": studio.edit_sampling.image_guidance_scale,
        "width": studio.size[0],
        "height": studio.size[1],
    }


def as_tool(studio: Studio, *, seed: int) -> StructuredTool:
    """The verb as a planner calls it: answers with the artifact id."""

    def call(image: str, instruction: str) -> str:
        return edit_image(studio, EditImage(image=image, instruction=instruction), seed=seed).artifact.id

    return StructuredTool.from_function(call, name="edit_image", description=DESCRIPTION, args_schema=EditImage)
