"""What flows through the graph: plain JSON, checkpointed whole. Pixels stay in the store; ids and words come here."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from graph.state.tasks import AnyTool

GRAPH_VERSION = 1
"""Raised when a paused run of an older graph could not go on in this one; the run row keeps the one it began with."""


class Call(TypedDict):
    """One tool call of the plan. `id` is `<shot>.<tool>`; `needs` are ids of the calls whose products it takes, in the
    order of its arguments that name nothing given."""

    id: str
    shot: int
    tool: AnyTool
    arguments: dict[str, Any]
    needs: list[str]


class Take(TypedDict):
    """One product of a call: the artifact, the seed it was made with, and which attempt it was, from 0.

    inputs, asked: what it was made from, and the arguments it was made with, as they were then.
    """

    artifact: str
    seed: int
    attempt: int
    inputs: NotRequired[list[str]]
    asked: NotRequired[dict[str, Any]]


class Round(TypedDict):
    """What is wanted of a call now: `count` takes from attempt `since` on.

    upto: where a round that was taken back ended. again: how often the person had the call repeated, `most` how often
    it may be. alone: the newest usable take stands without being asked about.
    """

    since: int
    count: int
    upto: NotRequired[int]
    again: NotRequired[int]
    most: NotRequired[int]
    alone: NotRequired[bool]


class Past(TypedDict):
    """What a turn changed, as it was before: None where there was nothing. This is how it is taken back."""

    calls: dict[str, Call | None]
    rounds: dict[str, Round | None]
    choices: dict[str, int | None]


class Said(TypedDict):
    """One thing that was said. who: `person`, `mora`, or `planner` for a model's own words."""

    who: str
    text: str


class Turn(TypedDict):
    """A turn of the person: the words, or moves that need no reading. round: how often the planner has thought about
    it; open: it wants to see what its moves made before it says more; done: its moves so far, round by round;
    changed: they changed the board.

    reply, voice: what was said to it, and by whom. known: how many products there were when it began. likes: words
    that a wish without them gets.
    """

    said: str | None
    moves: list[dict[str, Any]]
    round: int
    open: bool
    reply: NotRequired[str | None]
    voice: NotRequired[str]
    known: NotRequired[int]
    done: NotRequired[list[list[dict[str, Any]]]]
    changed: NotRequired[bool]
    likes: NotRequired[list[str]]


class AskedTool(TypedDict):
    """A tool call as a planner said it: the shot, and ids of what is there already, are among its arguments."""

    tool: str
    arguments: dict[str, Any]


class Judged(TypedDict):
    """A judge's word on an artifact."""

    ok: bool
    reason: str


def add_takes(known: dict[str, list[Take]], new: dict[str, list[Take]]) -> dict[str, list[Take]]:
    """Takes per call, in the order of their attempts; the same attempt twice (a node that ran again) counts once."""
    merged = dict(known)
    for call, takes in new.items():
        by_attempt = {take["attempt"]: take for take in (*merged.get(call, []), *takes)}
        merged[call] = [by_attempt[attempt] for attempt in sorted(by_attempt)]
    return merged


def add_verdicts(known: dict[str, Judged], new: dict[str, Judged]) -> dict[str, Judged]:
    """Verdicts per artifact id; the newest stands."""
    return {**known, **new}


class RunState(TypedDict, total=False):
    """The channels. Written by: enhance (enhancement, notes), plan (calls, choices, open_plan), act (takes, notes),
    review (verdicts, notes), ask (turn), think (calls, rounds, choices, past, talk, turn), assemble (film, notes).

    open_plan: what the planner has called so far, round by round, while its plan lacks calls; empty or absent: it is
    complete.
    """

    request: dict[str, Any]
    enhancement: dict[str, Any]
    calls: list[Call]
    takes: Annotated[dict[str, list[Take]], add_takes]
    verdicts: Annotated[dict[str, Judged], add_verdicts]
    notes: Annotated[list[str], operator.add]
    rounds: dict[str, Round]
    choices: dict[str, int]
    past: list[Past]
    talk: list[Said]
    turn: Turn
    film: str
    open_plan: list[list[AskedTool]]


class ToolTask(TypedDict):
    """What one `Send` carries to `act`: the call, the attempt, and the artifacts that it starts from, in the order of
    its arguments. also: seeds of the attempts after it that are drawn with it in one go."""

    call: Call
    attempt: int
    seed: int
    inputs: list[str]
    also: NotRequired[list[int]]


@dataclass(frozen=True)
class Limits:
    """Bounds of the loops: repeats of a degenerate product per call, and super-steps of a run."""

    repeats: int = 3
    supersteps: int = 64


DEFAULT_LIMITS = Limits()
