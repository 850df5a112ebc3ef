"""The planner against real peers: llama.cpp behind HTTP and in process, and a server that does everything wrong."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import tenacity
from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.graph import StateGraph
from pydantic import SecretStr

from graph.errors import PlannerError, PlannerUnset, RequestError
from graph.planners.factory import make_planner
from graph.planners.llama import LlamaChat
from graph.planners.plan_by_tools import plan_tool
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planning.brief import Brief
from graph.planning.plan import Enhancement
from graph.planning.profiles import EMBEDDED, PROFILES
from graph.state.bounds import MAX_SHOTS
from tools.registry import planned_tools

KEY = "sk-very-secret"
SENTENCE = "a red ball moves right in the snow"


def remote(url: str, *, timeout: float = 20.0, budget: float = 20.0, key: str = KEY, tools: Any = "never") -> Planner:
    settings = PlannerSettings(
        "openai", model="tiny", base_url=url, api_key=SecretStr(key), timeout=timeout, retry_budget=budget, tools=tools
    )
    return make_planner(settings, EMBEDDED)


def shots(**changes: Any) -> str:
    shot = {"words": "w", "picture": SENTENCE, "motion": SENTENCE, "seconds": None, **changes}
    return json.dumps({"shots": [shot], "notes": [], "impossible": None})


def calls(*items: tuple[str, dict[str, Any]]) -> str:
    return json.dumps({"calls": [{"tool": tool, "shot": 1, "arguments": arguments} for tool, arguments in items]})


PICTURE = ("text_to_image", {"prompt": SENTENCE})
MOTION = ("image_to_video", {"prompt": SENTENCE, "seconds": None, "image": None})


@pytest.fixture
def enhancement() -> Enhancement:
    return Enhancement.model_validate_json(shots())


def peer(where: str, request: pytest.FixtureRequest) -> Planner:
    if where == "server":
        return remote(request.getfixturevalue("conversation_server"), key="right-key", tools="auto")
    gguf = request.getfixturevalue("conversation_gguf")
    return make_planner(PlannerSettings("llama", gguf=gguf), EMBEDDED)


@pytest.mark.parametrize("where", ["server", "in process"])
def test_a_real_llama_plans(where: str, request: pytest.FixtureRequest, wish: Brief, notebook: Any) -> None:
    planner = peer(where, request)
    enhanced = planner.enhance(wish, notebook)
    plan = planner.plan(wish, enhanced, notebook)
    assert [(shot.words, shot.picture, shot.motion) for shot in enhanced.shots] == [(wish.prompt, SENTENCE, SENTENCE)]
    assert [(call.tool, call.shot, call.arguments.prompt) for call in plan.calls] == [
        ("text_to_image", 1, SENTENCE),
        ("image_to_video", 1, SENTENCE),
    ]
    assert [call["purpose"] for call in notebook.kept] == ["enhance", "plan"]
    assert [call["request"]["schema"]["name"] for call in notebook.kept] == ["Enhancement", "PlanCalls"]


@pytest.mark.parametrize("where", ["server", "in process"])
def test_a_real_llama_is_given_the_tools_of_the_table(where: str, request: pytest.FixtureRequest, wish: Brief) -> None:
    """That its calls can be read, llama.cpp's grammar sees to."""
    tools = {tool.name: plan_tool(tool) for tool in planned_tools()}
    given: Any = peer(where, request).model
    bound = given.bind_tools([*tools.values()], tool_choice="required")
    answer = bound.invoke([SystemMessage("You are the planner."), HumanMessage(wish.model_dump_json())])
    assert answer.tool_calls
    for call in answer.tool_calls:
        said = tools[call["name"]].args_schema.model_validate(call["args"])
        assert 1 <= said.shot <= MAX_SHOTS


def test_a_graph_that_streams_its_messages_hears_the_same_answer(
    conversation_server: str, wish: Brief, notebook: Any
) -> None:
    """Under `stream_mode="messages"` LangChain streams the call; the answer is put together again."""
    planner = remote(conversation_server, key="right-key")

    def enhance(state: dict[str, Any]) -> dict[str, Any]:
        return {"motion": planner.enhance(wish, notebook).shots[0].motion}

    graph = StateGraph(dict).add_node("enhance", enhance).set_entry_point("enhance").compile()
    pieces = list(graph.stream({}, stream_mode="messages"))
    assert len(pieces) > 3
    assert json.loads(notebook.kept[0]["response"])["shots"][0]["motion"] == SENTENCE


def test_a_real_server_refuses_a_wrong_key(conversation_server: str, wish: Brief, notebook: Any) -> None:
    with pytest.raises(PlannerError, match="does not accept the API key") as refused:
        remote(conversation_server).enhance(wish, notebook)
    assert KEY not in str(refused.value)


def test_a_llama_on_a_wish_it_never_learned_answers_in_the_schema(conversation_gguf: Path, notebook: Any) -> None:
    planner = make_planner(PlannerSettings("llama", gguf=conversation_gguf), PROFILES["modern"])
    try:
        planner.enhance(Brief(prompt="a fox at dawn, first near, then far"), notebook)
    except PlannerError as error:
        assert "in 3 attempts" in str(error)
    except RequestError as error:
        assert error.code == "wish-impossible"
    assert all(json.loads(call["response"]).keys() == set(Enhancement.model_fields) for call in notebook.kept)


def test_llama_says_what_is_missing(tmp_path: Path) -> None:
    picture = tmp_path / "model.gguf"
    picture.write_bytes(b"\x89PNG not a model")
    with pytest.raises(PlannerUnset, match="not a GGUF file"):
        LlamaChat.of(picture)
    with pytest.raises(PlannerUnset, match="There is no file"):
        LlamaChat.of(tmp_path / "none.gguf")
    with pytest.raises(PlannerUnset, match="needs the path of a GGUF file"):
        make_planner(PlannerSettings("llama"), EMBEDDED)


def test_a_damaged_gguf_is_told(tmp_path: Path, wish: Brief, notebook: Any) -> None:
    pytest.importorskip("xllamacpp")
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(PlannerError, match="cannot load"):
        make_planner(PlannerSettings("llama", gguf=torn), EMBEDDED).enhance(wish, notebook)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of whoever tries again."""
    clock = Clock()
    monkeypatch.setattr(tenacity, "time", clock)
    monkeypatch.setattr(tenacity.nap, "time", clock)
    return clock


def test_waits_as_long_as_the_server_asks(scripted_server: Any, wish: Brief, notebook: Any, clock: Clock) -> None:
    scripted_server.fails(429, **{"Retry-After": "12.5"}).says(shots())
    assert remote(scripted_server.url).enhance(wish, notebook).shots[0].motion == SENTENCE
    assert clock.slept == [12.5]


def test_retry_after_may_be_a_date_and_beyond_the_budget(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    scripted_server.fails(429, **{"Retry-After": later}).says(shots())
    with pytest.raises(PlannerError, match="rate limit"):
        remote(scripted_server.url, budget=2.0).enhance(wish, notebook)
    assert len(scripted_server.asked) == 1


@pytest.mark.usefixtures("clock")
def test_a_server_error_may_pass(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.fails(500).fails(503).says(shots())
    assert remote(scripted_server.url).enhance(wish, notebook).shots
    assert len(scripted_server.asked) == 3


@pytest.mark.usefixtures("clock")
def test_a_body_cut_in_the_middle_may_pass(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.cuts().says(shots())
    assert remote(scripted_server.url).enhance(wish, notebook).shots


def test_a_server_that_always_fails_is_told_within_the_budget(
    scripted_server: Any, wish: Brief, notebook: Any, clock: Clock
) -> None:
    scripted_server.fails(500)
    with pytest.raises(PlannerError, match=r"keeps failing \(HTTP 500\)"):
        remote(scripted_server.url, budget=10.0).enhance(wish, notebook)
    assert len(scripted_server.asked) == len(clock.slept) + 1
    assert clock.slept == sorted(clock.slept), "it waits longer each time"
    assert 5.0 < sum(clock.slept) < 10.0


@pytest.mark.usefixtures("clock")
def test_a_connection_that_is_always_cut_is_told(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.cuts()
    with pytest.raises(PlannerError, match="cannot be reached or hung up"):
        remote(scripted_server.url, budget=0.7).enhance(wish, notebook)


def test_silence_is_told(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.keeps_silent(3.0)
    with pytest.raises(PlannerError, match="did not answer in time"):
        remote(scripted_server.url, timeout=1.0, budget=0.1).enhance(wish, notebook)


def test_nobody_there_is_told(wish: Brief, notebook: Any) -> None:
    with pytest.raises(PlannerError, match=r"http://127\.0\.0\.1:9/v1 cannot be reached"):
        remote("http://user:secret@127.0.0.1:9/v1", budget=0.1).enhance(wish, notebook)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(401, "does not accept the API key"), (403, "may not use tiny"), (404, "knows no model 'tiny'")],
)
def test_what_cannot_pass_is_told_at_once(
    code: int, sentence: str, scripted_server: Any, wish: Brief, notebook: Any
) -> None:
    scripted_server.fails(code, f"Incorrect key provided: {KEY}")
    with pytest.raises(PlannerError, match=sentence) as told:
        remote(scripted_server.url).enhance(wish, notebook)
    assert len(scripted_server.asked) == 1
    assert KEY not in str(told.value)
    assert told.value.__cause__ is None


def test_a_refused_request_is_told_without_the_key(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.fails(400, f"response_format is not supported for {KEY}")
    with pytest.raises(PlannerError, match=r"HTTP 400: .*response_format is not supported for \*\*\*") as told:
        remote(scripted_server.url).enhance(wish, notebook)
    assert KEY not in str(told.value)


def test_a_web_page_is_no_planner(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.speaks_otherwise()
    with pytest.raises(PlannerError, match="no OpenAI protocol"):
        remote(scripted_server.url, budget=0.1).enhance(wish, notebook)


def test_broken_json_is_told_back_twice(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.says("Sure! {'shots': [")
    with pytest.raises(PlannerError, match="no usable answer in 3 attempts"):
        remote(scripted_server.url).enhance(wish, notebook)
    assert [len(scripted_server.told(call)) for call in range(3)] == [2, 4, 6]
    assert "could not be used: the answer: Invalid JSON" in scripted_server.told(1)[3]
    assert scripted_server.told(2)[2] == scripted_server.told(2)[4] == "Sure! {'shots': ["


def test_what_was_told_back_is_corrected(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    pink = "a pink ball moves right in the snow"
    scripted_server.says(shots(picture=pink, motion=pink)).says(f"```json\n{shots()}\n```")
    assert remote(scripted_server.url).enhance(wish, notebook).shots[0].picture == SENTENCE
    assert "a pink ball moves right in the snow` is not a sentence of the embedded world" in scripted_server.told(1)[3]
    assert len(notebook.kept) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (calls(("upscale", {"prompt": SENTENCE}), MOTION), "text_to_image"),
        (calls(("text_to_image", {"prompt": 7}), MOTION), "prompt: Input should be a valid string"),
        (calls(("text_to_image", {"prompt": SENTENCE, "steps": 4}), MOTION), "Extra inputs are not permitted"),
        (calls(PICTURE), "exactly one image_to_video call, and has 0"),
        (calls(PICTURE, PICTURE, MOTION), "exactly one text_to_image call, and has 2"),
        (calls(PICTURE, (MOTION[0], {**MOTION[1], "image": "image-1"})), "`image` is null"),
        (calls(PICTURE, (MOTION[0], {**MOTION[1], "seconds": 2})), "lasts `seconds` None"),
        (calls(PICTURE, (MOTION[0], {**MOTION[1], "seconds": 60})), "less than or equal to 20"),
        (calls(("text_to_image", {"prompt": "x" * 401}), MOTION), "at most 400 characters"),
        (calls(("text_to_image", {"prompt": "a\u0007b"}), MOTION), "control characters"),
        (calls(PICTURE, (MOTION[0], {**MOTION[1], "prompt": "it moves right"})), "repeats the picture sentence"),
    ],
)
def test_a_bad_plan_is_told_back(
    answer: str, told: str, scripted_server: Any, wish: Brief, enhancement: Enhancement, notebook: Any
) -> None:
    scripted_server.says(answer).says(calls(PICTURE, MOTION))
    plan = remote(scripted_server.url).plan(wish, enhancement, notebook)
    assert [call.tool for call in plan.calls] == ["text_to_image", "image_to_video"]
    assert told in scripted_server.told(1)[3]


def test_the_schema_and_the_model_arrive(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.says(shots())
    remote(scripted_server.url).enhance(wish, notebook)
    body = scripted_server.asked[0]
    assert body["model"] == "tiny"
    assert body["response_format"]["json_schema"]["name"] == "Enhancement"
    assert json.loads(scripted_server.told(0)[1])["prompt"] == wish.prompt
    assert "small closed world" in scripted_server.told(0)[0]


def test_what_is_recorded_is_not_asked_again(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.says("{").says(shots()).fails(500)
    first = remote(scripted_server.url).enhance(wish, notebook)
    again = remote(scripted_server.url, budget=0.1).enhance(wish, notebook)
    assert first == again
    assert len(scripted_server.asked) == 2
    assert KEY not in json.dumps(notebook.kept)


def test_a_failed_question_may_be_asked_again(scripted_server: Any, wish: Brief, notebook: Any) -> None:
    scripted_server.says("{").says("{").says("{").says(shots())
    with pytest.raises(PlannerError):
        remote(scripted_server.url).enhance(wish, notebook)
    assert remote(scripted_server.url).enhance(wish, notebook).shots
    assert len(scripted_server.asked) == 4
