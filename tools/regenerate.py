"""Make a product again from its recipe, with the tool that made it.

A recipe may come from an untrusted file, so it is validated with the same bounds as planner arguments.
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
    """Make the product of a recipe's agent, spec and parents again, or return it from the store.

    Raises AgentError, and BadInput for a recipe that no tool can make.
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
        return remake.make(_with_sampling(context, remake, asked), asked, parents, report)
    except ValidationError as error:
        raise BadInput(
            "recipe-of-other-version",
            f"The recipe of {made_by} cannot be read; use the version of Mora that made it.",
            agent=made_by,
        ) from error


def uses_weights(made_by: str) -> bool:
    """Return whether products with this agent name in their recipe depend on an agent's weights."""
    remake = remakes().get(made_by)
    return remake is not None and remake.role is not None


def _with_sampling(context: ToolContext, remake: Remake, asked: RecipeSpec) -> ToolContext:
    if remake.sampling is None:
        return context
    changes: dict[str, Any] = {
        remake.sampling: Sampling(asked.num_inference_steps, asked.guidance_scale, asked.image_guidance_scale),
        "frames_at_once": asked.frames_at_once,
    }
    return replace(context, **changes)
