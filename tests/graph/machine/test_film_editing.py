"""Clips and films are put in order, left out, trimmed, repeated, reversed and sped up without an agent, and undone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.planning.turn import Answer
from graph.runs.history import checkpoints, state_of
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.time_travel import Changes, fork, replay
from graph.state.channels import Limits, RunState
from graph.state.products import Board, Product
from graph.state.takes import stale_calls
from memory.archive import Archive
from memory.records import Artifact, Request, Run
from support.tiny_agents import TinyLender, rooms_with
from tools.media.codecs import decode_clip

LIMITS = Limits()
WISHES = ("a red ball moves right in the snow", "a blue star moves up in the sea", "a green box moves left in the sea")
GO_ON = {"do": "go_on"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


class Session:
    """A person in a conversation who says moves and names products by number; clips 2, 4, 6 of six frames stand."""

    def __init__(self, archive: Archive, *, wishes: int = 2, review: str = "chat") -> None:
        self.archive, self.lender = archive, TinyLender()
        self.services = rooms_with(archive, self.lender)
        self.notes: list[str] = []
        request = Request.model_validate({"prompt": "", "seed": 5, "review": review})
        self.run: Run = start(self.services, request, {}, lambda _heard: None)
        for wish in WISHES[:wishes]:
            self.says({"do": "wish", "words": wish})
            self.says(GO_ON)
            self.says(GO_ON)
        self.drawn = self.lender.called.total()

    def says(self, *moves: dict[str, Any]) -> str | None:
        question = question_of_run(self.services, self.run)
        assert question is not None
        before = len(self.state.get("notes", []))
        self.run = answer(self.services, self.run.id, question, Answer(moves=list(moves)), lambda _heard: None)
        self.notes = self.state.get("notes", [])[before:]
        after = question_of_run(self.services, self.run)
        return None if after is None else after.asked["reply"]

    @property
    def state(self) -> RunState:
        return RunState(**state_of(self.archive, self.run))  # type: ignore[typeddict-item]

    @property
    def things(self) -> list[Product]:
        return Board(self.state, LIMITS).things

    def id(self, number: int) -> str:
        return self.things[number - 1].id

    def last(self) -> Artifact:
        return self.archive.artifact(self.things[-1].id)

    def of(self, artifact: Artifact) -> list[int]:
        """The numbers of what a product was made of."""
        numbers = {thing.id: thing.number for thing in self.things}
        return [numbers[parent] for parent in artifact.parents]

    def standing(self) -> list[int]:
        return [thing.number for thing in self.things if thing.stands]

    def stale(self) -> list[int]:
        stale = {call["id"] for call in stale_calls(self.state, LIMITS)}
        return [thing.number for thing in self.things if thing.stands and thing.call in stale]


def test_a_clip_is_edited_its_film_becomes_stale_and_undo_takes_it_back(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "film"})
    person.says({"do": "trim", "clip": person.id(2), "start": 0.25, "end": 0.5})
    trimmed = person.last()
    assert (trimmed.media.kind, trimmed.media.num_frames, person.of(trimmed)) == ("clip", 2, [2])
    whole = decode_clip(archive.read(archive.artifact(person.id(2)))).frames
    assert np.array_equal(decode_clip(archive.read(trimmed)).frames, whole[2:4])
    assert person.things[-1].line == f"number 6, clip: {WISHES[0]}; trimmed to 0.25-0.5 s"
    assert person.stale() == [5]
    person.says({"do": "refresh"})
    assert person.of(person.last()) == [6, 4]
    person.says({"do": "undo"})
    person.says({"do": "undo"})
    assert (person.stale(), person.standing()) == ([], [1, 2, 3, 4, 5])
    assert person.lender.called.total() == person.drawn


@pytest.mark.parametrize(
    ("move", "frames", "words"),
    [
        ({"do": "loop", "times": 3}, 18, "played 3 times"),
        ({"do": "reverse"}, 6, "played backwards"),
        ({"do": "speed", "factor": 2}, 3, "played at 2 times the speed"),
        ({"do": "length", "seconds": 0.5}, 4, "trimmed to 0-0.5 s"),
    ],
)
def test_a_clip_and_the_film_that_stands_are_edited_alike(
    archive: Archive, move: dict[str, Any], frames: int, words: str
) -> None:
    person = Session(archive, wishes=1)
    person.says({"do": "film"})
    person.says(move)
    film = person.last()
    assert (film.media.kind, film.media.num_frames, person.of(film)) == ("film", frames, [3])
    person.says({**move, "clip": person.id(2)})
    clip = person.last()
    assert (clip.media.kind, clip.media.num_frames, person.of(clip)) == ("clip", frames, [2])
    assert person.things[-1].words == (WISHES[0], words)
    assert person.stale() == [3, 4]


def test_the_clips_of_a_film_are_put_in_order_and_left_out(archive: Archive) -> None:
    person = Session(archive, wishes=3)
    person.says({"do": "film"})
    person.says({"do": "order", "clips": [person.id(6), person.id(4)]})
    assert person.of(person.last()) == [6, 4, 2]
    person.says({"do": "drop", "clips": [person.id(4)]})
    assert person.of(person.last()) == [6, 2]
    assert person.standing() == [*range(1, 7), 9], "the film is one thing, in three versions"
    person.says({"do": "wish", "words": WISHES[0]})
    person.says(GO_ON)
    person.says(GO_ON)
    person.says({"do": "film"})
    assert person.of(person.last()) == [6, 2, 11], "the order is kept, what is new comes last"
    assert person.notes == ["Not in this film: number 4, which was left out before."]
    person.says({"do": "undo"})
    person.says({"do": "choose", "call": "4.assemble_film", "take": 1})
    assert (person.stale(), 7 in person.standing()) == ([], True)
    person.says({"do": "film"})
    assert person.of(person.last()) == [2, 4, 6, 11]
    assert person.lender.called.total() == person.drawn + 2


def test_without_a_film_an_order_makes_one(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "order", "clips": [person.id(4)]})
    assert (person.last().media.kind, person.of(person.last())) == ("film", [4, 2])
    person.says({"do": "undo"})
    person.says({"do": "drop", "clips": [person.id(2)]})
    assert person.of(person.last()) == [4]


def test_what_was_cut_from_a_film_follows_its_order_at_once(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "film"})
    person.says({"do": "length", "seconds": 1.0})
    person.says({"do": "order", "clips": [person.id(4)]})
    assert [person.of(archive.artifact(person.id(number))) for number in (7, 8)] == [[4, 2], [7]]
    assert person.stale() == []
    person.says({"do": "drop", "clips": [person.id(4)]})
    assert "The film lasts 0.75 s now, so it was cut as far as that." in person.notes[0]


def test_an_edit_taken_back_and_asked_for_again_is_the_same_product(archive: Archive) -> None:
    person = Session(archive, wishes=1)
    for _ in range(2):
        person.says({"do": "reverse", "clip": person.id(2)})
        assert person.standing() == [1, 2, 3]
        person.says({"do": "undo"})
        assert person.standing() == [1, 2]


def test_two_changes_of_one_original_are_its_takes_and_a_film_says_which_it_leaves(archive: Archive) -> None:
    person = Session(archive, wishes=1)
    for colour in ("blue", "green"):
        person.says({"do": "change", "call": "1.image_to_video", "instruction": f"make it {colour}"})
    assert [thing.take for thing in person.things if thing.call == "1.edit_video"] == [1, 2]
    person.says({"do": "film"})
    assert person.of(person.last()) == [4]
    assert person.notes == ["Not in this film: number 3, another change of the same original."]
    person.says({"do": "choose", "call": "1.edit_video", "take": 1})
    assert person.stale() == [5]
    person.says({"do": "film"})
    assert person.of(person.last()) == [3]
    assert person.notes == ["Not in this film: number 4, another change of the same original."]


def test_a_film_says_what_waits_and_cuts_stale_cuts_again(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "length", "clip": person.id(2), "seconds": 0.5})
    person.says({"do": "change", "call": "1.image_to_video", "instruction": "make it blue"})
    person.says({"do": "change", "call": "2.text_to_image", "instruction": "make it green"})
    person.says({"do": "film"})
    assert person.notes == ["Not in this film: number 7, which waits for your word."]
    clip, film = (archive.artifact(person.id(number)) for number in (8, 9))
    assert (clip.recipe.agent, person.of(clip), person.of(film)) == ("cut_video", [6], [8, 4])


def test_planned_transitions_are_in_the_film_until_their_clips_are_parted(archive: Archive) -> None:
    person = Session(archive, wishes=0)
    person.says({"do": "wish", "words": "a red ball moves right in the snow, then it morphs into a blue star"})
    for _ in range(3):
        person.says(GO_ON)
    person.says({"do": "film"})
    assert person.of(person.last()) == [3, 5, 4]
    person.says({"do": "order", "clips": [person.id(4)]})
    assert person.of(person.last()) == [4, 3]
    assert person.notes == ["Not in this film: number 5; a transition is kept only between the clips it was made for."]


def test_a_frame_that_was_cut_off_is_not_left_out_twice(archive: Archive) -> None:
    person = Session(archive, wishes=1)
    person.says({"do": "extend", "clip": person.id(2), "prompt": "it moves up"})
    assert person.last().recipe.spec["drop_first"] == [1]
    person.says({"do": "trim", "clip": person.id(3), "start": 0.25})
    person.says({"do": "refresh"})
    assert (person.last().recipe.spec["drop_first"], person.last().media.num_frames) == ([], 10)


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        ({"do": "trim", "clip": 2, "start": 0.75}, "Number 2 lasts 0.75 s; name times from 0 to that."),
        ({"do": "trim", "clip": 2, "start": 0.5, "end": 0.25}, "No whole frame of number 2"),
        ({"do": "trim", "clip": 1, "end": 0.5}, "Number 1 is a picture"),
        ({"do": "trim", "end": 0.5}, "There is no film yet"),
        ({"do": "speed", "clip": 2, "factor": 1}, "changes nothing"),
        ({"do": "speed", "clip": 2, "factor": 0}, "That is not a move"),
        ({"do": "loop", "clip": 2, "times": -1}, "That is not a move"),
        (
            {"do": "length", "clip": 2, "seconds": 1.5},
            "it can be played 2 times, at 0.5 times the speed, or be extended.",
        ),
        ({"do": "order", "clips": [2]}, "one clip, so there is no order"),
        ({"do": "order", "clips": [1]}, "Number 1 is a picture"),
        ({"do": "drop", "clips": [2]}, "no clip in the film"),
        ({"do": "drop", "clips": [2, 2]}, "Number 2 is named twice"),
        ({"do": "again", "call": "1.cut_video"}, "There is no call"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    archive: Archive, move: dict[str, Any], sentence: str
) -> None:
    person = Session(archive, wishes=1)
    before = {name: person.state.get(name) for name in ("calls", "rounds", "choices", "past", "takes")}
    given = dict(move)
    if "clip" in move:
        given["clip"] = person.id(move["clip"])
    if "clips" in move:
        given["clips"] = [person.id(number) for number in move["clips"]]
    assert sentence in str(person.says(given))
    assert {name: person.state.get(name) for name in before} == before


def test_what_is_cut_is_not_drawn_again(archive: Archive) -> None:
    person = Session(archive, wishes=1)
    person.says({"do": "reverse", "clip": person.id(2)})
    assert "is cut, not drawn" in str(person.says({"do": "again", "call": "1.cut_video"}))
    person.says({"do": "film"})
    assert "is not a clip of the film; it has number 3" in str(person.says({"do": "drop", "clips": [person.id(4)]}))


def test_edits_are_replayed_regenerated_and_forked_like_films(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "film"})
    person.says({"do": "order", "clips": [person.id(4)]})
    person.says({"do": "speed", "factor": 0.5}, {"do": "loop", "clip": person.id(2), "times": 2})
    person.says({"do": "refresh"})
    for agents in ("none", "fresh"):
        assert replay(person.services, person.run.id, lambda _heard: None, agents=agents).same
    at = str(len(checkpoints(archive, person.run)))
    branch = fork(person.services, person.run.id, at, Changes(), {}, lambda _heard: None)
    assert state_of(archive, branch)["takes"] == person.state["takes"]
    person.run = branch
    person.says({"do": "reverse"})
    assert replay(person.services, branch.id, lambda _heard: None, agents="fresh").same


def test_a_conversation_of_an_older_version_goes_on_by_its_own_rules(archive: Archive) -> None:
    person = Session(archive, wishes=0)
    person.run = archive.create_run(person.run.request, settings={"planner": "embedded"}, graph_version=1)
    person.run = resume(person.services, person.run.id, lambda _heard: None)
    person.says({"do": "wish", "words": WISHES[0]})
    person.says(GO_ON)
    for colour in ("blue", "green"):
        person.says({"do": "change", "call": "1.image_to_video", "instruction": f"make it {colour}"})
    person.says({"do": "reverse", "clip": person.id(4)})
    assert [thing.call for thing in person.things[2:]] == ["1.edit_video", "1.edit_video.2", "1.cut_video"]
    assert replay(person.services, person.run.id, lambda _heard: None).same


def test_a_reviewed_run_ends_with_the_film_as_it_was_arranged(archive: Archive) -> None:
    services, lender = rooms_with(archive, TinyLender()), TinyLender()
    asked = Request(prompt=f"{WISHES[0]}, then {WISHES[1]}", seed=5, review="ask")
    run = start(services, asked, {}, lambda _heard: None)
    clips: dict[str, Any] = {}

    def says(*moves: dict[str, Any]) -> None:
        nonlocal run
        question = question_of_run(services, run)
        assert question is not None
        run = answer(services, run.id, question, Answer(moves=list(moves)), lambda _heard: None)
        takes = state_of(archive, run)["takes"]
        clips.update({call: each[-1]["artifact"] for call, each in takes.items()})

    says(GO_ON)
    says(
        {"do": "order", "clips": [clips["2.image_to_video"]]},
        {"do": "length", "clip": clips["1.image_to_video"], "seconds": 0.5},
    )
    assert run.status == "waiting"
    says(GO_ON)
    assert run.status == "done"
    assert archive.artifact(str(run.film)).parents == (clips["2.image_to_video"], clips["1.cut_video"])
    assert lender.called.total() == 0
