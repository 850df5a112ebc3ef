"""Every name, digest and form that is stored: what is written today must be read by any later version.

A red test here means that runs, recorded answers, products or files of people would no longer be found. Change the
code back, or bring a reader of the older form along; change the pinned value only together with that reader. What is
new and takes nothing away is added to what is pinned. Short values stand here, long ones in `data/persisted.json`,
under names of their own, so that classes may be renamed.
"""

import hashlib
import json
import sqlite3
import typing
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from langgraph.types import Send
from pydantic import AliasChoices, BaseModel

from graph.cli.chat.keyboard import HISTORY
from graph.cli.chat.screen import SHOWN
from graph.cli.exit_codes import BUG, INTERRUPTED, MISTAKE, WAITING
from graph.cli.session import destinations
from graph.configure import numerics_of, services_for
from graph.dialogue.preferences import FILE, Likes
from graph.machine.build import build
from graph.machine.edges import after_review, seed_of
from graph.planners.embedded import EmbeddedPlanner
from graph.planners.factory import make_planner
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planners.recorder import ArchiveRecorder
from graph.planners.structured import digest_of, response_format
from graph.planners.tool_calling import Tell, tools
from graph.planning.brief import Brief, GivenClip, GivenPicture
from graph.planning.choices import PLANNERS
from graph.planning.plan import EnhancedShot, Enhancement, PlanDraft
from graph.planning.profiles import EMBEDDED, PROFILES
from graph.planning.prompts import prompts_digest
from graph.planning.turn import Answer, Heard, Planned, Spoken, TalkBrief
from graph.provenance.signing import signer_of
from graph.runs.chat.opening import BOARD, request_for
from graph.runs.history import ORIGIN
from graph.runs.runner import answer, config_of, new_run, question_of_run, start
from graph.runs.services import Services
from graph.runs.time_travel import Changes, fork
from graph.server.langgraph import THREAD, Desk, served
from graph.settings import Settings
from graph.state.apply import play
from graph.state.channels import (
    DEFAULT_LIMITS,
    GRAPH_VERSION,
    MOVE_RULES,
    AskedTool,
    Call,
    Judged,
    Past,
    Round,
    RunState,
    Said,
    Take,
    ToolTask,
    Turn,
)
from graph.state.film import Piece
from graph.state.moves import CALL_ID, PRODUCT, AnyMove, BoardMove, Change, Drop, Film, GivenMove, Trim, Upload, Wish
from graph.state.products import CUTS, Product
from graph.state.tasks import AnyTool, Procedural, call_id
from graph.state.values import Draft
from memory.archive import Archive
from memory.checkpoints.plain import INTERRUPT, PLAIN, SEND, Step, Write, steps_of
from memory.database.engine import VERSION_TABLE
from memory.database.tables import Base
from memory.products.bookmarks import Bookmarks
from memory.products.files import place
from memory.records import (
    AgentCall,
    Artifact,
    Evaluation,
    Kind,
    LlmCall,
    Mark,
    Media,
    Recipe,
    Request,
    Run,
    RunStatus,
    Score,
    Scorer,
    Task,
    TurnProduct,
    TurnRecord,
)
from memory.records import Judged as JudgedVideo
from memory.transfer.parcel import (
    ARTIFACTS,
    FORMAT,
    MANIFEST,
    RECORDS,
    VERSION,
    WITH_TURNS,
    Contents,
    Manifest,
    Packed,
    Story,
)
from models.agent import AnyRole
from models.presets import SYSTEMS
from tools.assemble_film import AssembleFilm
from tools.connect_videos import ConnectVideos
from tools.edit_image import EditImage
from tools.edit_video import EditVideo
from tools.extend_video import ExtendVideo
from tools.image_to_video import ImageToVideo
from tools.media.codecs import MP4, PNG
from tools.provenance.manifest import LABEL, Approval, Statement, Work, manifest_of
from tools.provenance.manifest import VERSION as STATEMENT_VERSION
from tools.text_to_image import TextToImage

PINNED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "persisted.json").read_text("utf-8"))
SCHEMAS: dict[str, type[BaseModel]] = {"Enhancement": Enhancement, "PlanDraft": PlanDraft, "Heard": Heard}
STATE = {
    "state": RunState, "call": Call, "take": Take, "round": Round, "past": Past, "said": Said, "turn": Turn,
    "verdict": Judged, "work": ToolTask, "piece": Piece, "call that was asked for": AskedTool,
}  # fmt: skip
RECORDS_OF = {
    "run": Run, "request": Request, "artifact": Artifact, "media": Media, "recipe": Recipe, "agent call": AgentCall,
    "llm call": LlmCall, "scorer": Scorer, "score": Score, "judged video": JudgedVideo, "evaluation": Evaluation,
    "exported manifest": Manifest, "exported run": Story, "exported product": Packed, "exported contents": Contents,
    "exported step": Step, "exported write": Write, "statement": Statement, "work of a statement": Work,
    "approval": Approval, "answer": Answer, "likes": Likes, "stored turn": TurnRecord, "product of a turn": TurnProduct,
}  # fmt: skip
IMAGE, CLIP, FILM = "image-" + "1" * 16, "clip-" + "2" * 16, "film-" + "3" * 16
REQUEST = Request(prompt="a red ball rolls in the snow", seed=7)
BRIEF = Brief(
    prompt="it keeps moving right",
    images=(GivenPicture(id=IMAGE, width=64, height=48),),
    clips=(GivenClip(id=CLIP, width=64, height=48, seconds=1.5),),
    shots=1,
    seconds=2.0,
    task="extend",
    seed=7,
)
TALK = TalkBrief(
    said="make it blue",
    things=(Product(number=1, id=IMAGE, kind="picture", call="1.text_to_image", shot=1, take=1, words=("a ball",)),),
    calls=(Planned(id="1.image_to_video", tool="image_to_video", needs=("1.text_to_image",), words="it rolls"),),
    it=(1,),
    stale=("1.image_to_video",),
    before=(Spoken(who="person", text="a ball"),),
    new=("1.text_to_image",),
    seed=7,
)


def same(found: Any, pinned: Any, breaks: str) -> None:
    """Fails with what breaks if a stored form is not what it was."""
    assert found == pinned, f"a stored form changed, so {breaks}"


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def keys(typed: Any) -> list[str]:
    """The names of a TypedDict or a record."""
    return [*(typed.model_fields if hasattr(typed, "model_fields") else typed.__annotations__)]


class Book:
    """A recorder in memory, of which nothing is known beforehand."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []

    def recall(self, digest: str) -> None:
        return None

    def remember(self, digest: str, model: str, purpose: str, request: Any, response: str) -> None:
        assert digest == digest_of(request)
        self.kept.append({"digest": digest, "model": model, "purpose": purpose, "request": request})


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def services(archive: Archive) -> Services:
    """Rooms of runs that need no agent."""
    planner = Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    return Services(archive, lambda _request: planner, lambda _stored: typing.cast(Any, None), (64, 64), 8.0, 6)


def unheard(_told: dict[str, Any]) -> None:
    """Nobody listens."""


# The graph and its checkpoints


def test_the_nodes_edges_and_channels_of_the_graph() -> None:
    breaks = "a paused run would end silently, or not find its state"
    graph = build()
    drawn = sorted([edge.source, edge.target, edge.conditional] for edge in graph.get_graph().edges)
    same([*graph.nodes], PINNED["nodes"], breaks)
    same(drawn, PINNED["edges"], breaks)
    same(sorted(graph.channels), PINNED["channels"], breaks)
    same((graph.name, GRAPH_VERSION), ("mora", 1), "every run that waits or was stopped would be refused")


def test_the_nodes_and_channels_on_the_server_of_langgraph() -> None:
    graph = served(Desk())
    same([*graph.nodes], PINNED["server"]["nodes"], "threads of the server would not go on")
    same(sorted(graph.channels), PINNED["server"]["channels"], "threads of the server would not go on")


@pytest.mark.parametrize("name", STATE)
def test_the_keys_of_what_lies_in_the_state(name: str) -> None:
    same(keys(STATE[name]), PINNED["state"][name], "the state in older checkpoints would be read wrong")


def test_a_call_is_sent_to_act_as_before() -> None:
    call = Call(id=call_id(1, "text_to_image"), shot=1, tool="text_to_image", arguments={"prompt": "a"}, needs=[])
    sent = after_review(
        RunState(request={"prompt": "", "seed": 7}, calls=[call], takes={}, verdicts={}), DEFAULT_LIMITS
    )
    tool_task = {"call": call, "attempt": 0, "seed": 7250539295831617069, "inputs": []}
    same(sent, [Send("act", tool_task)], "work that was sent when a run stopped would be lost")
    same(seed_of(7, call, 1), 3809590785442676316, "a run that goes on would draw other pictures than before")


def test_the_ids_of_calls() -> None:
    call = Call(id="1.text_to_image", shot=1, tool="text_to_image", arguments={"prompt": "a"}, needs=[])
    take = Take(artifact=IMAGE, seed=1, attempt=0)
    state = RunState(
        request={"prompt": "", "review": "chat", "seed": 7}, calls=[call], takes={call["id"]: [take]}, rounds={}
    )
    state |= {"choices": {call["id"]: 0}, "verdicts": {IMAGE: {"ok": True, "reason": ""}}}
    moves: list[BoardMove] = [Change(call=call["id"], instruction="make it blue")] * 2 + [Film(clips=(CLIP,))]
    made = [each["id"] for each in play(state, moves, DEFAULT_LIMITS, rules=1)["calls"]]
    same(made, PINNED["call ids"], "calls on older boards would not be found, and seeds would be others")
    newer = [each["id"] for each in play(state, moves, DEFAULT_LIMITS)["calls"]]
    same((newer, MOVE_RULES), ([*made[:1], *made[2:]], 2), "conversations of now would be replayed otherwise")
    same(CALL_ID, "^[0-9]{1,4}[.][a-z_]{4,20}([.][0-9]{1,3})?$", "moves on older boards would be refused")
    same(PRODUCT, "^(image|clip|film)-[0-9a-f]{16}$", "products of older runs could not be named")
    same(config_of(run_row(), DEFAULT_LIMITS)["configurable"], {"thread_id": "r"}, "no checkpoint would be found")


def test_the_arguments_of_calls_that_need_no_agent() -> None:
    breaks = "films and clips on older boards would be cut and arranged otherwise"
    media = Media(kind="clip", media_type=MP4, width=16, height=16, num_frames=4, fps=8.0)
    state = RunState(request={"prompt": "", "review": "chat", "seed": 7}, calls=[], takes={}, rounds={})
    film = play(state, [Film(clips=(CLIP, FILM))], DEFAULT_LIMITS)["calls"][0]
    same([*film["arguments"]], ["pieces"], breaks)
    state["calls"] = [film]
    [dropped] = play(state, [Drop(clips=(CLIP,))], DEFAULT_LIMITS)["calls"]
    same((len(dropped["arguments"]["pieces"]), dropped["arguments"]["dropped"]), (1, [CLIP]), breaks)
    [*_, cut] = play(state, [Trim(clip=CLIP, end=0.25)], DEFAULT_LIMITS, lambda _id: media)["calls"]
    same((cut["id"], cut["arguments"]), ("2.cut_video", {"start": 0.0, "end": 0.25, "clip": CLIP}), breaks)
    given = Upload(product=IMAGE, file="ball.png", fitted="64 x 64", shows="a red ball", notes=("scaled",))
    [shown] = play(RunState(**{**state, "calls": []}), [given], DEFAULT_LIMITS)["calls"]
    asked = {"image": IMAGE, "file": "ball.png", "fitted": "64 x 64", "shows": "a red ball"}
    same((shown["id"], shown["arguments"]), ("1.given_picture", asked), "files in older conversations would be lost")
    same(CUTS, ("start", "end", "speed", "backwards", "times"), breaks)


def run_row() -> Run:
    moment = "2026-01-01T00:00:00+00:00"
    told = {"id": "r", "status": "done", "request": REQUEST, "graph_version": 1}
    return Run.model_validate({**told, "created_at": moment, "updated_at": moment})


def test_a_conversation_in_its_checkpoints(services: Services) -> None:
    request = request_for("embedded", "embedded", seed=7, candidates=1)
    run = start(services, request, {}, unheard)
    question = question_of_run(services, run)
    assert question is not None
    run = answer(services, run.id, question, Answer(said="what can you do", likes=["digital style"]), unheard)
    with services.archive.saver() as saver:
        steps = steps_of(saver, run.id)
    values = {name: sorted(value) if isinstance(value, dict) else "" for name, value in steps[-1].values.items()}
    written = sorted({write.channel for step in steps for write in step.writes})
    asked = next(write.value for step in steps for write in step.writes if write.channel == "__interrupt__")
    told = {"values": values, "written": written, "asked": shape(asked)}
    same(told, PINNED["conversation"], "conversations that wait could not be gone on with")


def test_a_fork_says_what_it_began_with(services: Services) -> None:
    with pytest.raises(AttributeError):  # there is nobody who lends an agent
        start(services, REQUEST, {}, unheard)
    [stopped] = services.archive.runs()
    with pytest.raises(AttributeError):
        fork(services, stopped.id, "1", Changes(seed=8), {}, unheard)
    [forked] = [run for run in services.archive.runs() if run.parent == stopped.id]
    breaks = "forks would not find what they began with"
    same(sorted(forked.settings), ["origin", "planner", "prompts", "rules"], breaks)
    same(sorted(typing.cast(Any, forked.settings[ORIGIN])), ["after", "checkpoint", "run", "state"], breaks)


def shape(value: Any) -> Any:
    """The names in plain JSON, and the kinds of what they hold."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


# Words in run rows and records


def test_the_words_that_are_stored() -> None:
    found = {
        "moves": [move.model_fields["do"].default for move in (*get_args(BoardMove), Wish)],
        "voices": get_args(Heard.model_fields["voice"].annotation),
        "tools": [name for part in get_args(AnyTool) for name in (get_args(part) or [part])],
        "procedures": get_args(Procedural),
        "tasks": get_args(Task),
        "kinds": get_args(Kind),
        "statuses": get_args(RunStatus),
        "reviews": get_args(Request.model_fields["review"].annotation),
        "roles": [name for part in get_args(AnyRole) for name in (get_args(part) or [part])],
        "planners": PLANNERS,
        "profiles": [*PROFILES],
        "systems": [row.profile for row in SYSTEMS],
        "board": BOARD,
        "marks": (SEND, INTERRUPT, PLAIN),
        "marks of products": get_args(Mark),
        "states of turns": get_args(TurnRecord.model_fields["state"].annotation),
    }
    told = json.loads(json.dumps(found))
    same(told, PINNED["words"], "rows and checkpoints of older runs would not be understood")


def test_the_settings_in_a_run_row(services: Services) -> None:
    settings = numerics_of(Settings(_env_file=None))  # type: ignore[call-arg]
    run = new_run(services, REQUEST, services.planner(REQUEST), settings)
    same(
        [*run.settings],
        ["device", "threads", "dtype", "prompts", "planner", "rules"],
        "runs would go on with other numbers",
    )
    same((ORIGIN, THREAD), ("origin", "thread"), "forks, and threads of the server, would not find their beginning")


def test_the_names_of_planners() -> None:
    gguf = PlannerSettings(name="openai", model="m", base_url="http://localhost:1/v1")
    same(make_planner(gguf, EMBEDDED).name, "openai:m", "recorded answers of servers would not be found")
    same(make_planner(PlannerSettings(), EMBEDDED).name, "embedded", "recorded answers would not be found")


@pytest.mark.parametrize("name", RECORDS_OF)
def test_the_fields_of_records(name: str) -> None:
    same(keys(RECORDS_OF[name]), PINNED["fields"][name], f"what is stored of the kind `{name}` could not be read")


def test_a_request_in_a_run_row() -> None:
    full = Request(
        prompt="on", images=(IMAGE,), clips=(CLIP,), task="extend", before=True, motion="new", transitions=True,
        shots=2, seconds=1.5, seed=7, candidates=3, review="ask", profile="paper", planner="openai",
    )  # fmt: skip
    same(REQUEST.model_dump_json(), PINNED["request"], "requests in run rows would be read or compared wrong")
    same(full.model_dump_json(), PINNED["full request"], "requests in run rows would be read or compared wrong")


# What a model is asked


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_of_answers(name: str) -> None:
    found = response_format(SCHEMAS[name])["json_schema"]
    breaks = "recorded answers would not be found, and a run would ask its planner again"
    same(found["name"], name, breaks)
    same(sha256(found), PINNED["schemas"][name], f"{breaks} (or pydantic words schemas otherwise now)")


def test_the_schema_that_is_stored_with_a_question() -> None:
    same(sha256(Answer.model_json_schema()), PINNED["schemas"]["Answer"], "waiting runs would keep another schema")


def test_the_tools_that_a_model_is_given() -> None:
    breaks = "recorded answers of models with tools would not be found"
    found = {tool["function"]["name"]: sha256(tool) for tool in tools()}
    same(found, PINNED["tool schemas"], breaks)
    same([*found], [*PINNED["tool schemas"]], breaks)
    same(digest_of({"tools": list(tools())}), PINNED["tools"], breaks)


def test_no_docstring_is_in_what_a_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    verbs = (TextToImage, EditImage, ImageToVideo, ExtendVideo, EditVideo, ConnectVideos, AssembleFilm)
    asked = (*SCHEMAS.values(), Answer, Tell, *verbs)
    before = [schema.model_json_schema(mode=mode) for schema in asked for mode in ("validation", "serialization")]
    for schema in set().union(*map(models_in, asked)):
        monkeypatch.setattr(schema, "__doc__", "Another docstring.")
    monkeypatch.setattr(Draft, "__doc__", "Another docstring.")
    assert Draft.model_json_schema()["description"] == "Another docstring.", "this test would see no docstring"
    after = [schema.model_json_schema(mode=mode) for schema in asked for mode in ("validation", "serialization")]
    same(after, before, "a docstring could not be changed; say the description with `described`")


def models_in(schema: Any) -> set[type[BaseModel]]:
    """The models in an annotation, and those in their fields."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return {schema}.union(*(models_in(field.annotation) for field in schema.model_fields.values()))
    return set().union(*map(models_in, get_args(schema)))


def test_all_moves_are_looked_at() -> None:
    assert set(get_args(BoardMove)) | {Wish} == models_in(AnyMove) <= models_in(Heard)
    assert models_in(GivenMove) == models_in(AnyMove) | {Upload}
    same([*Upload.model_fields], ["do", "product", "file", "fitted", "shows", "notes"], "stored answers would be lost")


def test_the_prompts_of_the_planner() -> None:
    same(prompts_digest(), PINNED["prompts"], "every run would say that its prompts have changed")


def test_the_questions_of_a_plan_as_they_are_recorded() -> None:
    book, planner = Book(), Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    brief = BRIEF.model_copy(update={"images": ()})
    planner.plan(brief, planner.enhance(brief, book), book)
    found = [(each["purpose"], each["digest"]) for each in book.kept]
    breaks = "recorded answers would not be found, and a run would ask its planner again"
    same([each["request"]["messages"][1]["content"] for each in book.kept], PINNED["questions"], breaks)
    same(found, [("enhance", PINNED["asked"]["enhance"]), ("plan", PINNED["asked"]["plan"])], breaks)


def test_the_question_of_a_turn_as_it_is_recorded(services: Services) -> None:
    run = start(services, request_for("embedded", "embedded", seed=7, candidates=1), {}, unheard)
    question = question_of_run(services, run)
    assert question is not None
    answer(services, run.id, question, Answer(said="what can you do"), unheard)
    [call] = services.archive.llm_calls(run.id)
    breaks = "recorded answers would not be found, and a conversation would ask its planner again"
    same((call.purpose, call.model), ("hear", "embedded"), breaks)
    same(call.request, PINNED["turn"], breaks)
    same(call.digest, PINNED["asked"]["hear"], breaks)


def test_an_answer_that_an_older_version_recorded_is_found(services: Services) -> None:
    run = start(services, request_for("embedded", "embedded", seed=7, candidates=1), {}, unheard)
    question = question_of_run(services, run)
    assert question is not None
    digest = PINNED["asked"]["hear before there were moves that edit films"]
    known = '{"moves": [], "reply": "as it was answered then"}'
    with services.archive.hold(run.id) as lease:
        ArchiveRecorder(services.archive, lease).remember(digest, "embedded", "hear", {}, known)
    answer(services, run.id, question, Answer(said="what can you do"), unheard)
    after = question_of_run(services, services.archive.run(run.id))
    assert after is not None
    same(after.asked["reply"], "as it was answered then", "a turn that was stopped would ask its planner again")


def test_a_brief_as_a_planner_reads_it() -> None:
    breaks = "recorded answers are found by this JSON; give a new field a default and leave it out of the JSON"
    same(BRIEF.model_dump_json(), PINNED["brief"], breaks)
    same(TALK.model_dump_json(exclude_defaults=True), PINNED["talk brief"], breaks)
    same(TALK.model_dump_json(), PINNED["talk brief in full"], breaks)
    same(EnhancedShot(words="a").model_dump_json(), PINNED["shot"], breaks)


# Files, tables and the environment


def test_the_folders_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Archive) -> None:
    monkeypatch.setenv("MORA_HOME", str(tmp_path))
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    bookmarks = services_for(settings, archive).bookmarks
    assert bookmarks is not None
    found = {
        "product": place(tmp_path, "ab" * 32, ".png"),
        "unfinished": typing.cast(Any, bookmarks("0" * 64)).folder,
        "destinations": destinations().folder,
        "shown": tmp_path / SHOWN,
        "typed": tmp_path / HISTORY,
        "likes": tmp_path / FILE,
    }
    told = {name: str(path.relative_to(tmp_path)) for name, path in found.items()}
    same(told, PINNED["home"], "what people have would not be found")
    same(settings.database, f"sqlite:///{tmp_path / 'mora.db'}", "all runs would seem lost")
    assert signer_of(settings) is not None
    found_files = sorted(path.name for path in (tmp_path / "signing").iterdir())
    same(found_files, PINNED["signing"], "films would be signed by somebody else from now on")
    bookmark = Bookmarks(tmp_path / "unfinished", 0).of("0" * 64)
    bookmark.save(b"state")
    [kept] = bookmark.folder.iterdir()
    same(kept.name, PINNED["bookmark"], "unfinished calls would begin anew")


def test_the_names_in_a_run_in_a_file() -> None:
    found = (FORMAT, VERSION, MANIFEST, RECORDS, ARTIFACTS)
    same(found, ("mora-run", 1, "manifest.json", "records.json", "artifacts/"), "exported runs could not be imported")
    same(WITH_TURNS, 2, "exported conversations could not be imported")


def test_the_variables_of_the_environment() -> None:
    found = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        found += list(alias.choices) if isinstance(alias, AliasChoices) else [f"MORA_{name.upper()}"]
    assert Settings.model_config["env_prefix"] == "MORA_"
    same(found, PINNED["variables"], "what people have set would be overlooked")


def test_the_tables_of_the_database(archive: Archive) -> None:
    breaks = "stores that are there could not be read; a change of tables is a migration"
    declared = {
        table.name: {
            "columns": [column.name for column in table.columns],
            "indexes": sorted(str(index.name) for index in table.indexes),
        }
        for table in Base.metadata.sorted_tables
    }
    same(dict(sorted(declared.items())), PINNED["tables"], breaks)
    with closing(sqlite3.connect(archive.url.removeprefix("sqlite:///"))) as connection:
        [(revision,)] = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()
        for table, told in declared.items():
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
            same([name for (name,) in rows], told["columns"], breaks)
    same((VERSION_TABLE, revision), ("alembic_version", PINNED["revision"]), breaks)


def test_the_codes_that_commands_end_with() -> None:
    same((BUG, MISTAKE, WAITING, INTERRUPTED), (1, 2, 3, 130), "scripts of people would misread what came of a command")


# The manifest of a film


def test_the_manifest_of_a_film() -> None:
    upload = {"id": IMAGE, "sha256": "1" * 64, "agent": "upload"}
    film = {"id": FILM, "sha256": "3" * 64, "agent": "assemble_film", "parents": (IMAGE,), "spec": {"fps": "8"}}
    image_media = Media(kind="image", media_type=PNG, width=16, height=16)
    film_media = Media(kind="film", media_type=MP4, width=16, height=16, num_frames=4, fps=8.0)
    statement = Statement(
        software="Mora 0.1.0", run="r", task="image-to-video", request=REQUEST, said=("on",), planner="embedded",
        prompts="p", works=(Work(media=image_media, **upload), Work(media=film_media, **film)), begun="b", ended="e",
        shots=({"words": "a"},),
    )  # fmt: skip
    breaks = "films that were handed out could not be verified"
    same((LABEL, STATEMENT_VERSION), ("org.mora.run", 1), breaks)
    same(manifest_of(statement), PINNED["manifest"], breaks)
