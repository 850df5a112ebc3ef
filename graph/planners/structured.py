"""Ask a model, validate its answer, tell it what was wrong: the one loop, and the questions whose answers are a schema.

Knows no wish and no tool: what is asked, and what is wrong with an answer, is said by whoever asks.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel, JsonValue, ValidationError

from graph.errors import PlannerError
from graph.planners.ports import Patience, Recorder, once

ATTEMPTS = 3
"""The first answer, and two more after the planner was told what was wrong."""


MAX_FAULTS_TOLD = 5


Read = TypeVar("Read")


Answer = TypeVar("Answer", bound=BaseModel)


Check = Callable[[Answer], str | None]


@dataclass(frozen=True)
class Question(Generic[Read]):
    """A question to a model, apart from its messages.

    purpose: what it is recorded as. advice: what a person does if no answer can be used. request: what is recorded of
    the messages; its digest is what an answer is found by. answer: the model's answer as text. read: what a text says,
    or None and what is wrong with it. told_back: the messages by which the model hears that.
    """

    purpose: str
    advice: str
    request: Callable[[list[BaseMessage]], dict[str, Any]]
    answer: Callable[[list[BaseMessage]], str]
    read: Callable[[str], tuple[Read | None, str]]
    told_back: Callable[[str, str], Sequence[BaseMessage]]


def ask_until_usable(question: Question[Read], messages: list[BaseMessage], *, name: str, record: Recorder) -> Read:
    """Return the first answer that can be used, from the record or from the model called `name`.

    What is wrong with an answer is told back, twice at most; then PlannerError is raised. The last bad answer is not
    remembered, so that a run that failed on it may ask again.
    """
    fault = ""
    for attempt in range(1, ATTEMPTS + 1):
        request = question.request(messages)
        digest = digest_of(request)
        known = record.recall(digest)
        text = known if known is not None else question.answer(messages)
        read, fault = question.read(text)
        if known is None and (read is not None or attempt < ATTEMPTS):
            record.remember(digest, name, question.purpose, request, text)
        if read is not None:
            return read
        messages = [*messages, *question.told_back(text, fault)]
    raise PlannerError(
        "planner-answer-unusable",
        f"The planner {name} gave no usable answer in {ATTEMPTS} attempts ({fault}); {question.advice}",
        planner=name,
    )


def ask(
    model: BaseChatModel,
    schema: type[Answer],
    messages: list[BaseMessage],
    *,
    check: Check[Answer],
    name: str,
    purpose: str,
    record: Recorder,
    patience: Patience = once,
) -> Answer:
    """Return an answer of the schema that passes `check`. Raises PlannerError as `ask_until_usable` does."""
    question = Question(
        purpose,
        "say the wish more simply, or choose another planner model.",
        request=lambda asked: request_of(name, schema, asked),
        answer=lambda asked: _text(model, schema, asked, purpose, patience),
        read=lambda text: _read(text, schema, check),
        told_back=lambda text, fault: [AIMessage(text), HumanMessage(_told_back(fault))],
    )
    return ask_until_usable(question, messages, name=name, record=record)


def _told_back(fault: str) -> str:
    return f"Your answer could not be used: {fault}. Answer again with the whole JSON object, corrected."


def _text(
    model: BaseChatModel, schema: type[BaseModel], messages: list[BaseMessage], purpose: str, patience: Patience
) -> str:
    bound = model.bind(response_format=response_format(schema))

    def call() -> AIMessage:
        return bound.invoke(messages, config={"run_name": purpose})

    return str(patience(call).text)


@lru_cache
def response_format(schema: type[BaseModel]) -> dict[str, Any]:
    """The schema as an OpenAI-compatible server takes it; not to be changed."""
    inner = {"name": schema.__name__, "schema": schema.model_json_schema(mode="serialization"), "strict": False}
    return {"type": "json_schema", "json_schema": inner}


_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL)


def _read(text: str, schema: type[Answer], check: Check[Answer]) -> tuple[Answer | None, str]:
    fenced = _FENCE.fullmatch(text)
    try:
        answer = schema.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as error:
        return None, faults_of(error)
    fault = check(answer)
    return (None, fault) if fault else (answer, "")


def faults_of(error: ValidationError) -> str:
    """Return what is wrong with an answer, the first five faults in one line."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS_TOLD]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults)


def request_of(name: str, schema: type[BaseModel], messages: list[BaseMessage]) -> dict[str, JsonValue]:
    """Return what is recorded of a question whose answer is a schema."""
    told: list[JsonValue] = [{"role": message.type, "content": str(message.text)} for message in messages]
    return {"model": name, "schema": response_format(schema)["json_schema"], "messages": told}


def recorded_with_schema(schema: type[BaseModel], messages: list[BaseMessage], *, name: str, record: Recorder) -> bool:
    """Return whether a question whose answer is a schema was answered before."""
    return record.recall(digest_of(request_of(name, schema, messages))) is not None


def calls_tools(model: BaseChatModel) -> bool:
    """Return whether a model can be given tools."""
    return type(model).bind_tools is not BaseChatModel.bind_tools


def answered_with_tools(
    model: BaseChatModel,
    tools: Sequence[BaseTool | dict[str, Any]],
    messages: list[BaseMessage],
    purpose: str,
    patience: Patience,
    *,
    schema: str,
) -> str:
    """Return the answer of a model that is given tools, as JSON: its `text` and its `calls`.

    A model that only says again what was recorded is asked by the name of a schema. Raises PlannerError, ToolsRefused.
    """
    bound = (
        model.bind_tools(tools)
        if calls_tools(model)
        else model.bind(response_format={"type": "json_schema", "json_schema": {"name": schema}})
    )
    answer = patience(lambda: bound.invoke(messages, config={"run_name": purpose}))
    if not calls_tools(model):
        return str(answer.text)
    calls = [{"name": call["name"], "args": call["args"]} for call in answer.tool_calls]
    broken = [{"name": call["name"], "args": call["args"], "broken": True} for call in answer.invalid_tool_calls]
    return json.dumps({"text": str(answer.text), "calls": [*calls, *broken]}, ensure_ascii=False)


def request_with_tools(name: str, bound: dict[str, Any], messages: list[BaseMessage]) -> dict[str, Any]:
    """Return what is recorded of a question to a model with tools: the system message by its digest, and `bound`."""
    system, *rest = messages
    asked = [{"role": message.type, "content": str(message.text), **_calls_in(message)} for message in rest]
    head = {"role": "system", "digest": hashlib.sha256(str(system.text).encode()).hexdigest()}
    return {"model": name, "schema": bound, "messages": [head, *asked]}


def _calls_in(message: BaseMessage) -> dict[str, Any]:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return {"calls": [{"name": call["name"], "args": call["args"]} for call in calls]} if calls else {}


def digest_of(request: dict[str, Any]) -> str:
    """sha256 over the canonical JSON of a question, 64 hex digits."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
