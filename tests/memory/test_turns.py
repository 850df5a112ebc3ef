"""Turns of conversations in the database: numbered, written once, taken back with a mark, and under the lease only."""

from typing import Any

import pytest

from memory.archive import Archive
from memory.errors import LostLease
from memory.leases import Lease
from memory.records import Request, Run, TurnProduct, TurnRecord
from memory.retention.collect import remove_if_empty
from memory.turns import begin_turn, carry_turns, end_turn, first_words, last_turn, turns_of

IMAGE = "image-" + "1" * 16


def chat_run(archive: Archive) -> Run:
    return archive.create_run(Request(prompt="", review="chat"), settings={}, graph_version=1)


def says(archive: Archive, lease: Lease, words: str, undoes: int = 0, **came: Any) -> TurnRecord:
    """A turn of words, and what came of it."""
    turn = begin_turn(archive, lease, question=f"asked before {words}", words=words, moves=())
    ended = turn.model_copy(update={"state": "done", "changed": True, **came})
    end_turn(archive, lease, ended, undoes=undoes)
    return ended


def test_a_turn_is_there_from_its_beginning_and_whole_at_its_end(archive: Archive) -> None:
    run = chat_run(archive)
    with archive.hold(run.id) as lease:
        turn = begin_turn(
            archive, lease, question="q1", words="a \x00 \ud800 ball", moves=({"do": "again", "count": 1},)
        )
        assert last_turn(archive, run.id) == turn
        assert (turn.number, turn.state, turn.undone) == (1, "working", False)
        product = TurnProduct(number=1, artifact=IMAGE, mark="waits")
        came = {
            "state": "done", "reply": "so", "voice": "planner", "notes": ("a note",), "products": (product,),
            "asked": {"waiting": [], "reply": None}, "changed": True, "ended_at": turn.at, "moves": (),
        }  # fmt: skip
        ended = turn.model_copy(update=came)
        for _ in range(2):
            end_turn(archive, lease, ended)
            assert turns_of(archive, run.id) == [ended], "stored twice is stored once"


def test_an_answer_to_a_question_that_was_asked_again_takes_the_place_of_the_first(archive: Archive) -> None:
    run = chat_run(archive)
    with archive.hold(run.id) as lease:
        says(archive, lease, "one")
        begin_turn(archive, lease, question="q", words="never heard", moves=())
        begin_turn(archive, lease, question="q", words="heard", moves=())
    assert [(turn.number, turn.words) for turn in turns_of(archive, run.id)] == [(1, "one"), (2, "heard")]


def test_undone_turns_stay_with_a_mark(archive: Archive) -> None:
    run = chat_run(archive)
    with archive.hold(run.id) as lease:
        says(archive, lease, "one")
        says(archive, lease, "what is there", changed=False)
        says(archive, lease, "two")
        says(archive, lease, "undo", undoes=1, changed=False)
        last = says(archive, lease, "undo undo", undoes=1, changed=False)
        assert [turn.undone_by for turn in turns_of(archive, run.id)] == [5, None, 4, None, None]
        end_turn(archive, lease, last, undoes=1)
        assert [turn.undone_by for turn in turns_of(archive, run.id)] == [5, None, 4, None, None]
        end_turn(archive, lease, last, undoes=0)
        assert [turn.undone_by for turn in turns_of(archive, run.id)] == [None, None, 4, None, None]


def test_who_does_not_hold_the_run_writes_no_turn(archive: Archive) -> None:
    run = chat_run(archive)
    with archive.hold(run.id) as lease:
        turn = begin_turn(archive, lease, question="q", words="one", moves=())
    with pytest.raises(LostLease):
        begin_turn(archive, lease, question="r", words="two", moves=())
    with pytest.raises(LostLease):
        end_turn(archive, lease, turn.model_copy(update={"reply": "no"}))
    with pytest.raises(LostLease):
        carry_turns(archive, lease, [turn])
    assert turns_of(archive, run.id) == [turn]


def test_the_turns_of_another_run_are_carried_once(archive: Archive) -> None:
    parent, fork = chat_run(archive), chat_run(archive)
    with archive.hold(parent.id) as lease:
        turns = [says(archive, lease, "one"), says(archive, lease, "two")]
    with archive.hold(fork.id) as lease:
        for _ in range(2):
            carry_turns(archive, lease, turns)
    mine = [turn.model_copy(update={"run": fork.id}) for turn in turns]
    assert (turns_of(archive, fork.id), turns_of(archive, parent.id)) == (mine, turns)


def test_a_conversation_is_known_by_its_first_words_and_an_empty_one_can_go(archive: Archive) -> None:
    talked, empty = chat_run(archive), chat_run(archive)
    with archive.hold(talked.id) as lease:
        begin_turn(archive, lease, question="q0", words=None, moves=({"do": "undo"},))
        says(archive, lease, "a red ball")
        says(archive, lease, "go on")
    assert first_words(archive) == {talked.id: "a red ball"}
    assert not remove_if_empty(archive, talked.id)
    assert remove_if_empty(archive, empty.id)
    assert [run.id for run in archive.runs()] == [talked.id]
