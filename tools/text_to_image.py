"""A2: words -> a picture."""

from langchain_core.tools import StructuredTool
from pydantic import JsonValue

from memory.artifacts import Made, Product
from models.agent import ImageSpec
from tools.arguments import Arguments, Prompt
from tools.media import image_writer
from tools.studio import Report, Studio, picture_product, progress_of, recipe_of


class TextToImage(Arguments):
    """Makes a still picture from words. Use it for the first frame of a shot; say what is seen, not what happens."""

    prompt: Prompt


def text_to_image(studio: Studio, arguments: TextToImage, *, seed: int, report: Report | None = None) -> Made:
    """The picture of a prompt, stored as PNG. Raises AgentError."""
    spec = ImageSpec(
        arguments.prompt,
        seed,
        num_inference_steps=studio.image_sampling.num_inference_steps,
        guidance_scale=studio.image_sampling.guidance_scale,
    )

    def produce() -> Product:
        progress = progress_of(report or studio.report, "text_to_image", 1)
        with studio.lender.lend("text_to_image") as agent:
            return picture_product(agent(spec, progress=progress).pixels)

    asked: dict[str, JsonValue] = {
        "prompt": spec.prompt,
        "seed": spec.seed,
        "num_inference_steps": spec.num_inference_steps,
        "guidance_scale": spec.guidance_scale,
    }
    recipe = recipe_of(studio, "text_to_image", "text_to_image", asked, writer=image_writer())
    return studio.archive.make(studio.lease, recipe, produce)


def as_tool(studio: Studio, *, seed: int) -> StructuredTool:
    """The verb as a planner calls it: answers with the artifact id."""

    def call(prompt: str) -> str:
        return text_to_image(studio, TextToImage(prompt=prompt), seed=seed).artifact.id

    return StructuredTool.from_function(
        call, name="text_to_image", description=TextToImage.__doc__, args_schema=TextToImage
    )
