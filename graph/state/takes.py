"""What stands on the board: the calls of a run, their takes, which of them stand, and what is still wanted.

Pure functions over the state; knows no model, no store and no words. Nothing here forgets a take.
"""

from collections.abc import Sequence

from graph.state.channels import Call, Limits, Round, RunState, Take
from tools.registry import TOOLS


def asks(state: RunState) -> bool:
    """True if a person decides which takes stand."""
    return bool(state["request"].get("review", "never") != "never")


def takes_of(state: RunState, call_id: str) -> list[Take]:
    """All takes of a call, in the order of their attempts."""
    return state.get("takes", {}).get(call_id, [])


def call_of(state: RunState, call_id: str) -> Call:
    """The call of an id. Raises KeyError."""
    return next(call for call in state["calls"] if call["id"] == call_id)


def round_of(state: RunState, call: Call) -> Round:
    """What is wanted of a call: as many as candidates were asked for where they are drawn in one go, else one."""
    known = state.get("rounds", {}).get(call["id"])
    if known is not None:
        return known
    count = state["request"].get("candidates", 1) if TOOLS[call["tool"]].several else 1
    return Round(since=0, count=count)


def recent(state: RunState, call: Call) -> list[Take]:
    """The takes that the present round has made so far."""
    wanted = round_of(state, call)
    return [take for take in takes_of(state, call["id"]) if wanted["since"] <= take["attempt"]][
        : None if "upto" not in wanted else wanted["upto"] - wanted["since"]
    ]


def accepted(state: RunState, take: Take) -> bool:
    """True when the newest word on this take's artifact is a yes."""
    verdict = state.get("verdicts", {}).get(take["artifact"])
    return verdict is not None and verdict["ok"]


def missing(state: RunState, call: Call, limits: Limits) -> int:
    """How many takes of a call are still to be made: those wanted, then one at a time while none is usable."""
    made, wanted = recent(state, call), round_of(state, call)
    if len(made) < wanted["count"]:
        return wanted["count"] - len(made)
    usable = any(accepted(state, take) for take in made)
    return 0 if usable or "upto" in wanted or len(made) >= wanted["count"] + limits.repeats else 1


def best(state: RunState, call: Call) -> Take | None:
    """The take of the round that would stand if nobody chose: the first usable one, else the last."""
    made = recent(state, call)
    return next((take for take in made if accepted(state, take)), made[-1] if made else None)


def chosen(state: RunState, call_id: str, limits: Limits) -> Take | None:
    """The take that stands; None while there is none, or a person has not decided."""
    call = call_of(state, call_id)
    picked = state.get("choices", {}).get(call_id)
    if picked is not None:
        return next(take for take in takes_of(state, call_id) if take["attempt"] == picked)
    if missing(state, call, limits) or (asks(state) and not round_of(state, call).get("alone", False)):
        return None
    return best(state, call)


def inputs_now(state: RunState, call: Call, limits: Limits) -> list[str] | None:
    """The artifacts that a call would start from now, in the order of its arguments; None while one is not there."""
    needed = [chosen(state, need, limits) for need in call["needs"]]
    if any(take is None for take in needed):
        return None
    return inputs_of(call, [take["artifact"] for take in needed if take is not None])


def inputs_of(call: Call, needed: Sequence[str]) -> list[str]:
    """The artifacts that a call starts from: given ones, and the products it needs."""
    made = iter(needed)
    if call["tool"] == "assemble_film":
        return [piece["artifact"] or next(made) for piece in call["arguments"]["pieces"]]
    return [call["arguments"].get(name) or next(made) for name in TOOLS[call["tool"]].takes]


def open_calls(state: RunState, limits: Limits) -> list[Call]:
    """The calls with takes to decide about, in the order of the board."""
    return [
        call
        for call in state.get("calls", [])
        if recent(state, call) and not missing(state, call, limits) and chosen(state, call["id"], limits) is None
    ]


def stale(state: RunState, call: Call, limits: Limits) -> bool:
    """True if the take that stands was made from something that no longer stands, or with other arguments."""
    take = chosen(state, call["id"], limits)
    if take is None or "inputs" not in take or "asked" not in take:
        return False
    now = inputs_now(state, call, limits)
    upstream = any(stale(state, call_of(state, need), limits) for need in call["needs"])
    return upstream or (now is not None and now != take["inputs"]) or take["asked"] != call["arguments"]


def stale_calls(state: RunState, limits: Limits) -> list[Call]:
    """The calls whose standing takes are stale, in the order of the board."""
    return [call for call in state.get("calls", []) if stale(state, call, limits)]
