"""The graph state: plain JSON, checkpointed as a whole. It holds ids and text; pixels stay in the store."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from graph.state.tasks import AnyTool

GRAPH_VERSION = 1
"""Incremented when paused runs of an older graph can no longer be resumed; each run row stores its own version."""


MOVE_RULES = 2
"""How moves change the board; each run row stores its own, so that an older conversation is replayed as it was.

2: a second change of one original is another take of the first; a film takes up what waits of a change, and the planned
transitions.
"""


class Call(TypedDict):
    """One tool call of the plan. `id` is `<shot>.<tool>`.

    needs: ids of the calls whose products it uses, in the order of the input arguments that are left open.
    """

    id: str
    shot: int
    tool: AnyTool
    arguments: dict[str, Any]
    needs: list[str]


class Take(TypedDict):
    """One product of a call: its artifact id, its seed and its attempt number, from 0.

    inputs, asked: the input artifacts and the arguments it was made with.
    """

    artifact: str
    seed: int
    attempt: int
    inputs: NotRequired[list[str]]
    asked: NotRequired[dict[str, Any]]


class Round(TypedDict):
    """The takes currently requested of a call: `count` of them, from attempt `since` on.

    upto: the exclusive end of a round restored by undo. again: how often the user repeated the call; most: how often
    they may. alone: a usable take is selected without asking the user.
    """

    since: int
    count: int
    upto: NotRequired[int]
    again: NotRequired[int]
    most: NotRequired[int]
    alone: NotRequired[bool]


class Past(TypedDict):
    """The previous values of what a turn changed, for undo; None where there was no value."""

    calls: dict[str, Call | None]
    rounds: dict[str, Round | None]
    choices: dict[str, int | None]


class Said(TypedDict):
    """One message of the conversation. who: `person`, `mora`, or `planner` for text written by a model."""

    who: str
    text: str


class Turn(TypedDict):
    """A turn of the user: text (`said`), or moves that need no interpretation.

    round: number of planner rounds so far. open: the planner wants to see the products of its moves before it goes on.
    done: its moves so far, one list per round. changed: whether they changed the board. reply, voice: the answer and
    its author. known: number of products when the turn began. likes: the user's preferences, added to wishes that do
    not mention them. last: the moves of the turn before. shown: number of the product that the user looked at before.
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
    last: NotRequired[list[dict[str, Any]]]
    shown: NotRequired[int]


class AskedTool(TypedDict):
    """A tool call as the planner made it: the arguments include the shot and any ids of existing products."""

    tool: str
    arguments: dict[str, Any]


class Judged(TypedDict):
    """The verdict on an artifact, with the reason."""

    ok: bool
    reason: str


def add_takes(known: dict[str, list[Take]], new: dict[str, list[Take]]) -> dict[str, list[Take]]:
    """Merge takes per call, ordered by attempt. An attempt of a node that ran again replaces the earlier one."""
    merged = dict(known)
    for call, takes in new.items():
        by_attempt = {take["attempt"]: take for take in (*merged.get(call, []), *takes)}
        merged[call] = [by_attempt[attempt] for attempt in sorted(by_attempt)]
    return merged


def add_verdicts(known: dict[str, Judged], new: dict[str, Judged]) -> dict[str, Judged]:
    """Merge verdicts per artifact id; the newest wins."""
    return {**known, **new}


class RunState(TypedDict, total=False):
    """The channels, by the node that writes them: enhance (enhancement, notes), plan (calls, choices, open_plan),
    act (takes, notes), review (verdicts, notes), ask (turn), think (calls, rounds, choices, past, talk, turn, notes),
    assemble (film, notes).

    open_plan: the planner's tool calls so far, one list per round, while its plan is incomplete; empty or absent once
    it is complete.
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
    """The payload of one `Send` to `act`: the call, the attempt, and its input artifacts in the order of its arguments.

    also: the seeds of further attempts made in the same batch.
    """

    call: Call
    attempt: int
    seed: int
    inputs: list[str]
    also: NotRequired[list[int]]


@dataclass(frozen=True)
class Limits:
    """Loop bounds: repeats per call of a degenerate product, and super-steps per run."""

    repeats: int = 3
    supersteps: int = 64


DEFAULT_LIMITS = Limits()
