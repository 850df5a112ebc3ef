"""A turn of the conversation: the question to the user, their answer, and its effect on the board.

Applies moves to the board; interpreting text as moves is left to the planner.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from graph.dialogue.preferences import as_liked
from graph.english.refusals import listed
from graph.errors import MISTAKES, RequestError
from graph.planners.ports import Recorder
from graph.planning.turn import Answer, Heard
from graph.state import read
from graph.state.apply import MOST_PAST, added, next_shot, play
from graph.state.channels import Call, Limits, RunState, Said, Turn
from graph.state.draft import made_by
from graph.state.moves import Film, GivenMove, Wish, products_of
from graph.state.products import numbers_of
from graph.state.takes import accepted, call_of, chosen, open_calls, recent, round_of, stale_calls
from memory.records import Media

MOST_ROUNDS = 6
"""The maximum number of planner rounds in one turn of the user."""


MOST_SAID = 24
"""The number of conversation messages kept in the state."""


MOVES: TypeAdapter[list[GivenMove]] = TypeAdapter(list[GivenMove])


class ConversationPlanner(Protocol):
    """A planner that can hold a conversation."""

    @property
    def rules(self) -> int:
        """How moves change the board of its run, as `graph.state.channels.MOVE_RULES`."""

    def interpret(self, state: RunState, limits: Limits, record: Recorder, /) -> Heard:
        """Interpret the text of `read.current_turn(state)` on this board. Raises RequestError or PlannerError."""

    def plan_shots(self, words: str, first: int, record: Recorder, /) -> tuple[list[Call], list[str]]:
        """Return the calls of a wish, with shot numbers from `first`, and notes on what was chosen for the user.

        Raises RequestError or PlannerError.
        """

    def media_of(self, artifact_id: str, /) -> Media:
        """Return the description of a stored product. Raises UnknownArtifact."""


def question_of(state: RunState, limits: Limits) -> dict[str, Any]:
    """Return the question to the user: the takes awaiting a decision, the stale calls, and the last reply."""
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
        "reply": read.current_turn(state).get("reply") if read.turn(state) is not None else None,
        "voice": read.current_turn(state).get("voice", "mora") if read.turn(state) is not None else "mora",
    }


def turn_of(answer: Answer, before: Turn | None) -> Turn:
    """Return the turn that an answer begins. before: the turn before it; None in runs that do not keep its moves."""
    turn = Turn(said=answer.said, moves=answer.moves, round=0, open=False, likes=answer.likes)
    if last := [] if before is None else [move for moves in before.get("done", []) for move in moves]:
        turn["last"] = last
    if answer.shown is not None:
        turn["shown"] = answer.shown
    return turn


def play_turn(state: RunState, planner: ConversationPlanner, limits: Limits, record: Recorder) -> RunState:
    """Play a turn and return the changed channels: the board, the conversation, and whether the planner continues.

    A mistake becomes the reply to the user, and the board stays unchanged.
    """
    turn = read.current_turn(state)
    talk = list(read.talk(state))
    if turn["said"] and turn["round"] == 0:
        talk.append(Said(who="person", text=turn["said"]))
    # Every product has exactly one verdict, so this is the number of products when the turn began.
    known = turn.get("known", len(read.verdicts(state)))
    present = RunState(**{**state, "talk": talk, "turn": {**turn, "known": known}})
    changed, moves = RunState(), tuple[GivenMove, ...]()
    try:
        given = _given_moves(turn)
        interpretation = Heard() if given else planner.interpret(present, limits, record)
        moves = given or interpretation.moves
        changed = _apply_moves(present, moves, planner, limits, record)
    except MISTAKES as error:
        interpretation, moves = Heard(reply=str(error)), ()
    if interpretation.reply:
        talk.append(Said(who=interpretation.voice, text=interpretation.reply))
    ended = Turn(
        said=turn["said"],
        moves=[],
        round=turn["round"] + 1,
        open=interpretation.open and turn["round"] + 1 < MOST_ROUNDS,
        reply=interpretation.reply,
        voice=interpretation.voice,
        known=known,
        done=[*turn.get("done", []), [move.model_dump(mode="json") for move in moves]],
        changed=turn.get("changed", False) or len(changed.get("past", [])) > len(read.past(state)),
        likes=turn.get("likes", []),
    )
    if "last" in turn:
        ended["last"] = turn["last"]
    return RunState(**{**changed, "talk": talk[-MOST_SAID:], "turn": ended})


def _given_moves(turn: Turn) -> tuple[GivenMove, ...]:
    try:
        return tuple(MOVES.validate_python(turn["moves"]))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise RequestError(
            "move-unknown", f"That is not a move ({'.'.join(map(str, fault['loc']))}: {fault['msg']})."
        ) from None


def _apply_moves(
    state: RunState, moves: Sequence[GivenMove], planner: ConversationPlanner, limits: Limits, record: Recorder
) -> RunState:
    """Apply all moves of a turn in order, or none; a wish becomes calls first."""
    changed, notes = RunState(), list[str]()
    for move in moves:
        for product in products_of(move):
            planner.media_of(product)
        now = RunState(**{**state, **changed})
        if isinstance(move, Wish):
            words, liked = as_liked(move.words, read.current_turn(state).get("likes", []))
            calls, decisions = planner.plan_shots(words, next_shot(now), record)
            notes += [*liked, *decisions]
            new = added(now, calls, limits)
        else:
            new = play(now, [move], limits, planner.media_of, planner.rules)
            notes += new.pop("notes", [])
            if isinstance(move, Film):
                notes += _stale_in_film(RunState(**{**now, **new}), limits)
        changed = RunState(**{**changed, **new})
    if notes:
        changed["notes"] = notes
    changed = _merge_undo(state, changed, begun=read.current_turn(state).get("changed", False))
    return RunState(**{**changed, "past": changed["past"][-MOST_PAST:]}) if "past" in changed else changed


def _stale_in_film(state: RunState, limits: Limits) -> list[str]:
    """Return a note on the stale parts of the film that was just requested, if it has any."""
    pieces = [call_of(state, need) for need in read.calls(state)[-1]["needs"]]
    stale = stale_calls(state, limits)
    takes = [chosen(state, call["id"], limits) for call in pieces if call in stale]
    numbers = numbers_of(state)
    old = [f"number {numbers[take['artifact']]}" for take in takes if take is not None]
    if not old:
        return []
    return [f"Stale in this film: {listed(old)}; `refresh` makes the stale products and the film again."]


def _merge_undo(state: RunState, changed: RunState, *, begun: bool) -> RunState:
    """Merge the undo entries of a turn into one, so that its moves are undone together.

    begun: earlier rounds of the turn changed the board, so their entry is merged too.
    """
    after = changed.get("past")
    first = len(read.past(state)) - begun
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
