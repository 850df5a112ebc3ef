"""A plan by tool calls: the tools are bound to the model, and what it calls is the plan, at once or round by round.

An answer is taken as a whole or not at all. What was taken is made before the model is asked again, unless a person
decides what stands; the results of its calls then come back to it.
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
"""What recorded answers are found by, beside the question: a plan by tools."""

NOT_TAKEN = "Not taken: "
"""How a result begins of a call that was no part of the plan."""


@dataclass(frozen=True)
class Drafted:
    """How far a plan is. plan: its calls so far; None: there is none. rounds: the calls as the model said them.

    result: what came of the call of an id, as the model is told. takes: the products that it may name. choices: of the
    calls, by id, the attempts that stand because it named them.
    """

    plan: Plan | None = None
    rounds: tuple[tuple[AskedTool, ...], ...] = ()
    complete: bool = False
    result: Callable[[str], str] = lambda _call: PLANNED
    takes: Mapping[str, KnownTake] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Drafter:
    """Who is asked, of what, and where it is recorded."""

    model: BaseChatModel
    name: str
    profile: Profile
    patience: Patience
    brief: Brief
    enhancement: Enhancement
    record: Recorder

    def next(self, drafted: Drafted, messages: list[BaseMessage]) -> Drafted:
        """Return the plan with the calls of one more answer. messages: the question, before anything was answered.

        Raises PlannerError if no answer can be used, ToolsRefused if the model takes no tools.
        """
        tools = [plan_tool(tool) for tool in planned_tools()]
        bound = {"name": CALLS, "digest": tools_digest(planned_tools()), "round": len(drafted.rounds)}
        question = Question(
            "plan",
            "say the wish more simply, or choose another planner model.",
            request=lambda asked: request_with_tools(self.name, bound, asked),
            answer=lambda asked: answered_with_tools(self.model, tools, asked, "plan", self.patience, schema=CALLS),
            read=lambda text: self._read(text, drafted),
            told_back=_told_back,
        )
        history = [message for calls in _numbered(drafted.rounds) for message in _heard(calls, drafted.result)]
        return ask_until_usable(question, [*messages, *history], name=self.name, record=self.record)

    def _read(self, text: str, drafted: Drafted) -> tuple[Drafted | None, str]:
        """The plan with the calls of an answer, or what is wrong with them."""
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
    """Return the tool as it is bound to a planner: with the shot that it works for. Called, it names the call."""
    planned = tool.implementation().planned
    assert planned is not None, f"no planner calls {tool.name}"
    shot: Any = (ShotNumber, Field(description="Number of the shot, from 1"))
    arguments = create_model(f"{planned.__name__}OfShot", __base__=planned, shot=shot)

    def call(given: BaseModel) -> str:
        return call_id(given.model_dump()["shot"], tool.name)

    return as_langchain(tool, arguments, call)


@lru_cache
def tools_digest(tools: tuple[Tool, ...]) -> str:
    """Return the sha256 of what a model is told of the tools, 64 hex digits."""
    told = [
        {"name": bound.name, "description": bound.description, "arguments": _schema(bound).model_json_schema()}
        for bound in map(plan_tool, tools)
    ]
    return digest_of({"tools": told})


def _schema(tool: StructuredTool) -> type[BaseModel]:
    assert isinstance(tool.args_schema, type) and issubclass(tool.args_schema, BaseModel)
    return tool.args_schema


def _calls_in(text: str) -> tuple[list[AskedTool], list[str]]:
    """The calls of an answer, and what is wrong with their form. Calls that a model writes as text are understood."""
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
    """A call as the plan has it: whatever is named of this plan's own products is left open, and stands from now on.

    needed: the calls of the whole plan. Raises ValueError with a sentence for what is no tool or cannot be started
    from, ValidationError.
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
    """The call whose product an argument is when it is left open; None if there is none."""
    try:
        return needs_of(shot, tool.name, {other: "given" for other in tool.takes if other != name}, needed)[0]
    except LookupError:
        return None


def _words_fault(plan: Plan, profile: Profile) -> str | None:
    """What the models would not understand, as far as the shots have their words."""
    for shot in sorted({call.shot for call in plan.calls}):
        said = plan.words(shot)
        picture = said.picture if said.motion is not None else None
        if fault := profile.shot_fault(picture, said.motion, said.edit):
            return fault
        if said.picture is not None and (fault := profile.check_picture(said.picture)):
            return fault
    return None


def _late_fault(plan: Plan, before: Plan) -> str | None:
    """A call that comes too late: what was called before it would have started from it."""
    was, now = ([call_id(call.shot, call.tool) for call in each.calls] for each in (before, plan))
    for call in before.calls:
        given = call.arguments.model_dump()
        needs = needs_of(call.shot, call.tool, given, now)
        if needs != needs_of(call.shot, call.tool, given, was):
            late = next(need for need in needs if need not in was)
            return f"{late} comes too late: {call.tool} of shot {call.shot} is called already"
    return None


def _numbered(rounds: Sequence[Sequence[AskedTool]]) -> list[list[tuple[str, AskedTool]]]:
    """The calls with ids of Mora's own, since a record keeps none."""
    return [
        [(f"call_{number}_{place}", call) for place, call in enumerate(calls)] for number, calls in enumerate(rounds)
    ]


def _heard(calls: Sequence[tuple[str, AskedTool]], result: Callable[[str], str]) -> list[BaseMessage]:
    """The messages of one round: the calls of the model, and what came of each."""
    said = [ToolCall(id=id, name=call["tool"], args=call["arguments"]) for id, call in calls]
    came = [
        ToolMessage(result(call_id(int(call["arguments"]["shot"]), call["tool"])), tool_call_id=id)
        for id, call in calls
    ]
    return [AIMessage("", tool_calls=said), *came]


def _told_back(text: str, fault: str) -> list[BaseMessage]:
    """The messages by which a model hears that none of its calls was taken, and why."""
    calls, broken = _calls_in(text)
    if broken or not calls:
        return [AIMessage(text), HumanMessage(f"{NOT_TAKEN}{fault}. Call the tools.")]
    said = [
        ToolCall(id=f"not_taken_{place}", name=call["tool"], args=call["arguments"]) for place, call in enumerate(calls)
    ]
    told = [
        ToolMessage(f"{NOT_TAKEN}{fault}. Make all calls again, corrected.", tool_call_id=each["id"]) for each in said
    ]
    return [AIMessage("", tool_calls=said), *told]
