"""A product made again from its recipe: from what the records say of it, back to the tool that made it.

The recipe may come from a stranger's file, so it is read like a planner's words: with bounds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import JsonValue, ValidationError

from memory.records import Artifact
from tools.arguments import RecipeSpec
from tools.context import Remake, Report, Sampling, ToolContext
from tools.errors import BadInput
from tools.registry import remakes


def regenerate(
    context: ToolContext,
    made_by: str,
    spec: dict[str, JsonValue],
    parents: Sequence[Artifact],
    *,
    report: Report | None = None,
) -> Artifact:
    """Return what is made here by a recipe's agent, spec and parents; from the store if it has it.

    Raises BadInput for a recipe that no tool here has, AgentError.
    """
    remake = remakes().get(made_by)
    if remake is None:
        raise BadInput(
            "recipe-of-other-version",
            f"Nothing here makes what {made_by!r} made; use the version of Mora that made it.",
            agent=made_by,
        )
    try:
        asked = RecipeSpec.model_validate(spec)
        if remake.starts is not None and len(parents) != remake.starts:
            raise BadInput(
                "recipe-damaged",
                f"{made_by} starts from {remake.starts} products, not from {len(parents)}.",
                agent=made_by,
            )
        return remake.make(_with_dials(context, remake, asked), asked, parents, report)
    except ValidationError as error:
        raise BadInput(
            "recipe-of-other-version",
            f"The recipe of {made_by} cannot be read; use the version of Mora that made it.",
            agent=made_by,
        ) from error


def uses_weights(made_by: str) -> bool:
    """Return whether products by this name in a recipe are made with an agent's weights."""
    remake = remakes().get(made_by)
    return remake is not None and remake.role is not None


def _with_dials(context: ToolContext, remake: Remake, asked: RecipeSpec) -> ToolContext:
    if remake.sampling is None:
        return context
    dials: dict[str, Any] = {
        remake.sampling: Sampling(asked.num_inference_steps, asked.guidance_scale, asked.image_guidance_scale),
        "frames_at_once": asked.frames_at_once,
    }
    return replace(context, **dials)
