"""A tool-calling model in a conversation: a real llama.cpp behind HTTP and in process, and a server that misbehaves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.errors import PlannerError
from graph.planners.factory import make_planner
from graph.planners.grounding import without_false_claims
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planners.tool_calling import _move, tools
from graph.planning.profiles import EMBEDDED
from graph.planning.turn import Answer
from graph.runs.history import state_of
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.state.channels import Limits, RunState
from graph.state.moves import Order, Speed, Trim
from graph.state.products import Board
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


class Talk:
    """A person at a chat whose planner listens by a model; wishes are read by the embedded one."""

    def __init__(self, archive: Archive, planner: Planner) -> None:
        self.lender = TinyLender()
        plain = rooms_with(archive, self.lender)
        reader = plain.planner(Request(prompt=""))

        class Mixed(Planner):
            def enhance(self, *asked: Any) -> Any:
                return reader.enhance(*asked)

            def plan(self, *asked: Any) -> Any:
                return reader.plan(*asked)

        mixed = Mixed(planner.name, planner.model, planner.profile, planner.patience)
        self.services: Services = rooms_with(archive, self.lender, planner=lambda _request: mixed)
        self.run: Run = start(self.services, Request(prompt="", seed=5, review="chat"), {}, lambda _heard: None)

    def says(self, words: str) -> dict[str, Any]:
        question = question_of_run(self.services, self.run)
        assert question is not None
        self.run = answer(self.services, self.run.id, question, Answer(said=words), lambda _heard: None)
        after = question_of_run(self.services, self.run)
        assert after is not None
        return after.asked

    @property
    def things(self) -> list[Any]:
        return Board(RunState(**state_of(self.services.archive, self.run)), Limits()).things  # type: ignore[typeddict-item]

    @property
    def recorded(self) -> list[str]:
        calls = self.services.archive.llm_calls(self.run.id)
        return [call.response for call in calls if call.purpose == "hear"]


def remote(url: str, key: str = "right-key") -> Planner:
    settings = PlannerSettings(
        "openai", model="tiny", base_url=url, api_key=SecretStr(key), timeout=60.0, retry_budget=5.0
    )
    return make_planner(settings, EMBEDDED)


@pytest.mark.parametrize("where", ["server", "in process"])
def test_a_real_llama_calls_the_moves(where: str, request: pytest.FixtureRequest, archive: Archive) -> None:
    if where == "server":
        planner = remote(request.getfixturevalue("conversation_server"))
    else:
        planner = make_planner(PlannerSettings("llama", gguf=request.getfixturevalue("conversation_gguf")), EMBEDDED)
    talk = Talk(archive, planner)
    asked = talk.says("a red ball in the snow")
    assert [(thing.number, thing.kind, thing.waits) for thing in talk.things] == [(1, "picture", True)]
    assert asked["voice"] == "planner"
    assert asked["reply"] == f"Look at it. [Made in this turn: number 1, picture: {WISH}.]"
    lie = talk.says("where is my film")
    assert lie["reply"] == "[Nothing was made in this turn.]"
    talk.says("go on")
    assert [thing.kind for thing in talk.things] == ["picture", "clip"]
    assert len(talk.recorded) == 5


def says(content: str | None = None, *calls: tuple[str, Any]) -> Any:
    """A chat completion with tool calls; arguments that are no dict go as they are."""

    def answer(handler: Any) -> None:
        made = [
            {
                "id": f"c{place}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for place, (name, given) in enumerate(calls)
        ]
        message = {"role": "assistant", "content": content, **({"tool_calls": made} if made else {})}
        choices = [{"index": 0, "finish_reason": "tool_calls" if made else "stop", "message": message}]
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": choices})
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


PAINTED = says(None, ("wish", {"words": WISH}))


def test_calls_in_one_answer_are_done_in_their_order(scripted_server: Any, archive: Archive) -> None:
    scripted_server.then(says(None, ("wish", {"words": WISH}), ("wish", {"words": "a blue star moves up in the sea"})))
    scripted_server.then(says("There they are."))
    talk = Talk(archive, remote(scripted_server.url))
    talk.says("a red ball, and a blue star")
    assert [(thing.shot, thing.words) for thing in talk.things] == [
        (1, (WISH,)),
        (2, ("a blue star moves up in the sea",)),
    ]
    second = scripted_server.asked[1]["messages"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "tool", "tool"]
    assert "Made in this turn: number 1" in second[-1]["content"]
    tools = scripted_server.asked[0]["tools"]
    assert {tool["function"]["name"] for tool in tools} >= {
        "wish",
        "change",
        "undo",
        "tell",
    }


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (says(None, ("paint", {"prompt": "x"})), "there is no such tool"),
        (says(None, ("again", "{broken")), "no JSON object"),
        (says(None, ("again", {"call": "9.text_to_image"})), "no call 9.text_to_image on the board"),
        (says(None, ("again", {"call": "1.text_to_image", "count": 99})), "count"),
        (says(None, ("choose", {"call": "1.text_to_image", "take": 7})), "no take 7"),
        (says(None, ("animate", {"image": "image-0123456789abcdef", "prompt": "it moves up"})), "no product"),
        (says(None, ("animate", {"image": "../../etc/passwd", "prompt": "it moves up"})), "image"),
        (says(None, ("change", {"call": "1.text_to_image", "instruction": "rm -rf /"})), "no instruction of the"),
        (says(None, *[("again", {"call": "1.text_to_image"})] * 9), "too many"),
        (says(""), "neither calls a tool nor says anything"),
    ],
)
def test_a_call_that_cannot_be_is_told_back_and_nothing_happens(
    bad: Any, told: str, scripted_server: Any, archive: Archive
) -> None:
    scripted_server.then(PAINTED).then(says("Look.")).then(bad).then(says("What do you mean?"))
    talk = Talk(archive, remote(scripted_server.url))
    talk.says(WISH)
    asked = talk.says("do something")
    assert asked["reply"] == "What do you mean? [Nothing was made in this turn.]"
    back = scripted_server.asked[-1]["messages"][-1]["content"]
    assert back.startswith("That could not be used: ")
    assert told in back
    assert len(talk.things) == 1


def test_a_planner_that_never_learns_is_given_up_and_the_turn_can_be_tried_again(
    scripted_server: Any, archive: Archive
) -> None:
    for _ in range(3):
        scripted_server.then(says(None, ("paint", {})))
    scripted_server.then(PAINTED).then(says("Look."))
    talk = Talk(archive, remote(scripted_server.url))
    with pytest.raises(PlannerError, match="no usable answer in 3 attempts"):
        talk.says(WISH)
    assert archive.run(talk.run.id).status == "failed"
    assert len(scripted_server.asked) == 3
    resume(talk.services, talk.run.id, lambda _heard: None)
    assert [thing.kind for thing in talk.things] == ["picture"]


def test_a_planner_that_never_stops_calling_is_stopped(scripted_server: Any, archive: Archive) -> None:
    scripted_server.then(PAINTED).then(says(None, ("raise_limit", {"call": "1.text_to_image", "most": 9})))
    talk = Talk(archive, remote(scripted_server.url))
    talk.says(WISH)
    assert len(scripted_server.asked) == 6


def test_what_exists_is_told_by_the_house(scripted_server: Any, archive: Archive) -> None:
    scripted_server.then(PAINTED).then(says("Look.")).then(says("Here is all of it!", ("tell", {"about": "board"})))
    talk = Talk(archive, remote(scripted_server.url))
    talk.says(WISH)
    asked = talk.says("what do I have?")
    assert asked["voice"] == "mora"
    assert asked["reply"] == f"Nothing stands yet.\nThese wait for your word:\n   1  picture: {WISH}"


def test_an_answer_that_was_given_is_not_asked_for_again(scripted_server: Any, archive: Archive) -> None:
    talk = Talk(archive, remote(scripted_server.then(PAINTED).then(says("Look.")).url))
    talk.says(WISH)
    requests = [call.request for call in archive.llm_calls(talk.run.id) if call.purpose == "hear"]
    assert len(requests) == 2
    assert all(WISH in json.dumps(asked) for asked in requests)
    assert "right-key" not in json.dumps(requests)
    assert len(json.dumps(requests[0])) < 1500, "the prompt and the tools are kept by their digests"


def test_the_tools_are_the_moves() -> None:
    named = {tool["function"]["name"]: tool["function"] for tool in tools()}
    assert set(named) >= {
        "go_on",
        "again",
        "choose",
        "change",
        "reword",
        "animate",
        "extend",
        "connect",
        "film",
        "wish",
    }
    assert all(each["description"] and "do" not in each["parameters"]["properties"] for each in named.values())
    assert named["again"]["parameters"]["required"] == ["call"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("I made you a film. Shall I go on?", "Shall I go on? [Nothing was made in this turn.]"),
        ("Your video is ready at /home/me/film.mp4!", "[Nothing was made in this turn.]"),
        ("Here it is: film-0123456789abcdef", "[Nothing was made in this turn.]"),
        ("See number 7.", "[Nothing was made in this turn.]"),
        ("You could make it blue.", "You could make it blue. [Nothing was made in this turn.]"),
        ("The picture has been undone and the clip is now finished", "[Nothing was made in this turn.]"),
        ("Download it from https://example.org/x", "[Nothing was made in this turn.]"),
        ("", "[Nothing was made in this turn.]"),
    ],
)  # fmt: skip
def test_a_lie_does_not_reach_the_person(said: str, shown: str) -> None:
    assert without_false_claims(said, [], []) == shown


def test_a_model_may_leave_the_film_unnamed_and_names_clips_by_number() -> None:
    ids = {2: f"clip-{2:016x}", 3: f"clip-{3:016x}"}
    by_name = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools()}
    assert by_name["order"]["required"] == ["clips"]
    assert "required" not in by_name["reverse"]
    assert _move({"name": "order", "args": {"clips": [3, ids[2]], "film": None}}, ids) == Order(clips=(ids[3], ids[2]))
    assert _move({"name": "trim", "args": {"clip": 2, "start": 0, "end": 1.5}}, ids) == Trim(clip=ids[2], end=1.5)
    assert _move({"name": "speed", "args": {"factor": 2}}, ids) == Speed(factor=2)
    for name, args in (
        ("speed", {"factor": 0}),
        ("loop", {"times": 1}),
        ("drop", {"clips": []}),
        ("order", {"clips": [9]}),
    ):
        with pytest.raises(ValueError, match=r"greater|least|no number"):
            _move({"name": name, "args": args}, ids)
