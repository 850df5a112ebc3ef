"""Every routing decision and limit: pure functions from the state to what comes next."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from langgraph.types import Send

from graph.procedures import STEPS
from graph.state import Call, Errand, Limits, RunState, Take


def next_errands(state: RunState, limits: Limits) -> list[Errand]:
    """The calls that can run now: those never made whose needs are met, and degenerate ones with repeats left."""
    errands = []
    for call in state["calls"]:
        takes = state.get("takes", {}).get(call["id"], [])
        if takes and (accepted(state, takes[-1]) or len(takes) > limits.repeats):
            continue
        needed = [take["artifact"] for need in call["needs"] if (take := chosen(state, need, limits)) is not None]
        if len(needed) == len(call["needs"]):
            attempt = len(takes)
            seed = seed_of(state["request"]["seed"], call, attempt)
            errands.append(Errand(call=call, attempt=attempt, seed=seed, inputs=inputs_of(call, needed)))
    return errands


def inputs_of(call: Call, needed: Sequence[str]) -> list[str]:
    """The artifacts that a call starts from, in the order of its arguments: given ones, and the products it needs."""
    made = iter(needed)
    return [call["arguments"].get(name) or next(made) for name in STEPS[call["tool"]].takes]


def accepted(state: RunState, take: Take) -> bool:
    """True when the newest word on this take's artifact is a yes."""
    verdict = state.get("verdicts", {}).get(take["artifact"])
    return verdict is not None and verdict["ok"]


def chosen(state: RunState, call_id: str, limits: Limits) -> Take | None:
    """The take that stands: the last one, once it is accepted or no repeat is left; else None."""
    takes = state.get("takes", {}).get(call_id, [])
    if takes and (accepted(state, takes[-1]) or len(takes) > limits.repeats):
        return takes[-1]
    return None


def seed_of(seed: int, call: Call, attempt: int) -> int:
    """The noise seed of one attempt of one call, 0 .. 2**63 - 1: its own for each, and the same in every process."""
    digest = hashlib.sha256(f"{seed}|{call['id']}|{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def after_review(state: RunState, limits: Limits) -> list[Send] | Literal["assemble"]:
    """One `Send` per call that can run now; when none is left, the film."""
    errands = next_errands(state, limits)
    return [Send("act", errand) for errand in errands] if errands else "assemble"
