"""A turn of the conversation: what is asked of the person, what they answer, and what becomes of it on the board.

Knows moves and the board; which words mean which move is the planner's to say.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from graph.errors import RequestError
from graph.moves import MOST_PAST, AnyMove, Wish, added, made_by, next_shot, play
from graph.planners import Recorder
from graph.state import Call, Limits, RunState, Said, Turn
from graph.storyboard import accepted, open_calls, recent, round_of, stale_calls

MOST_ROUNDS = 6
"""How often the planner may look at what its moves made, in one turn of the person."""
MOST_SAID = 24
"""Sentences of the talk that are kept in the state."""

MOVES: TypeAdapter[list[AnyMove]] = TypeAdapter(list[AnyMove])


class Answer(BaseModel):
    """What resumes a run that waits: words, or moves that need no reading."""

    model_config = ConfigDict(extra="forbid")

    said: str | None = Field(default=None, max_length=4000)
    moves: list[dict[str, Any]] = Field(default=[], max_length=16)


class Heard(BaseModel):
    """What the planner makes of a turn. reply: what it says to the person, None if the products speak for themselves.

    open: it wants to see what the moves made, and then say more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    moves: tuple[AnyMove, ...] = ()
    reply: str | None = None
    open: bool = False


class Listening(Protocol):
    """A planner that can talk."""

    def hear(self, state: RunState, limits: Limits, record: Recorder, /) -> Heard:
        """What the words of `state["turn"]` mean on this board. Raises RequestError with a sentence, PlannerError."""

    def shots(self, words: str, first: int, record: Recorder, /) -> list[Call]:
        """The calls of a wish, its shots counted from `first`. Raises RequestError, PlannerError."""


def question_of(state: RunState, limits: Limits) -> dict[str, Any]:
    """What a person is asked: which takes wait for a word, what is stale, and what was said last."""
    waiting = [
        {
            "call": call["id"],
            "shot": call["shot"],
            "made": made_by(call),
            "takes": [
                {"take": take["attempt"] + 1, "artifact": take["artifact"], "usable": accepted(state, take)}
                for take in recent(state, call)
            ],
            "again": round_of(state, call).get("again", 0),
            "most": round_of(state, call).get("most", limits.repeats),
        }
        for call in open_calls(state, limits)
    ]
    return {
        "waiting": waiting,
        "stale": [call["id"] for call in stale_calls(state, limits)],
        "reply": state["turn"].get("reply") if "turn" in state else None,
    }


def answered(answer: Answer) -> Turn:
    """The turn that an answer begins."""
    return Turn(said=answer.said, moves=answer.moves, round=0, open=False)


def heard(state: RunState, planner: Listening, limits: Limits, record: Recorder) -> RunState:
    """What a turn changes: the board, the talk, and whether the planner speaks again once its moves are made.

    What cannot be done is said to the person, and nothing changes.
    """
    turn = state["turn"]
    talk = list(state.get("talk", []))
    if turn["said"] and turn["round"] == 0:
        talk.append(Said(who="person", text=turn["said"]))
    told = RunState(**{**state, "talk": talk})
    changed, more = RunState(), False
    try:
        said = _given(turn) or planner.hear(told, limits, record)
        changed = _played(told, said.moves, planner, limits, record)
        more = said.open and turn["round"] + 1 < MOST_ROUNDS
        reply = said.reply
    except RequestError as error:
        reply = str(error)
    if reply:
        talk.append(Said(who="mora", text=reply))
    turn = Turn(said=turn["said"], moves=[], round=turn["round"] + 1, open=more, reply=reply)
    return RunState(**{**changed, "talk": talk[-MOST_SAID:], "turn": turn})


def _given(turn: Turn) -> Heard | None:
    return Heard(moves=tuple(MOVES.validate_python(turn["moves"]))) if turn["moves"] else None


def _played(
    state: RunState, moves: Sequence[AnyMove], planner: Listening, limits: Limits, record: Recorder
) -> RunState:
    """All moves of a turn, or none: wishes become calls where they stand among the others."""
    changed = RunState()
    for move in moves:
        now = RunState(**{**state, **changed})
        if isinstance(move, Wish):
            new = added(now, planner.shots(move.words, next_shot(now), record), limits)
        else:
            new = play(now, [move], limits)
        changed = RunState(**{**changed, **new})
    changed = _one_turn(state, changed)
    return RunState(**{**changed, "past": changed["past"][-MOST_PAST:]}) if "past" in changed else changed


def _one_turn(state: RunState, changed: RunState) -> RunState:
    """Several moves of one turn are taken back together."""
    before, after = state.get("past", []), changed.get("past")
    if after is None or len(after) <= len(before) + 1:
        return changed
    whole = after[len(before)]
    for later in after[len(before) + 1 :]:
        whole = {
            "calls": {**later["calls"], **whole["calls"]},
            "rounds": {**later["rounds"], **whole["rounds"]},
            "choices": {**later["choices"], **whole["choices"]},
        }
    return RunState(**{**changed, "past": [*after[: len(before)], whole]})
