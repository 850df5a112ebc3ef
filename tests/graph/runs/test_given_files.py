"""Files of a person are products of their conversation: numbered, standing, changed, undone, replayed and forked."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from evals.conversation.given_files import given_file
from evals.idle_agents import IdleAgents, idle_services
from graph.errors import RequestError
from graph.planning.turn import Answer
from graph.runs.chat.conversation import Conversation
from graph.runs.chat.opening import chat_about
from graph.runs.chat.results import Result, Sentence, TurnResult
from graph.runs.history import checkpoints
from graph.runs.requests.given import Given, uploads_of
from graph.runs.requests.options import GivenFiles, RequestOptions
from graph.runs.requests.resolve import request_with_files
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.runs.time_travel import Changes, fork, replay
from graph.state import read
from memory.archive import Archive
from memory.records import Request
from tools.errors import BadInput

PICTURE, CLIP, PHOTO = "upload:picture", "upload:clip", "upload:photo"
STILL, RIGHT = "a red ball stays still in the meadow", "a red ball moves right in the meadow"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as archive:
        yield idle_services(archive, IdleAgents())


def opened(services: Services, tmp_path: Path, *uploads: str, review: str = "chat") -> Conversation:
    request = Request.model_validate({"prompt": "", "review": review, "seed": 1})
    run = start(services, request, {}, lambda _event: None)
    talk = Conversation(services, run, lambda: nullcontext(lambda _event: None))
    list(talk.begin([given_file(line, tmp_path / "given") for line in uploads]))
    return talk


def turn(results: Iterator[Result]) -> TurnResult:
    [result] = results
    assert isinstance(result, TurnResult)
    assert result.failure is None
    return result


def looks(talk: Conversation) -> list[str]:
    return [f"{product.number} {product.looks} {talk.board.marks[product.number]}" for product in talk.board.things]


def test_a_conversation_begins_with_files(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path, PICTURE, CLIP)
    assert looks(talk) == [
        f"1 picture: your file ball.png; {STILL} stands",
        f"2 clip: your file ball.mp4; {RIGHT} stands",
    ]
    changed = turn(talk.say("make number 1 blue"))
    assert [product.of for product, _ in changed.made] == [(1,)]
    turn(talk.say("/go"))
    animated = turn(talk.say("let number 3 go left"))
    assert [product.words for product, _ in animated.made] == [("a blue ball moves left in the meadow",)]
    turn(talk.say("/go"))
    assert turn(talk.say("make number 3 green")).changed["stale"] == [4], "a clip of a file follows it"


def test_the_motion_that_is_seen_in_a_clip_goes_on(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path, CLIP)
    extended = turn(talk.say("extend it by one second"))
    assert [move["prompt"] for move in extended.moves] == ["it moves right"]
    assert extended.made[-1][0].of[0] == 1


def test_what_is_none_of_the_world_is_told_once(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path, PHOTO, PICTURE)
    assert looks(talk)[0] == "1 picture: your file photo.png stands"
    [note] = read.notes(talk.state)
    assert "1 of your 2 pictures is not of it" in note


def test_files_are_added_taken_back_and_added_again(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path)
    turn(talk.say("a red ball in the snow"))
    clip = given_file(CLIP, tmp_path / "given").path
    assert [product.number for product, _ in turn(talk.say(f"/add {clip}")).made] == [2]
    assert [product.number for product in talk.board.it] == [2], "what was just added is meant"
    [told] = talk.say(f"here is my video {clip}")
    assert told == Sentence("Number 2 is that file already.")
    assert turn(talk.say("undo")).changed == {"back": [2]}
    assert turn(talk.say(str(clip))).changed == {"stands": [2]}
    with pytest.raises(RequestError, match="Say which picture"):
        list(talk.say("/add"))
    with pytest.raises(BadInput, match="neither a picture nor a video"):
        (tmp_path / "x.txt").write_text("hello")
        list(talk.say(f"/add {tmp_path / 'x.txt'}"))
    assert services.archive.run(talk.run.id).status == "waiting"
    assert "file" in (turn(talk.say("/again")).reply or "")


def test_a_file_and_what_becomes_of_it_in_one_line(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path)
    path = given_file(PICTURE, tmp_path / "given").path
    added, changed = talk.say(f"use {path}, make it blue")
    assert isinstance(added, TurnResult)
    assert isinstance(changed, TurnResult)
    assert [move["do"] for move in (*added.moves, *changed.moves)] == ["upload", "change"]


def test_replay_resume_fork_and_a_conversation_about_it(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path, CLIP)
    list(talk.say("extend it"))
    assert replay(services, talk.run.id, lambda _event: None).same
    assert resume(services, talk.run.id, lambda _event: None).status == "waiting"
    [early] = [
        each for each in checkpoints(services.archive, talk.run) if each.after == "review" and len(each.made) == 1
    ]
    branch = fork(services, talk.run.id, early.id, Changes(), {}, lambda _event: None)
    branched = Conversation(services, branch, lambda: nullcontext(lambda _event: None))
    assert looks(branched) == [f"1 clip: your file ball.mp4; {RIGHT} stands"]
    assert services.archive.artifacts(branch.id)[0].recipe.agent == "upload"
    about = resume(services, chat_about(services, talk.run, {}).id, lambda _event: None)
    assert looks(Conversation(services, about, talk._observing))[0] == f"1 clip: your file ball.mp4; {RIGHT} stands"


def test_checkpoints_hold_ids_and_words_only(services: Services, tmp_path: Path) -> None:
    talk = opened(services, tmp_path, PICTURE)
    [call] = read.calls(talk.state)
    assert set(call["arguments"]) == {"image", "file", "fitted", "shows"}
    assert str(tmp_path) not in str(talk.state)


def test_a_run_that_makes_one_film_takes_no_files(services: Services, tmp_path: Path) -> None:
    run = start(services, Request(prompt="a red ball", review="ask", seed=1), {}, lambda _event: None)
    talk = Conversation(services, run, lambda: nullcontext(lambda _event: None))
    with pytest.raises(RequestError, match="film of one wish"):
        list(talk.add([given_file(PICTURE, tmp_path / "given")]))
    question = question_of_run(services, run)
    assert question is not None
    _, [move] = uploads_of([given_file(PICTURE, tmp_path)], size=(64, 64), profile="embedded")
    made = services.archive.artifacts(run.id)[0].id
    given = Answer(moves=[{**move.model_dump(mode="json"), "product": made}])
    answer(services, run.id, question, given, lambda _event: None)
    asked = question_of_run(services, run)
    assert asked is not None
    assert "film of one wish" in asked.asked["reply"]


def test_a_file_is_fitted_and_its_kind_found(tmp_path: Path) -> None:
    from PIL import Image

    path = given_file(PICTURE, tmp_path).path
    Image.open(path).resize((320, 240)).save(tmp_path / "big.jpg")
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], duration=125)
    files = [Given(tmp_path / "big.jpg"), Given(path), Given(path, "picture"), Given(tmp_path / "moving.gif")]
    _, moves = uploads_of(files, size=(64, 64), profile="embedded")
    assert [(move.file, move.fitted, move.product.split("-")[0]) for move in moves] == [
        ("big.jpg", "64 x 64", "image"),
        ("ball.png", None, "image"),
        ("moving.gif", None, "clip"),
    ]
    assert [move.shows for move in moves] == [STILL, STILL, None]
    _, [unknown] = uploads_of([Given(path)], size=(64, 64), profile="paper")
    assert (unknown.shows, unknown.notes) == (None, ()), "other models know other words"


def test_a_request_tells_what_is_seen_in_its_clips(tmp_path: Path) -> None:
    files = GivenFiles(videos=(given_file(CLIP, tmp_path).path,))
    options = RequestOptions(prompt="let it go on for two more seconds")
    request, _ = request_with_files(options, files, RequestOptions(profile="embedded"), size=(64, 64))
    assert request.shows == (RIGHT,)
    other, _ = request_with_files(options, files, RequestOptions(profile="paper"), size=(64, 64))
    assert other.shows == ()
