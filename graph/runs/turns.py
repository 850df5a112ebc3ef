"""The outcome of a conversation's turn, as a value, and its storage by whatever drives the run.

A turn is derived from two of the run's checkpoints: the one where its question was answered, and the newest. So its end
can be stored again after a crash, and a turn that is stopped and resumed is one turn. Does not interpret any words.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.serde.types import INTERRUPT, RESUME

from graph.planning.turn import Answer
from graph.runs.history import origin_of, state_of, thread_of
from graph.runs.observer import Event, Noted, Observer, Question
from graph.runs.services import Services
from graph.state import read
from graph.state.apply import MOST_PAST
from graph.state.channels import Past, RunState
from graph.state.products import Board, Product, numbers_of
from memory.checkpoints.plain import next_nodes
from memory.errors import ArchiveError
from memory.records import Mark, Run, TurnProduct, TurnRecord
from memory.turns import begin_turn, carry_turns, end_turn, last_turn, turns_of

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from memory.archive import Archive
    from memory.leases import Lease


log = logging.getLogger(__name__)

UNFINISHED = ("working", "stopped")
"""States of a turn that can be continued."""
Marked = tuple[Product, Mark]
"""A product and its status on the board."""


@dataclass(frozen=True)
class Shown:
    """What was shown of a board: the highest number, marks by number, and the numbers that waited for an answer."""

    highest: int = 0
    marks: Mapping[int, Mark] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Difference:
    """How a board differs from what was shown. new: products not shown before; changed: numbers of the others, by new
    mark; gone: numbers that waited for an answer and no longer do."""

    new: Sequence[Marked] = ()
    changed: Mapping[Mark, Sequence[int]] = field(default_factory=dict)
    gone: Sequence[int] = ()


def marked(board: Board) -> list[Marked]:
    """Return every product with its mark, in order of number."""
    return [(product, board.marks[product.number]) for product in board.things]


def shown(board: Board, before: Shown | None = None) -> Shown:
    """Return the record of having shown the whole board, after what was shown `before`."""
    return Shown(max([before.highest if before else 0, *board.marks]), board.marks, board.waiting)


def difference(before: Shown, board: Board) -> Difference:
    """Return how the board differs from what was shown `before`."""
    changed: dict[Mark, list[int]] = {}
    for number, mark in board.marks.items():
        if number <= before.highest and before.marks.get(number) != mark:
            changed.setdefault(mark, []).append(number)
    new = board.products(number for number in board.marks if number > before.highest)
    marked = [(product, board.marks[product.number]) for product in new]
    return Difference(marked, changed, sorted(before.waiting - board.waiting))


def moves_of(state: RunState) -> list[dict[str, Any]]:
    """Return the moves that the last turn was understood as."""
    turn = read.turn(state)
    return [] if turn is None else [move for moves in turn.get("done", []) for move in moves]


def acknowledged(moves: Sequence[Mapping[str, Any]], gone: Sequence[int] = ()) -> str | None:
    """Return a reply to moves that changed nothing visible; None if there were no moves. gone: as in `Difference`."""
    if not moves:
        return None
    last = moves[-1]
    if last["do"] == "raise_limit":
        return f"It may be made again {last['most']} times now."
    if last["do"] == "undo" and gone:
        return f"Number{'s' * (len(gone) > 1)} {', '.join(map(str, gone))}: taken back; all else is as it was."
    return {"choose": "That stands already.", "undo": "Taken back; what is shown is as it was."}.get(
        last["do"], "That changes nothing."
    )


# Storing


@contextmanager
def turn_stored(
    services: Services, lease: "Lease", observer: Observer, *, question: str | None = None, given: Answer | None = None
) -> Iterator[Observer]:
    """Store the turn in which the block drives the run: its beginning before the block, its outcome however that ends.

    question, given: the id of the question that a new turn answers, and the answer; None continues a stopped turn.
    Gives the observer to use in the block. Raises LostLease, DatabaseTrouble before the block; after it, errors are
    logged, since the next turn stores what is missing.
    """
    archive, run = services.archive, services.archive.run(lease.run)
    if run.request.review == "never":
        yield observer
        return
    answered = None
    turn = last_turn(archive, run.id)
    if given is not None:
        if turn is not None and turn.state in UNFINISHED and turn.question != question:
            _store(services, lease, turn, [])  # its process died before storing the outcome
        turn = begin_turn(archive, lease, question=question, words=given.said, moves=given.moves)
        answered = _Answered(question, given, RunState(**state_of(archive, run)))  # type: ignore[typeddict-item]
    elif turn is None or turn.state not in UNFINISHED:
        turn = _turn_of_older_version(archive, lease, run)
    notes: list[str] = []

    def noting(event: Event, /) -> None:
        if isinstance(event, Noted):
            notes.extend(event.notes)
        observer(event)

    try:
        yield noting
    finally:
        try:
            turn = turn or last_turn(archive, run.id)  # a fork gets its turns with its first step
            if turn is not None and turn.state in UNFINISHED:
                _store(services, lease, turn, notes, answered)
        except ArchiveError as trouble:
            log.warning("the turn of run %s could not be stored: %s", lease.run, trouble)


def turn_given_up(services: Services, lease: "Lease") -> None:
    """Store that the turn in which the run stopped was taken back. Raises LostLease, DatabaseTrouble."""
    turn = last_turn(services.archive, lease.run)
    if turn is not None and turn.state in UNFINISHED:
        _store(services, lease, turn, [])


def turns_carried(archive: "Archive", lease: "Lease", run: Run) -> None:
    """Copy to a fork of a conversation the turns up to the checkpoint where it begins. Raises LostLease."""
    origin = origin_of(run)
    if "turn" not in origin.get("state", {}):
        return
    later, at = set[str | None](), None
    with archive.saver() as saver:
        for found in saver.list(thread_of(archive.run(origin["run"]))):
            if (answer := _answer_at(found)) is not None:
                later.add(answer.question)
            if found.checkpoint["id"] == origin["checkpoint"]:
                at = found
                break
    if at is None:
        return
    turns = [turn for turn in turns_of(archive, origin["run"]) if turn.question is None or turn.question not in later]
    turns = [_as_then(turn, len(turns)) for turn in turns]
    if turns and turns[-1].state != "given_up" and "ask" not in next_nodes(at):
        last = turns[-1]
        turns[-1] = TurnRecord(
            run=last.run, number=last.number, at=last.at, question=last.question, words=last.words, moves=last.moves
        )
    carry_turns(archive, lease, turns)


def _as_then(turn: TurnRecord, count: int) -> TurnRecord:
    """Return the turn as it was when there were `count` turns."""
    if turn.undone_by is None or turn.undone_by <= count:
        return turn
    return turn.model_copy(update={"undone_by": None})


@dataclass(frozen=True)
class _Answered:
    """A question that was answered: its id, the answer, and the state of the run at that checkpoint."""

    question: str | None
    given: Answer
    state: RunState


def _answer_at(found: "CheckpointTuple") -> _Answered | None:
    """Return the answer that was given at a checkpoint, or None."""
    resumed = next((value for _, channel, value in found.pending_writes or () if channel == RESUME and value), None)
    if resumed is None:
        return None
    state = cast("RunState", found.checkpoint["channel_values"])
    asked = _asked_at(found)
    return _Answered(None if asked is None else asked.id, Answer.model_validate(resumed[-1]), state)


def _asked_at(found: "CheckpointTuple") -> Question | None:
    """Return the question that was asked at a checkpoint, or None."""
    asked = (values[0] for _, channel, values in found.pending_writes or () if channel == INTERRUPT)
    return next((Question(each.id, each.value) for each in asked), None)


def _last_answer(archive: "Archive", run: Run) -> _Answered | None:
    """Return the answer with which the run's last turn began, or None."""
    with archive.saver() as saver:
        for found in saver.list(thread_of(run)):
            if (answer := _answer_at(found)) is not None:
                return answer
    return None


def _turn_of_older_version(archive: "Archive", lease: "Lease", run: Run) -> TurnRecord | None:
    """Create the turn in which a version of Mora stopped that stored no turns; None if the run is in no turn."""
    if run.status in ("waiting", "done") or (answer := _last_answer(archive, run)) is None:
        return None
    if any(turn.question == answer.question for turn in turns_of(archive, run.id)):
        return None
    return begin_turn(archive, lease, question=answer.question, words=answer.given.said, moves=answer.given.moves)


def _store(
    services: Services, lease: "Lease", turn: TurnRecord, observed: Iterable[str], answered: _Answered | None = None
) -> None:
    """Store the outcome of a turn so far, derived from the run's current state. observed: notes reported meanwhile."""
    archive, run = services.archive, services.archive.run(lease.run)
    with archive.saver() as saver:
        newest = saver.get_tuple(thread_of(run))
    now = turn.model_copy(update={"ended_at": datetime.now(UTC), "state": "stopped", "error": run.error})
    asked = None if newest is None else _asked_at(newest)
    unprocessed = asked is not None and asked.id == turn.question
    if newest is None or unprocessed or "turn" not in newest.checkpoint["channel_values"]:
        end_turn(archive, lease, now)
        return
    answered = answered or _last_answer(archive, run)
    before = answered.state if answered is not None and answered.question == turn.question else None
    state = cast("RunState", newest.checkpoint["channel_values"])
    ended, undoes = _outcome(now, before, Board(state, services.limits), run, asked)
    notes = [*ended.notes, *(note for note in (*turn.notes, *observed) if note not in ended.notes)]
    end_turn(archive, lease, ended.model_copy(update={"notes": tuple(notes)}), undoes=undoes)


def _outcome(
    turn: TurnRecord, before: RunState | None, board: Board, run: Run, asked: Question | None
) -> tuple[TurnRecord, int]:
    """Return the turn with its outcome between two states, and how many earlier turns it took back.

    before: None for a turn that began in the run that this one was forked from; then its changes are unknown. asked:
    the question that is open now.
    """
    state = board.state
    latest = read.current_turn(state)
    diff = _since(before, board)
    ids = {number: artifact for artifact, number in numbers_of(state).items()}
    if latest["said"] is None and not latest["moves"] and "done" not in latest:
        return turn.model_copy(update={"state": "given_up", "products": _products(diff, ids)}), 0
    moves = moves_of(state)
    notes = () if before is None else read.notes(state)[len(before.get("notes", [])) :]
    undoes, changes = _stack_change(None if before is None else before.get("past", []), state)
    reply = latest.get("reply")
    if run.status == "waiting" and not (reply or notes or diff.new or diff.changed):
        reply = acknowledged(moves, diff.gone)
    ended: dict[str, Any] = {
        "moves": tuple(moves) or turn.moves,
        "reply": reply,
        "voice": latest.get("voice", "mora"),
        "notes": tuple(notes),
        "products": _products(diff, ids),
        "asked": asked.asked if asked is not None and run.status == "waiting" else None,
        "changed": changes > 0,
    }
    if run.status in ("waiting", "done"):
        ended |= {"state": "done", "error": None}
    return turn.model_copy(update=ended), undoes


def _since(before: RunState | None, board: Board) -> Difference:
    if before is not None:
        return difference(shown(Board(before, board.limits)), board)
    known = read.current_turn(board.state).get("known", 0)
    marks = {number: mark for number, mark in board.marks.items() if number <= known}
    return difference(Shown(known, marks), board)


def _products(diff: Difference, ids: Mapping[int, str]) -> tuple[TurnProduct, ...]:
    made = [TurnProduct(number=product.number, artifact=product.id, mark=mark) for product, mark in diff.new]
    changed = [
        TurnProduct(number=number, artifact=ids[number], mark=mark, made=False)
        for mark, numbers in diff.changed.items()
        for number in numbers
    ]
    return (*made, *sorted(changed, key=lambda product: product.number))


def _stack_change(before: Sequence[Past] | None, state: RunState) -> tuple[int, int]:
    """Return how many entries a turn popped from the undo stack, and how many it pushed.

    The oldest entries may be missing, since at most `MOST_PAST` are kept.
    """
    after = read.past(state)
    if before is None:
        return 0, int(read.current_turn(state).get("changed", False))
    for taken in range(len(before) + 1):
        left = before[: len(before) - taken]
        for gone in range(len(left) + 1 if len(after) == MOST_PAST else 1):
            if list(after[: len(left) - gone]) == list(left[gone:]):
                return taken, len(after) - len(left) + gone
    raise AssertionError("an empty list is the beginning of every list")
