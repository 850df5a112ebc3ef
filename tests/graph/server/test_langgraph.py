"""The graph that LangGraph's own server opens, invoked as the server does: no context, another's checkpointer."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from graph.errors import RequestError
from graph.server.langgraph import Desk, served
from graph.settings import Settings
from memory.archive import Archive
from models.errors import AgentError
from support.tiny_agents import TWO_SHOTS, TinyLender, rooms_with

ROOT = Path(__file__).parents[3]
WISH = {"prompt": "a red ball moves right in the snow", "seed": 5}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def desk_of(archive: Archive, lender: TinyLender | None = None) -> Desk:
    lender = lender or TinyLender()
    return Desk(lambda: Settings(home=archive.home, planner="embedded"), lambda _settings: rooms_with(archive, lender))


def thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def test_langgraph_json_points_at_a_compiled_graph_that_opens_nothing_yet(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("MORA_HOME", str(tmp_path / "home"))
    told = json.loads((ROOT / "langgraph.json").read_text())
    assert told["env"]["LANGGRAPH_STRICT_MSGPACK"] == "true"
    path, _, name = told["graphs"]["mora"].partition(":")
    # As the server does: by its file, not by the name of its module.
    spec = importlib.util.spec_from_file_location("opened_by_a_server", ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    graph = getattr(module, name)
    assert isinstance(graph, CompiledStateGraph)
    assert graph.checkpointer is None
    assert set(graph.get_input_jsonschema()["properties"]) == {"prompt", "request"}
    assert {"calls", "film", "takes"} < set(graph.get_output_jsonschema()["properties"])
    assert {"receive", "enhance", "plan", "act", "review", "assemble", "finish"} < set(graph.get_graph().nodes)
    assert not (tmp_path / "home").exists()


def test_a_request_and_a_thread_id_are_enough_for_a_film(archive: Archive) -> None:
    graph = served(desk_of(archive))
    state = graph.invoke({"request": WISH}, thread("t-1"))
    (run,) = archive.runs()
    assert (run.status, run.film, run.settings["thread"]) == ("done", state["film"], "t-1")
    assert (run.request.prompt, run.request.seed, run.request.planner) == (WISH["prompt"], 5, "embedded")
    assert archive.artifact(state["film"]).media.num_frames > 1
    with archive.hold(run.id):
        """Nobody holds it any more."""


def test_words_alone_will_do_and_several_shots_share_one_lease(archive: Archive) -> None:
    lender = TinyLender()
    state = served(desk_of(archive, lender)).invoke({"prompt": TWO_SHOTS}, thread("t-2"))
    (run,) = archive.runs()
    assert (run.status, run.film) == ("done", state["film"])
    assert len(archive.artifact(state["film"]).parents) == 2
    assert sum(lender.called.values()) == 4


def test_a_thread_goes_on_where_it_failed_in_another_process_with_the_servers_checkpoints(archive: Archive) -> None:
    saver, trouble = InMemorySaver(), TinyLender(trouble=AgentError("test", "The device is on fire; put it out."))
    first = served(desk_of(archive, trouble))
    first.checkpointer = saver
    with pytest.raises(AgentError, match="on fire"):
        first.invoke({"request": WISH}, thread("t-3"))
    (run,) = archive.runs()
    assert (run.status, run.error) == ("failed", "The device is on fire; put it out.")

    second = served(desk_of(archive))
    second.checkpointer = saver
    state = second.invoke(None, thread("t-3"))
    (run,) = archive.runs()
    assert (run.status, run.film, run.error) == ("done", state["film"], None)
    assert [call.purpose for call in archive.llm_calls(run.id)] == ["enhance", "plan"]


def test_a_thread_that_asks_waits_and_goes_on_with_the_answer(archive: Archive) -> None:
    graph = served(desk_of(archive))
    graph.checkpointer = InMemorySaver()
    asked = graph.invoke({"request": {**WISH, "review": "ask"}}, thread("t-7"))
    (run,) = archive.runs()
    assert (run.status, run.error) == ("waiting", None)
    while "__interrupt__" in asked:
        (question,) = asked["__interrupt__"]
        asked = graph.invoke(Command(resume={question.id: {"moves": [{"do": "go_on"}]}}), thread("t-7"))
    (run,) = archive.runs()
    assert (run.status, run.film) == ("done", asked["film"])


def test_the_same_wish_again_in_its_thread_is_answered_without_a_call(archive: Archive) -> None:
    lender = TinyLender()
    graph = served(desk_of(archive, lender))
    first = graph.invoke({"request": WISH}, thread("t-4"))
    called = sum(lender.called.values())
    again = served(desk_of(archive, lender)).invoke({"request": WISH}, thread("t-4"))
    assert (again["film"], sum(lender.called.values()), len(archive.runs())) == (first["film"], called, 1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"prompt": "  "}, "The prompt is empty"),
        ({}, "The prompt is empty"),
        ({"request": {**WISH, "sed": 5}}, "The request's sed cannot be used"),
        ({"request": {**WISH, "seconds": "many"}}, "The request's seconds cannot be used"),
        ({"request": {**WISH, "seconds": 1e9}}, "cannot last"),
        ({"request": {**WISH, "shots": 99}}, "99 shots"),
        ({"request": {**WISH, "profile": "nobody"}}, "no profile 'nobody'"),
        ({"request": {**WISH, "planner": "nobody"}}, "no planner 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_and_begins_no_run(archive: Archive, asked: Any, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        served(real_desk(archive)).invoke(asked, thread("t-5"))
    assert told in str(caught.value)
    assert archive.runs() == []


def real_desk(archive: Archive) -> Desk:
    """With the rooms of the settings: what is refused here is refused before an agent is borrowed."""
    return Desk(lambda: Settings(home=archive.home, planner="embedded"))


def test_a_second_wish_in_a_thread_is_refused(archive: Archive) -> None:
    graph = served(desk_of(archive))
    graph.invoke({"request": WISH}, thread("t-6"))
    with pytest.raises(RequestError, match="begin a new thread"):
        graph.invoke({"prompt": "a blue star moves up over the sea"}, thread("t-6"))
    assert [run.status for run in archive.runs()] == ["done"]


def test_two_threads_at_once_are_two_runs(archive: Archive) -> None:
    graph, films = served(desk_of(archive)), {}

    def ask(name: str, seed: int) -> None:
        films[name] = graph.invoke({"request": {**WISH, "seed": seed}}, thread(name))["film"]

    askers = [threading.Thread(target=ask, args=(f"t-{seed}", seed)) for seed in (71, 72)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(set(films.values())) == 2
    assert {run.settings["thread"]: run.film for run in archive.runs()} == films
