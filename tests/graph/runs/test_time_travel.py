"""Back in time: replay of runs with and without a person, and branches from checkpoints."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.cli.tables import replayed_told
from graph.errors import RequestError, Stopped
from graph.planning.turn import Answer
from graph.runs.compatibility import REVIEW_POINTS
from graph.runs.history import Checkpoint, checkpoints, state_of
from graph.runs.rerun import rerun
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.runs.time_travel import Changes, checkpoint_of, difference_told, fork, replay
from graph.state.channels import GRAPH_VERSION
from graph.views import checkpoints_as_json, replayed_as_json, run_as_json
from memory.archive import Archive
from memory.records import Request, Run
from memory.retention.collect import collect
from models.errors import OutOfMemory
from support.tiny_agents import SENTENCES, TWO_SHOTS, Identity, TinyLender, rooms_with

GO_ON = {"do": "go_on"}
PICTURE, CLIP = "1.text_to_image", "1.image_to_video"


def unheard(_told: dict[str, Any]) -> None:
    pass


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def made(archive: Archive, **asked: Any) -> Run:
    request = Request(**{"prompt": TWO_SHOTS, "seed": 1, **asked})
    return start(rooms_with(archive, TinyLender()), request, {"threads": 3}, unheard)


def branch(archive: Archive, run: Run, at: str, lender: TinyLender | None = None, **changes: Any) -> Run:
    services = rooms_with(archive, lender or TinyLender())
    return fork(services, run.id, at, Changes(**changes), {"threads": 1}, unheard)


def after(archive: Archive, run: Run, node: str | None) -> Checkpoint:
    return next(each for each in reversed(checkpoints(archive, run)) if each.after == node)


def says(services: Services, run: Run, *moves: dict[str, Any]) -> Run:
    question = question_of_run(services, run)
    assert question is not None
    return answer(services, run.id, question, Answer(moves=list(moves)), unheard)


# Replay


def test_a_replay_is_the_same_and_says_so(archive: Archive) -> None:
    run = made(archive)
    replayed = replay(rooms_with(archive, TinyLender(trouble=AssertionError("called"))), run.id, unheard)
    assert replayed.same
    [told] = replayed_told(replayed)
    assert archive.artifact(str(run.film)).sha256 in told
    assert replayed_as_json(replayed) == {"same": True, "stopped": None, "compared": 0, "differences": []}


def test_a_difference_is_told_with_both_digests_and_what_is_installed_now(archive: Archive) -> None:
    run = made(archive)
    other = TinyLender(known_as=Identity(numerics="tiny 2"))
    other.called["image_to_video", SENTENCES[1]] = -9  # this call gives another clip now
    replayed = replay(rooms_with(archive, other), run.id, unheard, agents="fresh")
    assert not replayed.same
    [told] = replayed_as_json(replayed)["differences"]
    assert (told["call"], told["shot"], told["attempt"]) == ("2.image_to_video", 2, 0)
    assert told["recorded"] == archive.artifact(told["artifact"]).sha256 != told["sha256"]
    assert "tiny 1" in told["changed"] and "tiny 2" in told["changed"]
    sentence = difference_told(replayed.differences[0])
    assert told["sha256"][:16] in sentence and told["recorded"][:16] in sentence
    assert replayed_told(replayed)[-1] == "1 of 5 products came out different."


def test_a_run_that_has_no_end_is_not_replayed(archive: Archive) -> None:
    with pytest.raises(OutOfMemory):
        start(
            rooms_with(archive, TinyLender(trouble=OutOfMemory("out-of-memory", "no room"))),
            Request(prompt=TWO_SHOTS),
            {},
            unheard,
        )
    [run] = archive.runs()
    with pytest.raises(RequestError, match=r"is failed.*resume it first"):
        replay(rooms_with(archive, TinyLender()), run.id, unheard)


def test_what_a_person_said_is_said_again(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt=SENTENCES[0], seed=5, review="ask"), {}, unheard)
    run = says(services, run, {"do": "again", "call": PICTURE, "count": 2})
    waiting = replay(rooms_with(archive, TinyLender()), run.id, unheard)
    assert (waiting.film, waiting.same, len(waiting.made)) == (None, True, 3)
    assert "3 takes" in replayed_told(waiting)[-1]
    run = says(services, run, {"do": "choose", "call": PICTURE, "take": 2})
    run = says(services, run, GO_ON)
    assert run.status == "done"
    replayed = replay(rooms_with(archive, TinyLender(trouble=AssertionError("called"))), run.id, unheard)
    assert replayed.same
    assert replay(rooms_with(archive, TinyLender()), run.id, unheard, agents="fresh").same


def test_a_replay_can_be_stopped(archive: Archive) -> None:
    run, services = made(archive), rooms_with(archive, TinyLender())
    services.stop.set()
    with pytest.raises(Stopped):
        replay(services, run.id, unheard)
    assert archive.run(run.id) == run


# Checkpoints


def test_checkpoints_say_what_was_made_and_what_can_change(archive: Archive) -> None:
    run = made(archive)
    known = checkpoints_as_json(archive, run)
    assert [one["number"] for one in known] == list(range(1, len(known) + 1))
    steps = [None, None, "enhance", "plan", "act", "review", "act", "review", "assemble", "finish"]
    assert [one["after"] for one in known] == steps
    everything = ["prompt", "seed", "profile", "planner"]
    assert [one["changeable"] for one in known] == [everything] * 2 + [["seed"]] * 4 + [[]] * 4
    assert [len(one["new"]) for one in known] == [0, 0, 0, 0, 2, 0, 2, 0, 1, 0]
    assert known[-1]["made"][-1] == run.film
    assert run_as_json(archive, run, checkpoints=True)["checkpoints"] == known


def test_a_checkpoint_is_found_by_number_and_by_the_beginning_of_its_id(archive: Archive) -> None:
    run = made(archive)
    known = checkpoints(archive, run)
    assert checkpoint_of(run, known, "3") is known[2]
    assert checkpoint_of(run, known, known[4].id.upper()) is known[4]
    for wrong, sentence in (("0", "no checkpoint '0'"), ("zz", "no checkpoint"), (known[0].id[:6], "more than one")):
        with pytest.raises(RequestError, match=sentence):
            checkpoint_of(run, known, wrong)


# Branches


def test_a_new_seed_after_the_pictures_keeps_them(archive: Archive) -> None:
    run, lender = made(archive), TinyLender()
    before = archive.artifacts(run.id)
    second = branch(archive, run, str(after(archive, run, "act").number - 1), lender, seed=2)
    assert (second.status, second.parent, second.request.seed) == ("done", run.id, 2)
    assert second.film != run.film
    assert sum(lender.called.values()) == 2, "only the clips are made anew"
    takes = [state_of(archive, each)["takes"] for each in (run, second)]
    assert takes[1]["1.text_to_image"] == takes[0]["1.text_to_image"]
    assert takes[1][CLIP][0]["artifact"] != takes[0][CLIP][0]["artifact"]
    assert (archive.run(run.id), archive.artifacts(run.id)) == (run, before)
    assert {take["artifact"] for take in takes[1]["1.text_to_image"]} <= {a.id for a in archive.artifacts(second.id)}
    assert second.settings["threads"] == 3, "the numerics are those of the run it branches from"


@pytest.mark.parametrize("changes", [{}, {"seed": 2}])
def test_a_branch_is_replayed_from_where_it_began(archive: Archive, changes: dict[str, Any]) -> None:
    run = made(archive)
    for node in ("plan", "review"):
        possible = next(one for one in checkpoints(archive, run) if one.after == node)
        second = branch(archive, run, possible.id, **changes)
        assert (second.film == run.film) == (not changes)
        assert replay(rooms_with(archive, TinyLender()), second.id, unheard).same
        third = branch(archive, second, "1", **changes)
        assert (third.film, third.parent) == (second.film, second.id)


def test_without_a_change_nothing_is_made_and_nobody_is_asked(archive: Archive) -> None:
    run, lender = made(archive), TinyLender()
    second = branch(archive, run, "1", lender)
    assert second.film == run.film
    assert not lender.called
    assert [call.digest for call in archive.llm_calls(second.id)] == [call.digest for call in archive.llm_calls(run.id)]


def test_other_words_are_read_anew_from_the_beginning(archive: Archive) -> None:
    run = made(archive)
    lender = TinyLender()
    second = branch(archive, run, "2", lender, prompt=f"{SENTENCES[0]}, then a green box grows at night")
    assert second.status == "done"
    assert sum(lender.called.values()) == 2, "the first shot is the same"
    assert state_of(archive, second)["enhancement"]["shots"][1]["picture"] != SENTENCES[1]


@pytest.mark.parametrize(
    ("at", "changes", "sentence"),
    [
        ("enhance", {"prompt": SENTENCES[0]}, "the prompt has been read by then; choose checkpoint 1, 2"),
        ("plan", {"profile": "paper"}, "the planner has written for its profile by then; choose checkpoint 1, 2"),
        ("review", {"seed": 3}, "everything is made by then; choose checkpoint 1, 2, 3, 4, 5, 6"),
        ("finish", {}, "is the end of run"),
        (None, {"prompt": "   "}, "The prompt is empty"),
        (None, {"seed": -1}, "The seed -1 cannot be used"),
    ],
)
def test_a_change_that_cannot_be_is_told(archive: Archive, at: str | None, changes: Any, sentence: str) -> None:
    run = made(archive)
    with pytest.raises(RequestError, match=sentence):
        branch(archive, run, after(archive, run, at).id, **changes)
    assert archive.runs() == [run]


def test_a_failed_run_is_branched(archive: Archive) -> None:
    lender = TinyLender(trouble=OutOfMemory("out-of-memory", "no room"))
    with pytest.raises(OutOfMemory):
        start(rooms_with(archive, lender), Request(prompt=TWO_SHOTS, seed=1), {}, unheard)
    [run] = archive.runs()
    second = branch(archive, run, checkpoints(archive, run)[-1].id, seed=8)
    assert (second.status, archive.run(run.id).status) == ("done", "failed")


def test_a_choice_is_made_otherwise_in_a_branch(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt=SENTENCES[0], seed=5, candidates=2, review="ask"), {}, unheard)
    for move in ({"do": "choose", "call": PICTURE, "take": 1}, GO_ON):
        run = says(services, run, move)
    assert run.status == "done"
    second = branch(archive, run, next(one for one in checkpoints(archive, run) if one.after == "review").id)
    assert second.status == "waiting"
    for move in ({"do": "choose", "call": PICTURE, "take": 2}, GO_ON):
        second = says(services, second, move)
    assert second.status == "done"
    assert second.film != run.film
    for each in (run, second):
        assert replay(rooms_with(archive, TinyLender()), each.id, unheard).same


@pytest.mark.parametrize("review", ["never", "ask"])
def test_another_candidate_stands_in_a_branch(archive: Archive, review: str) -> None:
    run = made(archive, candidates=3, review=review)
    while run.status == "waiting":
        run = says(rooms_with(archive, TinyLender()), run, GO_ON)
    looked_at = next(one for one in checkpoints(archive, run) if one.after == "review")
    second = looked_at.state["takes"][PICTURE][1]["artifact"]
    lender = TinyLender()
    other = branch(archive, run, str(looked_at.number), lender, choice=second[:14])
    while other.status == "waiting":
        other = says(rooms_with(archive, lender), other, GO_ON)
    assert other.status == "done"
    assert lender.called.total() == 1, "the first shot's clip; all else is there"
    clips = [state_of(archive, each)["takes"][CLIP][-1]["inputs"] for each in (run, other)]
    assert clips == [[looked_at.state["takes"][PICTURE][0]["artifact"]], [second]]
    assert other.film != run.film
    assert replay(rooms_with(archive, TinyLender()), other.id, unheard).same


@pytest.mark.parametrize(
    ("after_", "choice", "sentence"),
    [
        ("plan", None, "cannot be chosen at checkpoint 4 of run .*; choose checkpoint 6"),
        ("finish", None, "is the end of run"),
        ("assemble", None, "; choose checkpoint 6"),
        ("plan", "image-0000", "has no product 'image-0000'"),
        (None, "film", "it has no checkpoint where another could stand"),
    ],
)
def test_a_choice_that_cannot_be_is_told(archive: Archive, after_: str | None, choice: str, sentence: str) -> None:
    run = made(archive, candidates=2)
    second = state_of(archive, run)["takes"][PICTURE][1]["artifact"]
    with pytest.raises(RequestError, match=sentence):
        branch(archive, run, after(archive, run, after_).id, choice=choice or second)
    looked_at = next(one for one in checkpoints(archive, run) if one.after == "review")
    with pytest.raises(RequestError, match="More than one take begins with 'image-'"):
        branch(archive, run, looked_at.id, choice="image-")
    assert archive.runs() == [run]


def test_a_run_whose_steps_were_collected_is_branched_and_replayed(archive: Archive) -> None:
    run, now = made(archive), timedelta(0)
    collect(archive, review_points=REVIEW_POINTS, grace=now)
    known = checkpoints(archive, run)
    assert [one.after for one in known] == [None, "plan", "review", "review", "finish"]
    for at, made_anew in (("1", 4), ("2", 4), ("3", 2)):
        lender = TinyLender()
        second = branch(archive, run, at, lender, seed=10 + int(at))
        assert (second.status, sum(lender.called.values())) == ("done", made_anew)
        collect(archive, review_points=REVIEW_POINTS, grace=now)
        assert replay(rooms_with(archive, TinyLender()), second.id, unheard).same
    assert replay(rooms_with(archive, TinyLender()), run.id, unheard).same


def test_a_branch_that_died_before_its_first_step_is_resumed_as_one(archive: Archive) -> None:
    run = made(archive)
    whole = branch(archive, run, "6", seed=2)
    row = archive.create_run(whole.request, settings=whole.settings, graph_version=GRAPH_VERSION, parent=run.id)
    lender = TinyLender()
    assert resume(rooms_with(archive, lender), row.id, unheard).film == whole.film
    assert not lender.called
    assert {a.id for a in archive.artifacts(row.id)} == {a.id for a in archive.artifacts(whole.id)}


def test_a_branch_after_a_step_that_is_not_here_is_told(archive: Archive) -> None:
    run = branch(archive, made(archive), "4")
    settings = {**run.settings, "origin": {**run.settings["origin"], "after": "dream"}}  # type: ignore[dict-item]
    strange = archive.create_run(run.request, settings=settings, graph_version=GRAPH_VERSION)
    with pytest.raises(RequestError, match="'dream', a step that is not here"):
        resume(rooms_with(archive, TinyLender()), strange.id, unheard)


def test_a_run_of_another_graph_is_not_branched_but_replayed(archive: Archive) -> None:
    run = made(archive)
    older = archive.create_run(run.request, settings=run.settings, graph_version=GRAPH_VERSION + 1)
    with pytest.raises(RequestError, match="fork it with the code"):
        branch(archive, older, "1")
    other = replace(rooms_with(archive, TinyLender()))
    assert rerun(other, run.model_copy(update={"graph_version": 0}), unheard).film == archive.artifact(str(run.film))


def test_branches_and_replays_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with Archive.open(postgres_url, tmp_path) as archive:
        run = made(archive)
        second = branch(archive, run, str(after(archive, run, "act").number - 1), seed=2)
        assert (second.parent, second.film == run.film) == (run.id, False)
        for each in (run, second):
            assert replay(rooms_with(archive, TinyLender()), each.id, unheard).same
        archive.path(archive.artifact(str(run.film))).unlink()
        resume(rooms_with(archive, TinyLender()), run.id, unheard)
        assert [artifact.id for artifact in archive.made_again(run.id, run.created_at)] == [run.film]
