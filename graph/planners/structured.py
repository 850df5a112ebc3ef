"""ask, validate, tell back, at most three times"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel, JsonValue, ValidationError

from graph.errors import PlannerError
from graph.planners.ports import Patience, Recorder, once

ATTEMPTS = 3
"""The first answer, and two more after the planner was told what was wrong."""


MAX_FAULTS_TOLD = 5


Answer = TypeVar("Answer", bound=BaseModel)


Check = Callable[[Answer], str | None]


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
    """An answer of the schema that passes `check`.

    What is wrong with an answer is told back, twice at most; then PlannerError. The last bad answer is not
    remembered, so that a run that failed on it may ask again.
    """
    fault = ""
    for attempt in range(1, ATTEMPTS + 1):
        request = _request(name, schema, messages)
        digest = digest_of(request)
        known = record.recall(digest)
        text = known if known is not None else _text(model, schema, messages, purpose, patience)
        answer, fault = _read(text, schema, check)
        if known is None and (answer is not None or attempt < ATTEMPTS):
            record.remember(digest, name, purpose, request, text)
        if answer is not None:
            return answer
        messages = [*messages, AIMessage(text), HumanMessage(_told_back(fault))]
    raise PlannerError(
        f"The planner {name} gave no usable answer in {ATTEMPTS} attempts ({fault}); "
        "say the wish more simply, or choose another planner model."
    )


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
        return None, _faults(error)
    fault = check(answer)
    return (None, fault) if fault else (answer, "")


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS_TOLD]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults)


def _request(name: str, schema: type[BaseModel], messages: list[BaseMessage]) -> dict[str, JsonValue]:
    told: list[JsonValue] = [{"role": message.type, "content": str(message.text)} for message in messages]
    return {"model": name, "schema": response_format(schema)["json_schema"], "messages": told}


def digest_of(request: dict[str, Any]) -> str:
    """sha256 over the canonical JSON of a question, 64 hex digits."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
