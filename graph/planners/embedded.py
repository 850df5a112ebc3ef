"""The planner that ships with Mora: a parser of ordinary English behind the interface of a LangChain chat model.

No network; random only by the seed of the brief, so equal questions get equal answers.
"""

import json
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel

from graph.dialogue.intents import parse_intent
from graph.english.wish import read_wish
from graph.errors import PlannerError
from graph.planning.brief import Brief
from graph.planning.plan import PLAN, Enhancement, Plan, plan_schema
from graph.planning.turn import Heard, TalkBrief
from graph.state.tasks import AnyTool, steps_of


class EmbeddedPlanner(BaseChatModel):
    """Answers Mora's three questions, which it distinguishes by the schema name. Raises PlannerError for any other."""

    @property
    def _llm_type(self) -> str:
        return "embedded"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the base class's signature
        *,
        response_format: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002 - the base class's signature
    ) -> ChatResult:
        schema = (response_format or {}).get("json_schema", {}).get("name")
        answer = _answer(schema, _told(messages))
        text = answer.model_dump_json()
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def _told(messages: list[BaseMessage]) -> dict[str, Any]:
    for message in reversed(messages):
        text = str(message.text)
        if isinstance(message, HumanMessage) and text.startswith("{"):
            told: dict[str, Any] = json.loads(text)
            return told
    raise PlannerError(
        "planner-not-asked-by-brief",
        "The embedded planner reads a brief as JSON and was given none; choose another planner.",
    )


def _answer(schema: str | None, told: dict[str, Any]) -> BaseModel:
    if schema == Enhancement.__name__:
        return read_wish(Brief.model_validate(told))
    if schema == Heard.__name__:
        return parse_intent(TalkBrief.model_validate(told))
    if schema == PLAN:
        enhancement = Enhancement.model_validate(told.pop("enhancement"))
        return straight_plan(Brief.model_validate(told), enhancement)
    raise PlannerError(
        "planner-question-unknown", "The embedded planner answers Mora's three questions only; choose another planner."
    )


def straight_plan(brief: Brief, enhancement: Enhancement) -> Plan:
    """Return the procedure as a plan, shot by shot. Given pictures are used in order, the last one for the rest."""
    waiting = [image.id for image in brief.images]
    calls: list[dict[str, Any]] = []
    for number, shot in enumerate(enhancement.shots, 1):
        image = None
        if shot.picture is None and waiting:
            image = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        transition = enhancement.transitions and number < len(enhancement.shots)
        for step in steps_of(enhancement.task, shot.model_dump(), transition=transition):
            arguments = _arguments(step.name, number, image, brief, enhancement)
            calls.append({"tool": step.name, "shot": number, "arguments": arguments})
    return plan_schema().model_validate({"calls": calls})


def _arguments(tool: AnyTool, number: int, image: str | None, brief: Brief, enhancement: Enhancement) -> dict[str, Any]:
    shot, clips = enhancement.shots[number - 1], [clip.id for clip in brief.clips]
    if tool == "connect_videos" and enhancement.task != "connect":
        return {}
    written: dict[AnyTool, Callable[[], dict[str, Any]]] = {
        "text_to_image": lambda: {"prompt": shot.picture},
        "edit_image": lambda: {"instruction": shot.edit, "image": image},
        "image_to_video": lambda: {
            "prompt": shot.motion,
            "seconds": shot.seconds,
            "image": image if shot.edit is None else None,
        },
        "extend_video": lambda: {
            "prompt": shot.motion,
            "seconds": shot.seconds,
            "clip": clips[0] if number == 1 else None,
            "before": enhancement.before,
        },
        "edit_video": lambda: {
            "instruction": shot.edit,
            "clip": clips[0],
            "motion": "kept" if shot.motion is None else "new",
            "prompt": shot.motion,
        },
        "connect_videos": lambda: {"before": clips[number - 1], "after": clips[number], "seconds": shot.seconds},
    }
    return written[tool]()
