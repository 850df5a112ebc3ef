"""What the records of a run say of its film: what the person said and chose, and by what it was made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.planning.turn import Answer
from graph.provenance.statement import software, statement_of
from graph.runs.runner import answer, question_of_run, start
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import TinyLender, rooms_with
from tools.provenance.manifest import Approval, Statement

WISH = "a red ball moves right in the snow"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def stated(archive: Archive, run: Run) -> Statement:
    assert run.film is not None, run.status
    return statement_of(archive, run, archive.artifact(run.film))


def test_what_the_person_said_and_chose_is_in_the_statement(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt=WISH, seed=5, review="ask"), {}, lambda _heard: None)

    def says(**given: Any) -> None:
        nonlocal run
        question = question_of_run(services, run)
        assert question is not None, run.status
        run = answer(services, run.id, question, Answer(**given), lambda _heard: None)

    picture = "1.text_to_image"
    says(moves=[{"do": "again", "call": picture}])
    says(moves=[{"do": "choose", "call": picture, "take": 1}])
    while run.status == "waiting":
        says(moves=[{"do": "go_on"}])
    statement = stated(archive, run)
    (drawn,) = (work for work in statement.works if work.agent == "text_to_image")
    assert Approval(by="person", ok=True) in drawn.approvals
    assert [one.by for one in drawn.approvals] == ["inspection", "person"]
    assert (statement.request.review, statement.left_out) == ("ask", 0)


def test_a_planner_in_a_folder_is_known_by_the_folders_own_name(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt=WISH, seed=5), {"device": "cpu", "threads": 2}, lambda _heard: None)
    assert (stated(archive, run).device, stated(archive, run).threads) == ("cpu", 2)
    for planner, told in (
        ("openai:/home/me/models/llama", "openai:llama"),
        ("openai:meta-llama/Llama-3.3", "openai:meta-llama/Llama-3.3"),
        ("embedded", "embedded"),
    ):
        other = run.model_copy(update={"settings": {**run.settings, "planner": planner}})
        assert stated(archive, other).planner == told


def test_a_given_weight_of_words_is_shortened_and_the_version_is_the_projects(archive: Archive) -> None:
    assert software().startswith("Mora ")
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt=f"{WISH} and it is {'very ' * 300}cold", seed=5), {}, lambda _heard: None)
    statement = stated(archive, run)
    assert statement.request.prompt.endswith("cold")
    assert all(len(str(value)) <= 500 for shot in statement.shots for value in shot.values())
