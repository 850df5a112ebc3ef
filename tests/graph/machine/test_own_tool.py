"""A tool that is added: its own file, a row of the table, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.plan import plan_schema
from graph.planning.profiles import EMBEDDED
from graph.runs.history import state_of
from graph.runs.runner import start
from graph.runs.time_travel import replay
from memory.archive import Archive
from memory.records import Request
from support.mirror_tool import MIRROR
from support.tiny_agents import TinyLender, rooms_with
from support.tool_calling_model import ToolCallingModel
from tools.media.codecs import decode_clip
from tools.registry import TOOLS, registered, remakes

BALL = "a red ball moves right in the snow"


@pytest.fixture(autouse=True)
def mirror() -> Iterator[None]:
    """The table with the tool in it."""
    with registered(MIRROR):
        yield


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


class MirrorsAll(BaseChatModel):
    """Plans as the embedded planner does, and mirrors every clip; `extra` is added to its plans."""

    extra: dict[str, Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **asked: Any) -> ChatResult:
        answer = EmbeddedPlanner()._generate(messages, **asked)
        plan = json.loads(str(answer.generations[0].message.text))
        if "calls" not in plan:
            return answer
        calls = [*plan["calls"], {"tool": "mirror_video", "shot": 1, "arguments": {"clip": None}, **self.extra}]
        text = json.dumps({"calls": calls})
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def planner(**extra: Any) -> Any:
    return lambda _request: Planner("scripted", MirrorsAll(extra=extra), EMBEDDED)


def test_a_plan_with_it_becomes_a_film_that_shows_what_it_made(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender(), planner=planner())
    run = start(services, Request(prompt=BALL, seed=1), {}, lambda _heard: None)
    state = state_of(archive, run)
    assert [(call["id"], call["needs"]) for call in state["calls"]] == [
        ("1.text_to_image", []),
        ("1.image_to_video", ["1.text_to_image"]),
        ("1.mirror_video", ["1.image_to_video"]),
    ]
    [plain], [mirrored] = state["takes"]["1.image_to_video"], state["takes"]["1.mirror_video"]
    film = archive.artifact(str(run.film))
    assert film.parents == (mirrored["artifact"],)
    before, after = (decode_clip(archive.read(archive.artifact(take["artifact"]))).frames for take in (plain, mirrored))
    assert np.array_equal(before[:, :, ::-1], after) and not np.array_equal(before, after)
    replayed = replay(services, run.id, lambda _heard: None)
    assert replayed.came.film is not None and replayed.came.film.sha256 == film.sha256
    assert replayed.differences == []


def test_a_model_that_calls_tools_is_given_it(archive: Archive) -> None:
    calls = [(tool, {"shot": 1, "prompt": BALL}) for tool in ("text_to_image", "image_to_video")]
    model = ToolCallingModel(script=[[*calls, ("mirror_video", {"shot": 1})]])
    planner = Planner("scripted", model, EMBEDDED, tools=True)
    services = rooms_with(archive, TinyLender(), planner=lambda _request: planner)
    run = start(services, Request(prompt=BALL, seed=1), {}, lambda _heard: None)
    assert model.given[-1]["function"]["name"] == "mirror_video"
    [mirrored] = state_of(archive, run)["takes"]["1.mirror_video"]
    assert archive.artifact(str(run.film)).parents == (mirrored["artifact"],)


def test_it_is_made_again_from_its_recipe() -> None:
    assert remakes()["mirror_video"].starts == 1


@pytest.mark.parametrize("extra", [{"shot": 2}, {"arguments": {"clip": "clip-0123456789abcdef"}}])
def test_a_wrong_call_of_it_is_told_back(extra: dict[str, Any], archive: Archive) -> None:
    services = rooms_with(archive, TinyLender(), planner=planner(**extra))
    with pytest.raises(Exception, match=r"there is no shot 2|`clip` is null in its mirror_video call"):
        start(services, Request(prompt=BALL, seed=1), {}, lambda _heard: None)


def test_it_is_in_the_schema_of_a_plan_only_while_it_is_in_the_table() -> None:
    assert "MirrorVideoCall" in plan_schema().model_json_schema()["$defs"]
    with pytest.raises(ValueError, match="choose another name"), registered(MIRROR):
        pass
    assert list(TOOLS)[-1] == "mirror_video"
