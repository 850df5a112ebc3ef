"""A person in the loop: takes are shown, repeated, changed, chosen, taken back; nothing is lost or made unasked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.errors import RequestError
from graph.planning.turn import Answer
from graph.runs.history import state_of
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.state.channels import Limits, RunState
from graph.state.takes import chosen, open_calls, stale_calls, takes_of
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import TWO_SHOTS, TinyLender, rooms_with

LIMITS = Limits()
WISH = "a red ball moves right in the snow"
PICTURE, CLIP = "1.text_to_image", "1.image_to_video"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


class Session:
    """A person at a run that asks: says moves, sees the board."""

    def __init__(self, archive: Archive, **asked: Any) -> None:
        self.lender = TinyLender()
        self.services: Services = rooms_with(archive, self.lender)
        request = Request.model_validate({"prompt": WISH, "seed": 5, "review": "ask", **asked})
        self.run: Run = start(self.services, request, {}, lambda _heard: None)

    def says(self, *moves: dict[str, Any]) -> str | None:
        question = question_of_run(self.services, self.run)
        assert question is not None, f"run {self.run.id} is {self.run.status} and waits for nothing"
        self.run = answer(self.services, self.run.id, question, Answer(moves=list(moves)), lambda _heard: None)
        after = question_of_run(self.services, self.run)
        return None if after is None else after.asked["reply"]

    @property
    def state(self) -> RunState:
        return RunState(**state_of(self.services.archive, self.run))  # type: ignore[typeddict-item]

    def made(self, role: str) -> int:
        return sum(count for (agent, _), count in self.lender.called.items() if agent == role)

    def standing(self, call: str) -> str | None:
        take = chosen(self.state, call, LIMITS)
        return take and take["artifact"]

    def open(self) -> list[str]:
        return [call["id"] for call in open_calls(self.state, LIMITS)]


GO_ON = {"do": "go_on"}


def test_every_stage_waits_for_a_yes_and_the_last_one_makes_the_film(archive: Archive) -> None:
    person = Session(archive)
    assert (person.run.status, person.open(), person.made("image_to_video")) == ("waiting", [PICTURE], 0)
    person.says(GO_ON)
    assert (person.run.status, person.open(), person.made("image_to_video")) == ("waiting", [CLIP], 1)
    person.says(GO_ON)
    assert person.run.status == "done"
    assert person.run.film is not None
    assert archive.artifact(person.run.film).media.kind == "film"


def test_the_film_of_a_run_that_was_waved_through_is_that_of_one_that_never_asked(archive: Archive) -> None:
    person = Session(archive)
    person.says(GO_ON)
    person.says(GO_ON)
    unasked = start(person.services, Request(prompt=WISH, seed=5), {}, lambda _heard: None)
    assert person.run.film == unasked.film


def test_again_is_another_picture_and_both_stay(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "again", "call": PICTURE})
    person.says({"do": "again", "call": PICTURE, "count": 2})
    takes = takes_of(person.state, PICTURE)
    assert [take["attempt"] for take in takes] == [0, 1, 2, 3]
    assert len({archive.artifact(take["artifact"]).sha256 for take in takes}) == 4
    question = question_of_run(person.services, person.run)
    assert question is not None
    assert [take["take"] for take in question.asked["waiting"][0]["takes"]] == [3, 4]


def test_the_fourth_again_is_answered_with_what_was_tried_and_the_limit_can_be_raised(archive: Archive) -> None:
    person = Session(archive)
    for _ in range(3):
        assert person.says({"do": "again", "call": PICTURE}) is None
    told = person.says({"do": "again", "call": PICTURE})
    assert told is not None
    assert "was made again 3 times" in told
    assert "There are numbers 1, 2, 3, 4: use one of them" in told
    assert person.made("text_to_image") == 4
    assert person.says({"do": "raise_limit", "call": PICTURE, "most": 4}, {"do": "again", "call": PICTURE}) is None
    assert person.made("text_to_image") == 5


def test_a_late_again_restarts_no_early_stage(archive: Archive) -> None:
    person = Session(archive)
    person.says(GO_ON)
    person.says({"do": "again", "call": CLIP})
    assert (person.made("text_to_image"), person.made("image_to_video")) == (1, 2)


def test_a_change_is_made_of_the_picture_and_the_clip_starts_from_it(archive: Archive) -> None:
    person = Session(archive)
    person.says({"do": "change", "call": PICTURE, "instruction": "make it blue"})
    assert person.open() == ["1.edit_image"]
    person.says({"do": "change", "call": "1.edit_image", "instruction": "change the scene to night"})
    assert person.open() == ["1.edit_image.2"]
    person.says(GO_ON)
    clip = takes_of(person.state, CLIP)[-1]
    assert clip.get("inputs") == [person.standing("1.edit_image.2")]
    person.says(GO_ON)
    assert person.run.status == "done"


def test_a_changed_clip_is_what_the_film_shows(archive: Archive) -> None:
    person = Session(archive)
    person.says(GO_ON)
    person.says({"do": "change", "call": CLIP, "instruction": "make it blue"})
    person.says(GO_ON)
    assert person.run.status == "done"
    assert person.run.film is not None
    assert archive.artifact(person.run.film).parents == (person.standing("1.edit_video"),)


def test_what_was_made_of_a_replaced_take_is_stale_and_only_that_is_made_again_when_asked(archive: Archive) -> None:
    person = Session(archive, prompt=TWO_SHOTS, review="chat")
    person.says({"do": "again", "call": PICTURE})
    person.says(GO_ON)
    assert person.open() == [CLIP, "2.image_to_video"]
    person.says(GO_ON)
    assert person.made("image_to_video") == 2
    person.says({"do": "choose", "call": PICTURE, "take": 1})
    assert [call["id"] for call in stale_calls(person.state, LIMITS)] == [CLIP]
    assert person.made("image_to_video") == 2, "made unasked"
    person.says({"do": "refresh"})
    assert person.made("image_to_video") == 3
    assert stale_calls(person.state, LIMITS) == []
    assert takes_of(person.state, CLIP)[-1].get("inputs") == [takes_of(person.state, PICTURE)[0]["artifact"]]
    assert "Nothing is stale" in str(person.says({"do": "refresh"}))


def test_going_back_to_an_earlier_take_is_free_and_makes_nothing_stale_again(archive: Archive) -> None:
    person = Session(archive, review="chat")
    person.says(GO_ON)
    person.says(GO_ON)
    person.says({"do": "again", "call": PICTURE})
    before = person.made("image_to_video")
    person.says({"do": "choose", "call": PICTURE, "take": 1})
    assert stale_calls(person.state, LIMITS) == []
    assert person.made("image_to_video") == before


def test_undo_takes_back_a_turn_and_loses_nothing(archive: Archive) -> None:
    person = Session(archive, review="chat")
    first = takes_of(person.state, PICTURE)[0]["artifact"]
    person.says({"do": "again", "call": PICTURE})
    person.says({"do": "undo"})
    person.says({"do": "change", "call": PICTURE, "instruction": "make it blue"})
    assert takes_of(person.state, "1.edit_image")[0].get("inputs") == [first]
    person.says({"do": "undo"})
    assert [call["id"] for call in person.state["calls"]] == [PICTURE, CLIP]
    assert person.open() == [PICTURE]
    assert len(takes_of(person.state, PICTURE)) == 2
    assert len(takes_of(person.state, "1.edit_image")) == 1
    person.says({"do": "change", "call": PICTURE, "instruction": "make it blue"})
    assert "1.edit_image.2" in person.open(), "an id that was there before is not given again"


def test_there_is_an_end_to_undo(archive: Archive) -> None:
    person = Session(archive, review="chat")
    assert "nothing to take back" in str(person.says({"do": "undo"}))


def test_films_are_extended_connected_and_assembled_in_a_conversation(archive: Archive) -> None:
    person = Session(archive, prompt=TWO_SHOTS, review="chat")
    person.says(GO_ON)
    person.says(GO_ON)
    first, second = person.standing(CLIP), person.standing("2.image_to_video")
    person.says({"do": "extend", "clip": first, "prompt": "it moves right"})
    longer = archive.artifact(str(person.standing("3.assemble_film")))
    assert longer.media.num_frames > archive.artifact(str(first)).media.num_frames
    person.says({"do": "connect", "first": longer.id, "second": second})
    both = archive.artifact(str(person.standing("4.assemble_film")))
    assert both.media.num_frames > longer.media.num_frames
    assert both.parents[0] == longer.id
    assert "one film already" in str(person.says({"do": "film"})), "all that was made is in it"
    person.says({"do": "undo"})
    person.says({"do": "film"})
    whole = archive.artifact(str(person.standing("5.assemble_film")))
    assert whole.parents == (longer.id, second), "what was extended is seen in its film"
    assert person.run.status == "waiting"


def test_candidates_are_shown_together_and_one_is_chosen(archive: Archive) -> None:
    person = Session(archive, candidates=3)
    question = question_of_run(person.services, person.run)
    assert question is not None
    assert [take["take"] for take in question.asked["waiting"][0]["takes"]] == [1, 2, 3]
    person.says({"do": "choose", "call": PICTURE, "take": 2})
    assert takes_of(person.state, CLIP)[0].get("inputs") == [takes_of(person.state, PICTURE)[1]["artifact"]]


@pytest.mark.parametrize(("blanks", "takes", "stands"), [(0, 3, 0), (1, 4, 3)])
def test_nobody_asked_takes_the_first_usable_candidate(archive: Archive, blanks: int, takes: int, stands: int) -> None:
    lender = TinyLender(blanks=blanks)  # a batch of candidates is one call
    run = start(rooms_with(archive, lender), Request(prompt=WISH, seed=5, candidates=3), {}, lambda _heard: None)
    state = RunState(**state_of(archive, run))  # type: ignore[typeddict-item]
    assert len(takes_of(state, PICTURE)) == takes
    assert takes_of(state, CLIP)[0].get("inputs") == [takes_of(state, PICTURE)[stands]["artifact"]]


def test_other_words_for_the_motion_make_another_clip_of_the_same_picture(archive: Archive) -> None:
    person = Session(archive)
    person.says(GO_ON)
    person.says({"do": "reword", "call": CLIP, "words": "it moves up"})
    old, new = takes_of(person.state, CLIP)
    assert new.get("inputs") == old.get("inputs")
    assert new.get("asked", {})["prompt"] == "it moves up"
    assert person.made("text_to_image") == 1


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        ({"do": "again", "call": "7.text_to_image"}, "There is no call 7.text_to_image"),
        ({"do": "choose", "call": PICTURE, "take": 9}, "There is no take 9 of the picture of shot 1; it has 1 take."),
        ({"do": "change", "call": CLIP, "instruction": "make it blue"}, "is not made yet"),
        ({"do": "film"}, "There is no clip to make a film of yet"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(archive: Archive, move: dict[str, Any], sentence: str) -> None:
    person = Session(archive, review="chat")
    before = person.state["calls"]
    assert sentence in str(person.says(move))
    assert person.state["calls"] == before


def test_an_answer_to_a_question_that_was_answered_is_refused(archive: Archive) -> None:
    person = Session(archive)
    old = question_of_run(person.services, person.run)
    assert old is not None
    person.says(GO_ON)
    with pytest.raises(RequestError, match="no longer waits for this answer"):
        answer(person.services, person.run.id, old, Answer(moves=[GO_ON]), lambda _heard: None)
    assert person.open() == [CLIP]


def test_a_waiting_run_is_resumed_as_it_waits(archive: Archive) -> None:
    person = Session(archive)
    assert resume(person.services, person.run.id, lambda _heard: None).status == "waiting"
    assert person.made("text_to_image") == 1


def test_a_conversation_may_begin_with_nothing(archive: Archive) -> None:
    person = Session(archive, prompt="", review="chat")
    assert person.run.status == "waiting"
    person.says({"do": "wish", "words": WISH})
    assert person.open() == ["1.text_to_image"]
    person.says({"do": "wish", "words": "a blue star moves up over the sea"})
    assert person.open() == ["1.text_to_image", "2.text_to_image"]


def test_a_wish_that_cannot_be_drawn_gets_the_readers_sentence(archive: Archive) -> None:
    person = Session(archive, prompt="", review="chat")
    told = person.says({"do": "wish", "words": "a zebra in the snow"})
    assert told is not None
    assert "zebra" in told
    assert person.state.get("calls", []) == []
