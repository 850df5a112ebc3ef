"""Routing decisions and limits, as pure functions of the state."""

import hashlib
from typing import Literal

from langgraph.types import Send

from graph.state import read
from graph.state.channels import Call, Limits, RunState, ToolTask
from graph.state.takes import chosen, inputs_now, missing, takes_of, user_decides
from tools.registry import TOOLS


def begin(state: RunState) -> Literal["enhance", "ask"]:
    """Begin with the prompt; a conversation without one begins by asking the user."""
    request = read.request(state)
    return "enhance" if request.prompt or request.review != "chat" else "ask"


def next_tool_tasks(state: RunState, limits: Limits) -> list[ToolTask]:
    """Return the calls that can run now: takes are missing, and their inputs are available."""
    seed = read.request(state).seed
    return [tool_task for call in read.calls(state) for tool_task in _tool_tasks(state, call, limits, seed)]


def _tool_tasks(state: RunState, call: Call, limits: Limits, seed: int) -> list[ToolTask]:
    count = missing(state, call, limits)
    inputs = inputs_now(state, call, limits) if count else None
    if inputs is None:
        return []
    first = len(takes_of(state, call["id"]))
    attempts = range(first, first + count)
    seeds = [seed_of(seed, call, attempt) for attempt in attempts]
    if count > 1 and TOOLS[call["tool"]].several:
        return [ToolTask(call=call, attempt=first, seed=seeds[0], inputs=inputs, also=seeds[1:])]
    return [
        ToolTask(call=call, attempt=attempt, seed=each, inputs=inputs)
        for attempt, each in zip(attempts, seeds, strict=True)
    ]


def seed_of(seed: int, call: Call, attempt: int) -> int:
    """Return the noise seed of an attempt of a call, 0 .. 2**63 - 1: different for each, equal in every process."""
    digest = hashlib.sha256(f"{seed}|{call['id']}|{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def after_review(state: RunState, limits: Limits) -> list[Send] | Literal["plan", "assemble", "ask", "think"]:
    """Route as `onward` does, but return to an incomplete plan by tool calls before the film is assembled."""
    ahead = onward(state, limits)
    return "plan" if ahead == "assemble" and read.open_plan(state) else ahead


def onward(state: RunState, limits: Limits) -> list[Send] | Literal["assemble", "ask", "think"]:
    """Return one `Send` per task that can run now; without any, route to the planner, the user or the film."""
    tool_tasks = next_tool_tasks(state, limits)
    if tool_tasks:
        return [Send("act", tool_task) for tool_task in tool_tasks]
    if user_decides(state) and read.turn_is_open(state):
        return "think"
    return "ask" if user_decides(state) and not approved(state, limits) else "assemble"


def approved(state: RunState, limits: Limits) -> bool:
    """Return whether every call of a reviewed run has a selected take. Always false for a conversation."""
    if read.request(state).review == "chat":
        return False
    return all(chosen(state, call["id"], limits) is not None for call in read.calls(state))
