"""A conversation of twenty-five turns with a real tool-calling server: llama.cpp over HTTP, a tiny model behind it.

The model calls the moves, answers to both steps of a wish under the server's grammar, calls nonsense once, and lies
about its work; the agents are tiny, all between them is as it is. What the person is told is held against the store.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.planners.factory import make_planner
from graph.planners.ports import PlannerSettings
from graph.planning.profiles import EMBEDDED
from graph.planning.turn import Answer
from graph.runs.history import state_of
from graph.runs.runner import answer, question_of_run, start
from graph.runs.services import Services
from graph.state.channels import Limits, RunState
from graph.state.products import Board, Product
from memory.archive import Archive
from memory.records import Request
from support.conversation_model import BOX, LESSONS, RED, SEED, STAR
from support.tiny_agents import TinyLender, rooms_with

pytestmark = pytest.mark.slow

KINDS = [
    *["picture"] * 5, "clip", "clip", "picture", "clip", "clip", "clip", "film", "clip", "film", "picture", "clip",
    "clip", "clip", "film", "picture",
]  # fmt: skip
LIES = ("dragon", "I have made", "number 99", "film.mp4")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def things_of(services: Services, run: Any) -> list[Product]:
    return Board(RunState(**state_of(services.archive, run)), Limits()).things  # type: ignore[typeddict-item]


def is_true(reply: str, voice: str, there: list[Product], new: list[Product]) -> bool:
    """Whether everything that a reply says of products is so."""
    kinds = {thing.number: thing.kind for thing in there}
    listed = re.findall(r"^ *(\d+)  (picture|clip|film)\b", reply, re.MULTILINE)
    listed += re.findall(r"number (\d+), (picture|clip|film)\b", reply)
    told = re.search(r"\[(.*)\]$", reply, re.DOTALL)
    made = {int(number) for number in re.findall(r"number (\d+)", told[1] if told else "")}
    return all(kinds.get(int(number)) == kind for number, kind in listed) and (
        voice != "planner" or (told is not None and made == {thing.number for thing in new})
    )


def test_a_long_conversation_with_a_server_tells_nothing_that_is_not_there(
    conversation_server: str, archive: Archive
) -> None:
    settings = PlannerSettings(
        "openai",
        model="tiny",
        base_url=conversation_server,
        api_key=SecretStr("right-key"),
        timeout=120.0,
        retry_budget=60.0,
    )
    planner = make_planner(settings, EMBEDDED)
    services = rooms_with(archive, TinyLender(), planner=lambda _request: planner)
    run = start(services, Request(prompt="", seed=SEED, review="chat"), {}, lambda _heard: None)
    replies, before = dict[str, str](), 0
    for said in LESSONS:
        question = question_of_run(services, run)
        assert question is not None
        run = answer(services, run.id, question, Answer(said=said), lambda _heard: None)
        after = question_of_run(services, run)
        assert after is not None
        there = things_of(services, run)
        replies[said] = reply = after.asked["reply"] or ""
        assert is_true(reply, after.asked["voice"], there, there[before:]), (said, reply)
        assert not any(lie in reply for lie in LIES), (said, reply)
        before = len(there)
    there = things_of(services, run)
    assert [thing.kind for thing in there] == KINDS
    assert {thing.words[-1] for thing in there if thing.kind == "picture"} == {RED, STAR, BOX, "make it green"}
    assert [thing.of for thing in there if thing.kind == "film"] == [(6, 11, 9), (12, 13), (6, 9, 18)]
    assert replies["make it nonsense"].startswith("What do you mean?"), "its call was told back"
    assert replies["refresh"].startswith("Nothing is stale")
    assert replies["what did you do?"].startswith("I made:")
    calls = archive.llm_calls(run.id)
    assert [sum(call.purpose == purpose for call in calls) for purpose in ("enhance", "plan")] == [3, 3]
    assert sum('"calls": [{' in call.response for call in calls if call.purpose == "hear") == 23
