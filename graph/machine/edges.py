"""Every routing decision and limit: pure functions from the state to what comes next."""

import hashlib
from typing import Literal

from langgraph.types import Send

from graph.state.channels import Call, Limits, RunState, ToolTask
from graph.state.takes import asks, chosen, inputs_now, missing, takes_of
from tools.registry import TOOLS


def begin(state: RunState) -> Literal["enhance", "ask"]:
    """A run begins with its wish; a conversation without one begins with a question."""
    return "enhance" if state["request"]["prompt"] or state["request"].get("review") != "chat" else "ask"


def next_tool_tasks(state: RunState, limits: Limits) -> list[ToolTask]:
    """The calls that can run now: those with takes to be made whose needs are met."""
    return [tool_task for call in state.get("calls", []) for tool_task in _tool_tasks(state, call, limits)]


def _tool_tasks(state: RunState, call: Call, limits: Limits) -> list[ToolTask]:
    count = missing(state, call, limits)
    inputs = inputs_now(state, call, limits) if count else None
    if inputs is None:
        return []
    first, seed = len(takes_of(state, call["id"])), state["request"]["seed"]
    attempts = range(first, first + count)
    seeds = [seed_of(seed, call, attempt) for attempt in attempts]
    if count > 1 and TOOLS[call["tool"]].several:
        return [ToolTask(call=call, attempt=first, seed=seeds[0], inputs=inputs, also=seeds[1:])]
    return [
        ToolTask(call=call, attempt=attempt, seed=each, inputs=inputs)
        for attempt, each in zip(attempts, seeds, strict=True)
    ]


def seed_of(seed: int, call: Call, attempt: int) -> int:
    """The noise seed of one attempt of one call, 0 .. 2**63 - 1: its own for each, and the same in every process."""
    digest = hashlib.sha256(f"{seed}|{call['id']}|{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def after_review(state: RunState, limits: Limits) -> list[Send] | Literal["plan", "assemble", "ask", "think"]:
    """As `onward`; but before the film is joined, whoever plans by tools hears what came of its calls."""
    ahead = onward(state, limits)
    return "plan" if ahead == "assemble" and state.get("open_plan") else ahead


def onward(state: RunState, limits: Limits) -> list[Send] | Literal["assemble", "ask", "think"]:
    """One `Send` per take that can be made now; when none is left, the planner, the person, or the film."""
    tool_tasks = next_tool_tasks(state, limits)
    if tool_tasks:
        return [Send("act", tool_task) for tool_task in tool_tasks]
    if asks(state) and state.get("turn", {}).get("open"):
        return "think"
    return "ask" if asks(state) and not approved(state, limits) else "assemble"


def approved(state: RunState, limits: Limits) -> bool:
    """True once every product of a reviewed run stands. A conversation has no such end."""
    if state["request"].get("review") == "chat":
        return False
    return all(chosen(state, call["id"], limits) is not None for call in state.get("calls", []))
