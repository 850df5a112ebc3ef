"""Plan by tool calls: the generation tools are bound to the model, and its calls, in one or more rounds, are the plan.

An answer is accepted as a whole or rejected. Accepted calls run before the model is asked again, and it receives their
results; if the user selects takes, the plan is completed first.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, Field, ValidationError, create_model

from graph.planners.ports import Patience, Recorder
from graph.planners.structured import (
    MAX_FAULTS_TOLD,
    Question,
    answered_with_tools,
    ask_until_usable,
    digest_of,
    faults_of,
    request_with_tools,
)
from graph.planning.brief import Brief
from graph.planning.checks import needed_calls, plan_fault
from graph.planning.plan import Enhancement, Plan, plan_schema
from graph.planning.profiles import Profile
from graph.planning.results import PLANNED, KnownTake
from graph.state.channels import AskedTool
from graph.state.tasks import call_id, needs_of
from graph.state.values import ShotNumber
from tools.registry import Tool, as_langchain, planned_tools

CALLS = "PlanCalls"
"""The schema name under which recorded answers of a plan by tools are looked up."""

NOT_TAKEN = "Not taken: "
"""The beginning of the tool result of a rejected call."""


@dataclass(frozen=True)
class Drafted:
    """A plan in progress. plan: its calls so far; None before the first. rounds: the calls as the model made them.

    result: returns the tool result for a call id. takes: the products that the model may name, by artifact id. choices:
    the attempts that it selected by naming them, by call id.
    """

    plan: Plan | None = None
    rounds: tuple[tuple[AskedTool, ...], ...] = ()
    complete: bool = False
    result: Callable[[str], str] = lambda _call: PLANNED
    takes: Mapping[str, KnownTake] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Drafter:
    """The planner's model with one request: asks for the next calls of its plan."""

    model: BaseChatModel
    name: str
    profile: Profile
    patience: Patience
    brief: Brief
    enhancement: Enhancement
    record: Recorder

    def next(self, drafted: Drafted, messages: list[BaseMessage]) -> Drafted:
        """Return the plan extended by one more answer. messages: the question, without the earlier rounds.

        Raises PlannerError if no answer is usable, ToolsRefused if the server does not support tools.
        """
        tools = [plan_tool(tool) for tool in planned_tools()]
        bound = {"name": CALLS, "digest": tools_digest(planned_tools()), "round": len(drafted.rounds)}
        question = Question(
            "plan",
            "say the wish more simply, or choose another planner model.",
            request=lambda asked: request_with_tools(self.name, bound, asked),
            answer=lambda asked: answered_with_tools(self.model, tools, asked, "plan", self.patience, schema=CALLS),
            read=lambda text: self._read(text, drafted),
            fault_messages=_rejection_messages,
        )
        history = [message for calls in _numbered(drafted.rounds) for message in _round_messages(calls, drafted.result)]
        return ask_until_usable(question, [*messages, *history], name=self.name, record=self.record)

    def _read(self, text: str, drafted: Drafted) -> tuple[Drafted | None, str]:
        """Return the plan extended by the calls of an answer, or None and the fault."""
        calls, faults = _calls_in(text)
        planned, choices = list[dict[str, Any]](), dict(drafted.choices)
        needed = needed_calls(self.enhancement)
        for call in calls:
            try:
                planned.append(_planned(call, drafted.takes, needed, choices))
            except ValidationError as error:
                faults.append(f"{call['tool']}: {faults_of(error)}")
            except ValueError as error:
                faults.append(f"{call['tool']}: {error}")
        if not faults and not calls:
            faults.append(self._lacks(drafted.plan))
        if faults:
            return None, "; ".join(faults[:MAX_FAULTS_TOLD])
        known = [] if drafted.plan is None else drafted.plan.model_dump(mode="json")["calls"]
        try:
            plan = plan_schema().model_validate({"calls": [*known, *planned]})
        except ValidationError as error:
            return None, faults_of(error)
        if fault := self._fault(plan, drafted.plan):
            return None, fault
        complete = plan_fault(plan, self.enhancement, self.brief) is None
        rounds = (*drafted.rounds, tuple(calls))
        return Drafted(plan, rounds, complete, drafted.result, drafted.takes, choices), ""

    def _lacks(self, plan: Plan | None) -> str:
        rest = "nothing is called yet" if plan is None else plan_fault(plan, self.enhancement, self.brief)
        return f"no tool was called, and the plan is not complete: {rest}"

    def _fault(self, plan: Plan, before: Plan | None) -> str | None:
        return (
            plan_fault(plan, self.enhancement, self.brief, partly=True)
            or _words_fault(plan, self.profile)
            or (_late_fault(plan, before) if before is not None else None)
        )


@lru_cache
def plan_tool(tool: Tool) -> StructuredTool:
    """Return the tool as bound to a planner, with a `shot` argument. Invoking it only returns the call id."""
    planned = tool.implementation().planned
    assert planned is not None, f"no planner calls {tool.name}"
    shot: Any = (ShotNumber, Field(description="Number of the shot, from 1"))
    arguments = create_model(f"{planned.__name__}OfShot", __base__=planned, shot=shot)

    def call(given: BaseModel) -> str:
        return call_id(given.model_dump()["shot"], tool.name)

    return as_langchain(tool, arguments, call)


@lru_cache
def tools_digest(tools: tuple[Tool, ...]) -> str:
    """Return the sha256 of the tool descriptions sent to a model, 64 hex digits."""
    descriptions = [
        {"name": bound.name, "description": bound.description, "arguments": _schema(bound).model_json_schema()}
        for bound in map(plan_tool, tools)
    ]
    return digest_of({"tools": descriptions})


def _schema(tool: StructuredTool) -> type[BaseModel]:
    assert isinstance(tool.args_schema, type) and issubclass(tool.args_schema, BaseModel)
    return tool.args_schema


def _calls_in(text: str) -> tuple[list[AskedTool], list[str]]:
    """Return the calls of an answer and the faults of their form. Calls written as JSON text are accepted too."""
    try:
        answer = json.loads(text)
        if not answer["calls"] and str(answer.get("text") or "").lstrip().startswith("{"):
            answer = {"calls": [_as_call(each) for each in json.loads(answer["text"])["calls"]]}
        calls = [each for each in answer["calls"] if isinstance(each["args"], dict) and not each.get("broken")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], ["the answer is neither tool calls nor JSON"]
    faults = [f"{each['name']}: its arguments are not a JSON object" for each in answer["calls"] if each not in calls]
    return [AskedTool(tool=str(each["name"]), arguments=each["args"]) for each in calls], faults


def _as_call(written: dict[str, Any]) -> dict[str, Any]:
    return {"name": written["tool"], "args": {**written["arguments"], "shot": written["shot"]}}


def _planned(
    call: AskedTool, takes: Mapping[str, KnownTake], needed: Sequence[str], choices: dict[str, int]
) -> dict[str, Any]:
    """Return a call in the form of the plan. Products of the plan that it names become open arguments and choices.

    needed: ids of the calls of the whole plan. choices: extended in place. Raises ValueError for an unknown tool or an
    unusable input, ValidationError for invalid arguments.
    """
    tools = {tool.name: tool for tool in planned_tools()}
    tool = tools.get(call["tool"])
    if tool is None:
        raise ValueError(f"an unknown tool; there are {', '.join(tools)}")
    given = _schema(plan_tool(tool)).model_validate(call["arguments"]).model_dump(mode="json")
    shot = given.pop("shot")
    for name in tool.takes:
        take = takes.get(str(given[name]))
        if take is None:
            continue
        if (need := _need(tool, shot, name, needed)) != take.call:
            raise ValueError(f"`{name}` is {given[name]}, made by {take.call}, and shot {shot} needs that of {need}")
        if take.fault is not None and any(other.call == take.call and not other.fault for other in takes.values()):
            raise ValueError(f"`{name}` is {given[name]}, which is not usable ({take.fault}); name one that is")
        given[name], choices[take.call] = None, take.attempt
    return {"tool": tool.name, "shot": shot, "arguments": given}


def _need(tool: Tool, shot: int, name: str, needed: Sequence[str]) -> str | None:
    """Return the call that supplies an argument if it is left open; None if there is none."""
    try:
        return needs_of(shot, tool.name, {other: "given" for other in tool.takes if other != name}, needed)[0]
    except LookupError:
        return None


def _words_fault(plan: Plan, profile: Profile) -> str | None:
    """Return a sentence on a prompt that the models cannot draw, among those present so far; else None."""
    for shot in sorted({call.shot for call in plan.calls}):
        words = plan.words(shot)
        picture = words.picture if words.motion is not None else None
        if fault := profile.shot_fault(picture, words.motion, words.edit):
            return fault
        if words.picture is not None and (fault := profile.check_picture(words.picture)):
            return fault
    return None


def _late_fault(plan: Plan, before: Plan) -> str | None:
    """Return a sentence on a new call that an earlier call should have used as its input; None if there is none."""
    was, now = ([call_id(call.shot, call.tool) for call in each.calls] for each in (before, plan))
    for call in before.calls:
        given = call.arguments.model_dump()
        needs = needs_of(call.shot, call.tool, given, now)
        if needs != needs_of(call.shot, call.tool, given, was):
            late = next(need for need in needs if need not in was)
            return f"{late} comes too late: {call.tool} of shot {call.shot} is called already"
    return None


def _numbered(rounds: Sequence[Sequence[AskedTool]]) -> list[list[tuple[str, AskedTool]]]:
    """Return the calls with generated ids, since the record does not keep the model's ids."""
    return [
        [(f"call_{number}_{place}", call) for place, call in enumerate(calls)] for number, calls in enumerate(rounds)
    ]


def _round_messages(calls: Sequence[tuple[str, AskedTool]], result: Callable[[str], str]) -> list[BaseMessage]:
    """Return the messages of one round: the model's calls and their results."""
    tool_calls = [ToolCall(id=id, name=call["tool"], args=call["arguments"]) for id, call in calls]
    results = [
        ToolMessage(result(call_id(int(call["arguments"]["shot"]), call["tool"])), tool_call_id=id)
        for id, call in calls
    ]
    return [AIMessage("", tool_calls=tool_calls), *results]


def _rejection_messages(text: str, fault: str) -> list[BaseMessage]:
    """Return the messages that reject an answer and give the reason."""
    calls, broken = _calls_in(text)
    if broken or not calls:
        return [AIMessage(text), HumanMessage(f"{NOT_TAKEN}{fault}. Call the tools.")]
    tool_calls = [
        ToolCall(id=f"not_taken_{place}", name=call["tool"], args=call["arguments"]) for place, call in enumerate(calls)
    ]
    results = [
        ToolMessage(f"{NOT_TAKEN}{fault}. Make all calls again, corrected.", tool_call_id=each["id"])
        for each in tool_calls
    ]
    return [AIMessage("", tool_calls=tool_calls), *results]
