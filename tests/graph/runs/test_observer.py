"""What an observer is told of a run: typed events in their order, and nothing of what the graph streams beside them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.planning.turn import Answer
from graph.runs.observer import (
    Event,
    NodeEnded,
    Noted,
    ProductReady,
    Question,
    RunBegan,
    StageBegan,
    ToolProgress,
    event_of_report,
    events_of_node,
)
from graph.runs.runner import answer, question_of_run, start
from graph.runs.time_travel import replay
from memory.archive import Archive
from memory.records import Request
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as known:
        yield known


def test_a_run_tells_its_beginning_its_steps_its_products_and_its_end(archive: Archive) -> None:
    seen: list[Event] = []
    run = start(rooms_with(archive, TinyLender()), Request(prompt=WISH, seed=3), {}, seen.append)
    assert seen[0] == RunBegan(run.id)
    assert [event.stage for event in seen if isinstance(event, StageBegan)] == ["enhance", "plan"]
    ended = [event.node for event in seen if isinstance(event, NodeEnded)]
    assert ended == ["enhance", "plan", "act", "review", "act", "review", "assemble", "finish"]
    made = [event for event in seen if isinstance(event, ProductReady)]
    assert [(event.tool, event.call, event.shot, event.called) for event in made] == [
        ("text_to_image", "1.text_to_image", 1, True),
        ("image_to_video", "1.image_to_video", 1, True),
    ]
    assert {archive.artifact(event.artifact).recipe.agent for event in made} == {"text_to_image", "image_to_video"}
    steps = [event for event in seen if isinstance(event, ToolProgress)]
    assert {event.tool for event in steps} == {"text_to_image", "image_to_video", "assemble_film"}
    assert all(0 < event.step <= event.steps for event in steps)


def test_a_question_is_the_last_event_and_the_one_that_is_answered(archive: Archive) -> None:
    services, seen = rooms_with(archive, TinyLender()), list[Event]()
    run = start(services, Request(prompt=WISH, seed=3, review="ask"), {}, seen.append)
    assert run.status == "waiting"
    question = seen[-1]
    assert isinstance(question, Question)
    assert question == question_of_run(services, run)
    more: list[Event] = []
    answer(services, run.id, question, Answer(moves=[{"do": "go_on"}]), more.append)
    assert not any(isinstance(event, RunBegan) for event in more)
    assert NodeEnded("think") in more


def test_a_replay_goes_through_answered_questions_without_telling_them(archive: Archive) -> None:
    services, seen = rooms_with(archive, TinyLender()), list[Event]()
    run = start(services, Request(prompt=WISH, seed=3, review="ask"), {}, lambda _event: None)
    while (question := question_of_run(services, run)) is not None:
        run = answer(services, run.id, question, Answer(moves=[{"do": "go_on"}]), lambda _event: None)
    assert replay(services, run.id, seen.append).same
    assert NodeEnded("finish") in seen
    assert not [event for event in seen if isinstance(event, Question | RunBegan)]
    assert not any(event.called for event in seen if isinstance(event, ProductReady))


def test_only_what_is_news_becomes_an_event() -> None:
    assert event_of_report({"stage": "think"}) == StageBegan("think")
    assert event_of_report({"stage": "memory", "note": "It is made with less."}) is None
    assert event_of_report({"stage": "connect_videos", "try": 2, "jump": 1.5, "call": "1.connect_videos"}) is None
    assert events_of_node("review", None) == [NodeEnded("review")]
    assert events_of_node("plan", {"notes": ["One."]}) == [Noted(("One.",)), NodeEnded("plan")]
