"""A plan by tool calls: all at once and round by round, with results, faults, and a record that needs no model."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from pydantic import SecretStr

from graph.errors import PlannerError
from graph.planners.factory import make_planner
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planning.brief import Brief
from graph.planning.profiles import EMBEDDED
from graph.planning.results import PLANNED
from graph.planning.turn import Answer
from graph.runs.history import state_of
from graph.runs.runner import answer, question_of_run, start
from graph.runs.services import Services
from graph.runs.time_travel import replay
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import SENTENCES, TWO_SHOTS, TinyLender, rooms_with
from support.tool_calling_model import ToolCallingModel

BALL = "a red ball moves right in the snow"
PICTURE = ("text_to_image", {"shot": 1, "prompt": BALL})
CLIP = ("image_to_video", {"shot": 1, "prompt": BALL})


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def unheard(_told: dict[str, Any]) -> None:
    """Nobody listens."""


def services_of(archive: Archive, model: ToolCallingModel, lender: TinyLender | None = None) -> Services:
    planner = Planner("scripted", model, EMBEDDED, tools=True)
    return rooms_with(archive, lender or TinyLender(), planner=lambda _request: planner)


def made(
    archive: Archive, *script: Any, prompt: str = BALL, lender: TinyLender | None = None, **asked: Any
) -> tuple[ToolCallingModel, Services, Run]:
    model = ToolCallingModel(script=list(script))
    services = services_of(archive, model, lender)
    return model, services, start(services, Request(prompt=prompt, seed=1, **asked), {}, unheard)


def calls_of_run(archive: Archive, run: Run) -> list[tuple[str, list[str]]]:
    return [(call["id"], call["needs"]) for call in state_of(archive, run)["calls"]]


def test_a_complete_first_answer_needs_no_second_question(archive: Archive) -> None:
    model, services, run = made(archive, [PICTURE, CLIP])
    by_schema = start(rooms_with(archive, TinyLender()), Request(prompt=BALL, seed=1), {}, unheard)
    assert len(model.asked) == 1
    assert run.film == by_schema.film
    assert "open_plan" not in state_of(archive, run)
    assert replay(services, run.id, unheard).came.film == archive.artifact(str(run.film))


def test_the_tools_are_those_of_the_table(archive: Archive) -> None:
    model, _, _ = made(archive, [PICTURE, CLIP])
    given = {tool["function"]["name"]: tool["function"] for tool in model.given}
    assert list(given) == [
        "text_to_image", "edit_image", "image_to_video", "extend_video", "edit_video", "connect_videos"
    ]  # fmt: skip
    assert set(given["image_to_video"]["parameters"]["required"]) == {"prompt", "shot"}
    assert "Makes a clip that starts at a stored picture" in given["image_to_video"]["description"]


def test_what_was_called_is_made_and_told_before_the_next_question(archive: Archive) -> None:
    model, _, run = made(archive, [PICTURE], [("image_to_video", {**CLIP[1], "image": "{image}"})])
    state = state_of(archive, run)
    [picture] = state["takes"]["1.text_to_image"]
    assert model.results(1) == [f"{picture['artifact']} (64x64 pixels) is made and usable."]
    said = model.asked[1][2]
    assert isinstance(said, AIMessage) and [call["name"] for call in said.tool_calls] == ["text_to_image"]
    assert calls_of_run(archive, run) == [("1.text_to_image", []), ("1.image_to_video", ["1.text_to_image"])]
    assert state["calls"][1]["arguments"]["image"] is None
    assert state["open_plan"] == []
    by_schema = start(rooms_with(archive, TinyLender()), Request(prompt=BALL, seed=1), {}, unheard)
    assert run.film == by_schema.film


def test_a_record_of_several_rounds_needs_no_model(archive: Archive) -> None:
    model, services, run = made(archive, [PICTURE], [("image_to_video", {**CLIP[1], "image": "{image}"})])
    replayed = replay(services, run.id, unheard)
    assert replayed.came.film == archive.artifact(str(run.film))
    assert len(model.asked) == 2
    again = replay(services, run.id, unheard, agents="fresh")
    assert again.came.film is not None and again.differences == []
    purposes = [call.purpose for call in archive.llm_calls(run.id)]
    assert purposes == ["enhance", "plan", "plan"]


def test_two_shots_one_call_a_round(archive: Archive) -> None:
    calls = [
        (tool, {"shot": shot, "prompt": sentence})
        for tool in ("text_to_image", "image_to_video")
        for shot, sentence in enumerate(SENTENCES, 1)
    ]
    model, _, run = made(archive, *([call] for call in calls), prompt=TWO_SHOTS)
    assert len(model.asked) == 4
    assert [len(model.results(question)) for question in range(4)] == [0, 1, 2, 3]
    assert archive.artifact(str(run.film)).media.kind == "film"
    by_schema = start(rooms_with(archive, TinyLender()), Request(prompt=TWO_SHOTS, seed=1), {}, unheard)
    assert run.film == by_schema.film


def test_after_many_rounds_the_plan_is_completed_before_more_is_made(archive: Archive) -> None:
    sentences = [f"a red ball moves {way} in the snow" for way in ("left", "right", "up", "down")]
    sentences.append("a red ball grows in the snow")
    calls = [
        (tool, {"shot": shot, "prompt": sentence})
        for shot, sentence in enumerate(sentences, 1)
        for tool in ("text_to_image", "image_to_video")
    ]
    model, _, run = made(archive, *([call] for call in calls), prompt=", then ".join(sentences))
    assert run.status == "done"
    assert len(model.asked) == 10
    assert "is made and usable" in model.results(8)[-1]
    assert model.results(9)[-1] == PLANNED


def test_a_product_that_is_not_usable_is_told_and_cannot_be_built_on(archive: Archive) -> None:
    lender = TinyLender(blanks=1)
    script: list[Any] = [[PICTURE], [("image_to_video", {**CLIP[1], "image": "{bad}"})], [CLIP]]

    class Naming(ToolCallingModel):
        def _named(self, value: Any, ids: dict[str, str]) -> Any:
            first = self.results(len(self.asked) - 1)
            return super()._named(value, {**ids, "bad": first[0].split()[0] if first else ""})

    naming = Naming(script=script)
    run = start(services_of(archive, naming, lender), Request(prompt=BALL, seed=1), {}, unheard)
    first, second = state_of(archive, run)["takes"]["1.text_to_image"]
    [told] = naming.results(1)
    assert told.startswith(f"{first['artifact']} (64x64 pixels) is not usable: ")
    assert f"It was made again. {second['artifact']} (64x64 pixels) is made and usable." in told
    assert "which is not usable" in naming.results(2)[-1]
    assert run.film is not None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([("paint", {"shot": 1})], "paint: an unknown tool; there are text_to_image, edit_image"),
        ([("text_to_image", {"prompt": BALL})], "text_to_image: shot: Field required"),
        ([("text_to_image", {"shot": 2, "prompt": BALL})], "there is no shot 2"),
        ([("text_to_image", {"shot": 1, "prompt": "a dragon"})], "not a sentence of the embedded world"),
        ([PICTURE, PICTURE], "shot 1 needs exactly one text_to_image call, and has 2"),
        ([CLIP], "image_to_video of shot 1 starts from what text_to_image of shot 1 makes; call that first"),
        ([PICTURE, ("edit_image", {"shot": 1, "instruction": "make it blue"})], "edit_image calls and needs none"),
        ([PICTURE, ("image_to_video", {**CLIP[1], "image": "image-0123456789abcdef"})], "`image` is null"),
        ([PICTURE, ("image_to_video", {**CLIP[1], "seconds": 3})], "lasts `seconds` None"),
        ("I would paint a ball.", "no tool was called, and the plan is not complete: nothing is called yet"),
    ],
)
def test_a_wrong_call_is_told_back_and_nothing_of_the_answer_is_taken(wrong: Any, told: str, archive: Archive) -> None:
    model, _, run = made(archive, wrong, [PICTURE, CLIP])
    last = model.asked[1][-1]
    assert str(last.text).startswith("Not taken: ") and told in str(last.text)
    assert isinstance(last, ToolMessage) == isinstance(wrong, list)
    assert len(calls_of_run(archive, run)) == 2


def test_an_unknown_product_is_told_back_in_a_later_round(archive: Archive) -> None:
    unknown = ("image_to_video", {**CLIP[1], "image": "image-0123456789abcdef"})
    model, _, run = made(archive, [PICTURE], [unknown], [CLIP])
    assert "`image` is null in its image_to_video call" in model.results(2)[-1]
    assert run.status == "done"


def test_a_planner_that_errs_three_times_on_one_step_is_given_up(archive: Archive) -> None:
    with pytest.raises(PlannerError, match="no usable answer in 3 attempts"):
        made(archive, [PICTURE], "Done!", "Done!", "Done!")
    [run] = archive.runs()
    assert run.status == "failed"
    assert len(state_of(archive, run)["takes"]["1.text_to_image"]) == 1


def test_calls_written_as_text_are_understood(archive: Archive) -> None:
    plan = {"calls": [{"tool": name, "shot": 1, "arguments": {"prompt": BALL}} for name, _ in (PICTURE, CLIP)]}
    model, _, run = made(archive, json.dumps(plan))
    assert len(model.asked) == 1 and run.film is not None


def test_a_person_who_reviews_sees_the_whole_plan_first(archive: Archive) -> None:
    model, services, run = made(archive, [PICTURE], [CLIP], review="ask")
    assert model.results(1) == [PLANNED]
    while (question := question_of_run(services, run)) is not None:
        run = answer(services, run.id, question, Answer(moves=[{"do": "go_on"}]), unheard)
    assert len(model.asked) == 2
    assert archive.artifact(str(run.film)).media.kind == "film"


def test_what_was_planned_by_a_schema_is_not_asked_again_by_tools(archive: Archive, notebook: Any, wish: Brief) -> None:
    model = ToolCallingModel(script=[])
    by_schema = Planner("scripted", model, EMBEDDED)
    enhancement = by_schema.enhance(wish, notebook)
    plan = by_schema.plan(wish, enhancement, notebook)
    by_tools = Planner("scripted", model, EMBEDDED, tools=True)
    assert by_tools.plan(wish, enhancement, notebook) == plan
    assert model.asked == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.ollama.ai/library/tiny does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (500, "tools param requires --jinja flag"),
    ],
)
def test_a_server_that_refuses_tools_is_asked_by_a_schema(
    status: int,
    message: str,
    scripted_server: Any,
    wish: Brief,
    notebook: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plan = {"calls": [{"tool": name, "shot": 1, "arguments": {"prompt": BALL}} for name, _ in (PICTURE, CLIP)]}
    scripted_server.fails(status, message).says(json.dumps(plan))
    enhancement = Planner("scripted", ToolCallingModel(script=[]), EMBEDDED).enhance(wish, notebook)
    planner = make_planner(PlannerSettings("openai", base_url=scripted_server.url, api_key=SecretStr("k")), EMBEDDED)
    with caplog.at_level(logging.WARNING):
        made_plan = planner.plan(wish, enhancement, notebook)
    assert [call.tool for call in made_plan.calls] == ["text_to_image", "image_to_video"]
    assert len(scripted_server.asked) == 2
    assert "tools" in scripted_server.asked[0] and "tools" not in scripted_server.asked[1]
    assert "plans by a schema" in caplog.text


@pytest.mark.parametrize(("tools", "given"), [("auto", True), ("never", False)])
def test_a_person_may_have_no_plan_by_tools(tools: Any, given: bool) -> None:
    settings = PlannerSettings("openai", base_url="http://127.0.0.1:9/v1", api_key=SecretStr("k"), tools=tools)
    assert make_planner(settings, EMBEDDED).tools is given
    assert make_planner(PlannerSettings(tools=tools), EMBEDDED).tools is False
