"""The only reader of a run's channels: each by its name, with what stands where nothing was written yet."""

from collections.abc import Mapping
from typing import Any, cast

from graph.state.channels import AskedTool, Call, Judged, Past, Said, Take, Turn
from memory.records import Request

State = Mapping[str, object]
"""A `RunState`, or the channel values of a checkpoint."""


def request(state: State) -> Request:
    """Return the request, validated: call it once a node. Raises ValidationError for a state without one."""
    return Request.model_validate(state["request"])


def enhancement(state: State) -> dict[str, Any]:
    """Return A1's answer as JSON; {} before it."""
    return cast(dict[str, Any], state.get("enhancement", {}))


def calls(state: State) -> list[Call]:
    """Return the tool calls of the plan; [] before it."""
    return cast(list[Call], state.get("calls", []))


def takes(state: State) -> dict[str, list[Take]]:
    """Return the takes by the id of their call."""
    return cast(dict[str, list[Take]], state.get("takes", {}))


def verdicts(state: State) -> dict[str, Judged]:
    """Return the verdicts by artifact id."""
    return cast(dict[str, Judged], state.get("verdicts", {}))


def notes(state: State) -> list[str]:
    """Return all notes of the run, oldest first."""
    return cast(list[str], state.get("notes", []))


def choices(state: State) -> dict[str, int]:
    """Return the attempt that a person or a fork chose, by the id of its call."""
    return cast(dict[str, int], state.get("choices", {}))


def past(state: State) -> list[Past]:
    """Return what turns changed, as it was before, oldest first."""
    return cast(list[Past], state.get("past", []))


def talk(state: State) -> list[Said]:
    """Return the latest sentences of the conversation."""
    return cast(list[Said], state.get("talk", []))


def open_plan(state: State) -> list[list[AskedTool]]:
    """Return the rounds of a plan that is not complete yet; [] for one that is, or was never open."""
    return cast(list[list[AskedTool]], state.get("open_plan", []))


def turn(state: State) -> Turn | None:
    """Return the latest turn of the person; None before the first one."""
    return cast("Turn | None", state.get("turn"))


def current_turn(state: State) -> Turn:
    """Return the turn that is being worked on; there must be one."""
    found = turn(state)
    assert found is not None, "nobody has said anything yet"
    return found


def words(state: State) -> str:
    """Return the words of the latest turn; "" if it had none, or before the first one."""
    found = turn(state)
    return "" if found is None else found["said"] or ""


def turn_is_open(state: State) -> bool:
    """Return whether the planner wants to see what its moves made before it says more."""
    found = turn(state)
    return found is not None and found["open"]


def film(state: State) -> str | None:
    """Return the artifact id of the run's film; None before it."""
    return cast("str | None", state.get("film"))
