"""A turn of the conversation: what is asked of the person, what they answer, and what becomes of it on the board.

Knows moves and the board; which words mean which move is the planner's to say.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from graph.dialogue.preferences import as_liked
from graph.english.refusals import listed
from graph.errors import MISTAKES, RequestError
from graph.planners.ports import Recorder
from graph.planning.turn import Answer, Heard
from graph.state.apply import MOST_PAST, added, made_by, next_shot, play
from graph.state.channels import Call, Limits, RunState, Said, Turn
from graph.state.moves import AnyMove, Film, Wish, products_of
from graph.state.products import numbers_of
from graph.state.takes import accepted, call_of, chosen, open_calls, recent, round_of, stale, stale_calls

MOST_ROUNDS = 6
"""How often the planner may look at what its moves made, in one turn of the person."""


MOST_SAID = 24
"""Sentences of the talk that are kept in the state."""


MOVES: TypeAdapter[list[AnyMove]] = TypeAdapter(list[AnyMove])


class Listening(Protocol):
    """A planner that can talk."""

    def hear(self, state: RunState, limits: Limits, record: Recorder, /) -> Heard:
        """What the words of `state["turn"]` mean on this board. Raises RequestError with a sentence, PlannerError."""

    def shots(self, words: str, first: int, record: Recorder, /) -> tuple[list[Call], list[str]]:
        """The calls of a wish, its shots counted from `first`, and what was chosen for the person. Raises
        RequestError, PlannerError."""

    def there(self, artifact_id: str, /) -> None:
        """Raises UnknownArtifact if the store has no such product."""


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
        "voice": state["turn"].get("voice", "mora") if "turn" in state else "mora",
    }


def answered(answer: Answer) -> Turn:
    """The turn that an answer begins."""
    return Turn(said=answer.said, moves=answer.moves, round=0, open=False, likes=answer.likes)


def heard(state: RunState, planner: Listening, limits: Limits, record: Recorder) -> RunState:
    """What a turn changes: the board, the talk, and whether the planner speaks again once its moves are made.

    What cannot be done is said to the person, and nothing changes.
    """
    turn = state["turn"]
    talk = list(state.get("talk", []))
    if turn["said"] and turn["round"] == 0:
        talk.append(Said(who="person", text=turn["said"]))
    # Products are judged once each, in the order in which they are made: so many there were when the turn began.
    known = turn.get("known", len(state.get("verdicts", {})))
    told = RunState(**{**state, "talk": talk, "turn": {**turn, "known": known}})
    changed = RunState()
    try:
        said = _given(turn) or planner.hear(told, limits, record)
        changed = _played(told, said.moves, planner, limits, record)
    except MISTAKES as error:
        said = Heard(reply=str(error))
    if said.reply:
        talk.append(Said(who=said.voice, text=said.reply))
    ended = Turn(
        said=turn["said"],
        moves=[],
        round=turn["round"] + 1,
        open=said.open and turn["round"] + 1 < MOST_ROUNDS,
        reply=said.reply,
        voice=said.voice,
        known=known,
        done=[*turn.get("done", []), [move.model_dump(mode="json") for move in said.moves]],
        changed=turn.get("changed", False) or len(changed.get("past", [])) > len(state.get("past", [])),
        likes=turn.get("likes", []),
    )
    return RunState(**{**changed, "talk": talk[-MOST_SAID:], "turn": ended})


def _given(turn: Turn) -> Heard | None:
    if not turn["moves"]:
        return None
    try:
        return Heard(moves=tuple(MOVES.validate_python(turn["moves"])))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise RequestError(
            "move-unknown", f"That is not a move ({'.'.join(map(str, fault['loc']))}: {fault['msg']})."
        ) from None


def _played(
    state: RunState, moves: Sequence[AnyMove], planner: Listening, limits: Limits, record: Recorder
) -> RunState:
    """All moves of a turn, or none: wishes become calls where they stand among the others."""
    changed, notes = RunState(), list[str]()
    for move in moves:
        for product in products_of(move):
            planner.there(product)
        now = RunState(**{**state, **changed})
        if isinstance(move, Wish):
            words, told = as_liked(move.words, state["turn"].get("likes", []))
            calls, chosen = planner.shots(words, next_shot(now), record)
            notes += [*told, *chosen]
            new = added(now, calls, limits)
        else:
            new = play(now, [move], limits)
            if isinstance(move, Film):
                notes += _stale_in_film(RunState(**{**now, **new}), limits)
        changed = RunState(**{**changed, **new})
    if notes:
        changed["notes"] = notes
    changed = _one_turn(state, changed, begun=state["turn"].get("changed", False))
    return RunState(**{**changed, "past": changed["past"][-MOST_PAST:]}) if "past" in changed else changed


def _stale_in_film(state: RunState, limits: Limits) -> list[str]:
    """What is told of the film that was just wished for, if a part of it is stale."""
    pieces = [call_of(state, need) for need in state["calls"][-1]["needs"]]
    takes = [chosen(state, call["id"], limits) for call in pieces if stale(state, call, limits)]
    numbers = numbers_of(state)
    old = [f"number {numbers[take['artifact']]}" for take in takes if take is not None]
    if not old:
        return []
    return [f"The film has {listed(old)} as it was: stale; `refresh` makes the stale ones again, and the film."]


def _one_turn(state: RunState, changed: RunState, *, begun: bool) -> RunState:
    """Several moves of one turn are taken back together, those of its earlier rounds (`begun`) with them."""
    after = changed.get("past")
    first = len(state.get("past", [])) - begun
    if after is None or len(after) <= first + 1:
        return changed
    whole = after[first]
    for later in after[first + 1 :]:
        whole = {
            "calls": {**later["calls"], **whole["calls"]},
            "rounds": {**later["rounds"], **whole["rounds"]},
            "choices": {**later["choices"], **whole["choices"]},
        }
    return RunState(**{**changed, "past": [*after[:first], whole]})
