"""Replay a planner's answers from the record of a run."""

import json
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from graph.errors import PlannerError, RequestError
from graph.planners.plan_by_tools import CALLS, NOT_TAKEN
from graph.planners.planner import Planner
from graph.planning.profiles import PROFILES
from memory.recorded import Recorded
from memory.records import LlmCall, Run

Answered = dict[tuple[str, str, int], str]
"""A planner's answers by schema name, question (the user's request, without Mora's prompt) and number of earlier
rounds."""


def recorded_planner(archive: Recorded, run: Run) -> Planner:
    """Return a planner that replays the answers recorded with a run. Raises RequestError for an unknown profile.

    The embedded planner is replayed too, because a later version may interpret the same words differently.
    """
    if run.request.profile not in PROFILES:
        raise RequestError(
            "profile-unknown",
            f"Run {run.id} was made with the profile {run.request.profile!r}, which is not known here.",
            profile=run.request.profile,
        )
    name, calls = str(run.settings.get("planner", run.request.planner)), archive.llm_calls(run.id)
    answered = _answered(calls)
    by_tools = any(schema == CALLS for schema, _question, _round in answered)
    return Planner(name, RecordedChat(answered=answered, run=run.id), PROFILES[run.request.profile], tools=by_tools)


def _answered(calls: list[LlmCall]) -> Answered:
    """Return the last answer to each question; earlier ones were rejected as faulty."""
    found: Answered = {}
    for call in calls:
        asked: Any = call.request
        question = next((message["content"] for message in asked["messages"] if message["role"] == "human"), "")
        found[asked["schema"]["name"], _plain(question), asked["schema"].get("round", 0)] = call.response
    return found


def _plain(question: str) -> str:
    return json.dumps(json.loads(question), sort_keys=True) if question.startswith("{") else question


class RecordedChat(BaseChatModel):
    """Answers questions that the recorder does not find by digest, because Mora's prompts have changed since."""

    answered: Answered
    run: str

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the base class's signature
        *,
        response_format: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002 - the base class's signature
    ) -> ChatResult:
        schema = (response_format or {}).get("json_schema", {}).get("name", "")
        question = next((str(message.text) for message in messages if isinstance(message, HumanMessage)), "")
        before = [message for message in messages if isinstance(message, AIMessage)]
        answer = self.answered.get((schema, _plain(question), len(before)))
        refused = any(str(message.text).startswith(NOT_TAKEN) for message in messages)
        if answer is None or refused or (before and schema != CALLS):
            raise PlannerError(
                "answer-not-recorded",
                f"Run {self.run} has no recorded answer of its planner that fits what is asked now: the code has "
                "changed since; use the code it was made with, or generate it again.",
                run=self.run,
            )
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])
