"""Read the board: the calls of a run, their takes, which takes are selected and which are still missing.

Pure functions over the state, without models, store or text. A take that is selected is said to stand.
"""

from collections.abc import Mapping, Sequence

from graph.state.channels import Call, Limits, Round, RunState, Take
from tools.registry import TOOLS


def user_decides(state: RunState) -> bool:
    """Return whether the user decides which takes are selected."""
    return bool(state["request"].get("review", "never") != "never")


def takes_of(state: RunState, call_id: str) -> list[Take]:
    """Return all takes of a call, ordered by attempt."""
    return state.get("takes", {}).get(call_id, [])


def call_of(state: RunState, call_id: str) -> Call:
    """Return the call with an id. Raises StopIteration if there is none."""
    return next(call for call in state["calls"] if call["id"] == call_id)


def round_of(state: RunState, call: Call) -> Round:
    """Return the round of a call. The default is one take, or all candidates for a tool that makes them in a batch."""
    known = state.get("rounds", {}).get(call["id"])
    if known is not None:
        return known
    count = state["request"].get("candidates", 1) if TOOLS[call["tool"]].several else 1
    return Round(since=0, count=count)


def recent(state: RunState, call: Call) -> list[Take]:
    """Return the takes made so far in the present round."""
    wanted = round_of(state, call)
    return [take for take in takes_of(state, call["id"]) if wanted["since"] <= take["attempt"]][
        : None if "upto" not in wanted else wanted["upto"] - wanted["since"]
    ]


def accepted(state: RunState, take: Take) -> bool:
    """Return whether the verdict on this take's artifact is positive."""
    verdict = state.get("verdicts", {}).get(take["artifact"])
    return verdict is not None and verdict["ok"]


def missing(state: RunState, call: Call, limits: Limits) -> int:
    """Return how many takes to make now: the rest of the round, then one at a time while none is usable."""
    made, wanted = recent(state, call), round_of(state, call)
    if len(made) < wanted["count"]:
        return wanted["count"] - len(made)
    # Without an agent the same would come out again.
    usable = any(accepted(state, take) for take in made) or not TOOLS[call["tool"]].roles
    return 0 if usable or "upto" in wanted or len(made) >= wanted["count"] + limits.repeats else 1


def best(state: RunState, call: Call) -> Take | None:
    """Return the default take of the round: the first usable one, else the last; None if there is none."""
    made = recent(state, call)
    return next((take for take in made if accepted(state, take)), made[-1] if made else None)


def chosen(state: RunState, call_id: str, limits: Limits) -> Take | None:
    """Return the selected take; None while there is none or the user has not decided."""
    return chosen_of(state, call_of(state, call_id), limits)


def chosen_of(state: RunState, call: Call, limits: Limits) -> Take | None:
    """Return the selected take of a call; None while there is none or the user has not decided."""
    picked = state.get("choices", {}).get(call["id"])
    if picked is not None:
        return next(take for take in takes_of(state, call["id"]) if take["attempt"] == picked)
    if missing(state, call, limits) or (user_decides(state) and not round_of(state, call).get("alone", False)):
        return None
    return best(state, call)


def inputs_now(state: RunState, call: Call, limits: Limits) -> list[str] | None:
    """Return the present input artifacts of a call in the order of its arguments; None while one is missing."""
    return _inputs(call, [chosen(state, need, limits) for need in call["needs"]])


def _inputs(call: Call, needed: Sequence[Take | None]) -> list[str] | None:
    made = [take["artifact"] for take in needed if take is not None]
    return inputs_of(call, made) if len(made) == len(needed) else None


def inputs_of(call: Call, needed: Sequence[str]) -> list[str]:
    """Return the input artifacts of a call: those it names, and `needed` in the place of the open ones."""
    made = iter(needed)
    if call["tool"] == "assemble_film":
        return [piece["artifact"] or next(made) for piece in call["arguments"]["pieces"]]
    return [call["arguments"].get(name) or next(made) for name in TOOLS[call["tool"]].takes]


def open_calls(state: RunState, limits: Limits) -> list[Call]:
    """Return the calls whose takes await a decision, in board order."""
    return [
        call
        for call in state.get("calls", [])
        if chosen_of(state, call, limits) is None and recent(state, call) and not missing(state, call, limits)
    ]


def stale_calls(state: RunState, limits: Limits) -> list[Call]:
    """Return the calls whose selected takes are stale, in board order.

    A selected take is stale if it was made from inputs that are no longer selected or are stale themselves, or with
    other arguments than the call has now.
    """
    return stale_among(state, {call["id"]: chosen_of(state, call, limits) for call in state.get("calls", [])})


def stale_among(state: RunState, standing: Mapping[str, Take | None]) -> list[Call]:
    """Return the calls whose selected takes are stale, in board order. standing: the selected takes by call."""
    calls = {call["id"]: call for call in state.get("calls", [])}
    known: dict[str, bool] = {}

    def stale(call: Call) -> bool:
        take = standing[call["id"]]
        if take is None or "inputs" not in take or "asked" not in take:
            return False
        if call["id"] not in known:
            now = _inputs(call, [standing[need] for need in call["needs"]])
            differs = (now is not None and now != take["inputs"]) or take["asked"] != call["arguments"]
            known[call["id"]] = differs or any(stale(calls[need]) for need in call["needs"])
        return known[call["id"]]

    return [call for call in calls.values() if stale(call)]
