"""Ask a model, validate its answer and report faults back to it; and ask for answers that follow a schema.

Knows no task: the caller supplies the question and the validation.
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
"""The first answer, and two more after fault reports."""


MAX_FAULTS_TOLD = 5


Read = TypeVar("Read")


Answer = TypeVar("Answer", bound=BaseModel)


Check = Callable[[Answer], str | None]


@dataclass(frozen=True)
class Question(Generic[Read]):
    """A question to a model, apart from its messages.

    purpose: the label in the record. advice: what the user can do if no answer is usable. request: returns the record
    of the messages, by whose digest the answer is stored; earlier: those of older versions. answer: returns the
    model's answer as text. read: parses a text; returns None and the fault if it is not usable. fault_messages:
    returns the messages that report a fault.
    """

    purpose: str
    advice: str
    request: Callable[[list[BaseMessage]], dict[str, Any]]
    answer: Callable[[list[BaseMessage]], str]
    read: Callable[[str], tuple[Read | None, str]]
    fault_messages: Callable[[str, str], Sequence[BaseMessage]]
    earlier: Callable[[list[BaseMessage]], Sequence[dict[str, Any]]] = lambda _messages: ()


def ask_until_usable(question: Question[Read], messages: list[BaseMessage], *, name: str, record: Recorder) -> Read:
    """Return the first usable answer, from the record or from the model called `name`.

    Faults are reported back at most twice; then PlannerError is raised. The last faulty answer is not recorded, so that
    a failed run can ask again.
    """
    fault = ""
    for attempt in range(1, ATTEMPTS + 1):
        request = question.request(messages)
        digest = digest_of(request)
        known = record.recall(digest)
        if known is None:
            older = (record.recall(digest_of(each)) for each in question.earlier(messages))
            known = next((answer for answer in older if answer is not None), None)
        text = known if known is not None else question.answer(messages)
        read, fault = question.read(text)
        if known is None and (read is not None or attempt < ATTEMPTS):
            record.remember(digest, name, question.purpose, request, text)
        if read is not None:
            return read
        messages = [*messages, *question.fault_messages(text, fault)]
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
    """Return an answer that follows the schema and passes `check`. Raises PlannerError as `ask_until_usable` does."""
    question = Question(
        purpose,
        "say the wish more simply, or choose another planner model.",
        request=lambda asked: request_of(name, schema, asked),
        answer=lambda asked: _text(model, schema, asked, purpose, patience),
        read=lambda text: _read(text, schema, check),
        fault_messages=lambda text, fault: [AIMessage(text), HumanMessage(_fault_report(fault))],
    )
    return ask_until_usable(question, messages, name=name, record=record)


def _fault_report(fault: str) -> str:
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
    """Return the schema in the OpenAI format. The result is cached and must not be modified."""
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
    """Return the first five faults of an answer in one line."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS_TOLD]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults)


def request_of(name: str, schema: type[BaseModel], messages: list[BaseMessage]) -> dict[str, JsonValue]:
    """Return the record of a question that is answered by a schema."""
    recorded: list[JsonValue] = [{"role": message.type, "content": str(message.text)} for message in messages]
    return {"model": name, "schema": response_format(schema)["json_schema"], "messages": recorded}


def recorded_with_schema(schema: type[BaseModel], messages: list[BaseMessage], *, name: str, record: Recorder) -> bool:
    """Return whether the record has an answer to a question by a schema."""
    return record.recall(digest_of(request_of(name, schema, messages))) is not None


def calls_tools(model: BaseChatModel) -> bool:
    """Return whether tools can be bound to a model."""
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
    """Return the answer of a model with tools bound, as JSON with `text` and `calls`.

    A replayed model, which cannot bind tools, is asked by a schema name. Raises PlannerError or ToolsRefused.
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
    """Return the record of a question to a model with tools: `bound`, and the system message as a digest."""
    system, *rest = messages
    asked = [{"role": message.type, "content": str(message.text), **_calls_in(message)} for message in rest]
    head = {"role": "system", "digest": hashlib.sha256(str(system.text).encode()).hexdigest()}
    return {"model": name, "schema": bound, "messages": [head, *asked]}


def _calls_in(message: BaseMessage) -> dict[str, Any]:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return {"calls": [{"name": call["name"], "args": call["args"]} for call in calls]} if calls else {}


def digest_of(request: dict[str, Any]) -> str:
    """Return the sha256 of the canonical JSON of a question, 64 hex digits."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
