"""A2, text-to-image: draw a picture from a prompt, or several candidates in one forward pass."""

from collections.abc import Sequence

from pydantic import JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe
from models.agent import ImageSpec, Picture
from tools.arguments import Arguments, Draft, Prompt, RecipeSpec, Sentence, described
from tools.context import (
    Implementation,
    Remake,
    Report,
    ToolContext,
    bookmark_of,
    picture_product,
    progress_of,
    recipe_of,
)
from tools.media.codecs import image_writer

DESCRIPTION = (
    "Makes a still picture from words. Use it for the first frame of a shot; say what is seen, not what happens."
)


class TextToImage(Arguments):
    """Makes a still picture from words. Use it for the first frame of a shot; say what is seen, not what happens."""

    model_config = described(DESCRIPTION)

    prompt: Prompt


class TextToImageArguments(Draft):
    """Arguments of a planned call."""

    model_config = described("What A2 is told.")

    prompt: Sentence


def text_to_image(context: ToolContext, arguments: TextToImage, *, seed: int, report: Report | None = None) -> Made:
    """Store the picture of a prompt as PNG. Raises AgentError."""
    return text_to_images(context, arguments, seeds=(seed,), report=report)[0]


def text_to_images(
    context: ToolContext, arguments: TextToImage, *, seeds: Sequence[int], report: Report | None = None
) -> list[Made]:
    """Draw one candidate per seed in a single forward pass and store each as its own artifact, in the order of seeds.

    Candidates drawn together differ in their last bits from the same ones drawn alone, so their recipes name all the
    seeds (`together`), and a lost one is drawn again together with the others. The ledger has a line for each
    candidate. Raises AgentError, and ValueError for no seeds or duplicate seeds.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"Candidates need seeds, and each another one: {list(seeds)} are not.")
    specs = [_spec(context, arguments, seed) for seed in seeds]
    recipes = [_recipe(context, spec, seeds) for spec in specs]
    bookmark = bookmark_of(context, recipes[0])  # one for all, since they are drawn together
    missing: list[int] = []
    drawn: list[Picture] = []

    def draw() -> list[Picture]:
        progress = progress_of(report or context.report, "text_to_image", len(specs))
        with context.lender.lend("text_to_image") as agent:
            return agent.many(specs, progress=progress, bookmark=bookmark)

    def made_from(place: int) -> list[Made]:
        """Claim all missing candidates from `place` on before drawing, so that no other process draws them too."""
        if place == len(specs):
            drawn.extend(draw() if missing else [])
            return []
        others: list[Made] = []

        def produce() -> Produced:
            missing.append(place)
            others.extend(made_from(place + 1))
            return picture_product(drawn[place].pixels)

        made = context.archive.make(context.lease, recipes[place], produce)
        return [made, *(others if made.called else made_from(place + 1))]

    made = made_from(0)
    if bookmark is not None:
        bookmark.forget()
    return made


def _spec(context: ToolContext, arguments: TextToImage, seed: int) -> ImageSpec:
    return ImageSpec(
        arguments.prompt,
        seed,
        num_inference_steps=context.image_sampling.num_inference_steps,
        guidance_scale=context.image_sampling.guidance_scale,
    )


def _recipe(context: ToolContext, spec: ImageSpec, seeds: Sequence[int]) -> Recipe:
    asked: dict[str, JsonValue] = {
        "prompt": spec.prompt,
        "seed": spec.seed,
        "num_inference_steps": spec.num_inference_steps,
        "guidance_scale": spec.guidance_scale,
    }
    if len(seeds) > 1:
        asked["together"] = list(seeds)
    return recipe_of(context, "text_to_image", "text_to_image", asked, writer=image_writer())


def _remade(context: ToolContext, spec: RecipeSpec, _parents: Sequence[Artifact], report: Report | None) -> Artifact:
    seeds = spec.together or [spec.seed]
    every = text_to_images(context, TextToImage.model_validate({"prompt": spec.prompt}), seeds=seeds, report=report)
    return every[seeds.index(spec.seed)].artifact


IMPLEMENTATION = Implementation(
    TextToImage,
    DESCRIPTION,
    text_to_images,
    {"text_to_image": Remake(_remade, starts=0, role="text_to_image", sampling="image_sampling")},
    TextToImageArguments,
    "The first picture of a shot.",
)
