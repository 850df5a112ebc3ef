"""Have a planner interpret a message of the user as moves, text or both.

A model that can call tools is given the moves as tools; any other answers by a schema. Either way moves are accepted
only if they refer to calls on the board and products in the store, and a model's own text is never taken as evidence.
"""

import json
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import Field, TypeAdapter, ValidationError

from graph.planners.grounding import without_false_claims
from graph.planners.planner import Planner
from graph.planners.ports import Recorder, ToolsRefused
from graph.planners.structured import (
    MAX_FAULTS_TOLD,
    Question,
    answered_with_tools,
    ask_until_usable,
    calls_tools,
    digest_of,
    request_with_tools,
    response_format,
)
from graph.planning.brief import ArtifactLookup
from graph.planning.profiles import Profile
from graph.planning.prompts import read_prompt
from graph.planning.summary import board_summary, making_summary
from graph.planning.turn import Heard, TalkBrief, talk_brief
from graph.state import read
from graph.state.channels import Limits, RunState
from graph.state.moves import PRODUCT, AnyMove, BoardMove, Choose, Wish, products_of
from graph.state.products import Board, Product, inline_list, numbers_of
from graph.state.takes import takes_of
from graph.state.values import Draft
from memory.errors import UnknownArtifact
from tools.arguments import described
from tools.registry import TOOLS

log = logging.getLogger(__name__)

PRODUCTS = ("image", "clip", "first", "second", "film")
"""Arguments that name a product. Models see its number, which they copy more reliably than an id; both are accepted."""
_NUMBERED: dict[str, Any] = {
    "description": "Number of a product; or, of one that has none here, its id",
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": PRODUCT}],
}
EARLIER_TOOLS = ("ea45f2405230f6d6e4d9046174ce9cb7793ba0f7cb3144ef5c9bf3d037a25d85",)
"""Digests of the tools before a move was added, newest first: a turn that stopped then finds its answer."""
MOST_CALLS = 8
"""The maximum number of tool calls in one answer."""


class Tell(Draft):
    """Have Mora report what is on the board (`board`), or how products were made (`done`)."""

    model_config = described(
        "Mora tells the person what there is (`board`), or how products were made (`done`; of those numbers, or the\n"
        "latest). Call this whenever they ask: only Mora knows."
    )

    do: Literal["tell"] = "tell"
    about: Literal["board", "done"] = "board"
    numbers: list[int] = Field(default=[], max_length=20)


_MOVE = TypeAdapter[AnyMove](AnyMove)
_MOVES = {move.model_fields["do"].default: move for move in (*get_args(BoardMove), Wish)}


@cache
def tools() -> tuple[dict[str, Any], ...]:
    """Return the moves as tools in the OpenAI format."""
    return tuple(_tool(model) for model in (*_MOVES.values(), Tell))


def _tool(model: Any) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    schema["properties"].pop("do")
    for name, field in schema["properties"].items():
        if name in PRODUCTS:
            schema["properties"][name] = _NUMBERED
        elif name == "clips":
            field["items"] = _NUMBERED
    schema.pop("title", None)
    about = " ".join(schema.pop("description").split())
    name = model.model_fields["do"].default
    return {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}


def interpret_message(
    planner: Planner, state: RunState, limits: Limits, record: Recorder, lookup: ArtifactLookup
) -> Heard:
    """Interpret the message of the turn. Raises PlannerError if no answer is usable or the model cannot be used."""
    board, brief = Board(state, limits), talk_brief(state, limits)
    question = Question(
        "hear",
        "say it more simply, or use a slash command.",
        request=lambda messages: _request(planner.name, messages),
        answer=lambda messages: _answer_text(planner, messages),
        read=lambda text: _parse_answer(text, state, brief, planner.profile, lookup),
        fault_messages=_fault_messages,
        earlier=lambda messages: [_request(planner.name, messages, digest) for digest in EARLIER_TOOLS],
    )
    interpretation = ask_until_usable(
        question, _messages(planner.profile, state, board, brief), name=planner.name, record=record
    )
    return _grounded(interpretation, state, board)


def _fault_messages(text: str, fault: str) -> list[BaseMessage]:
    return [AIMessage(text), HumanMessage(f"That could not be used: {fault}. Answer again, corrected.")]


def _messages(profile: Profile, state: RunState, board: Board, brief: TalkBrief) -> list[BaseMessage]:
    """Return the question, followed by the calls of this turn so far with their results."""
    asked: list[BaseMessage] = [
        SystemMessage(f"{read_prompt('talk')}\n\n{profile.paragraph}"),
        HumanMessage(brief.model_dump_json(exclude_defaults=True)),
    ]
    rounds = read.current_turn(state).get("done", [])
    for number, moves in enumerate(rounds):
        calls: list[Any] = [
            {"id": f"call_{number}_{place}", "name": move["do"], "args": _arguments(move), "type": "tool_call"}
            for place, move in enumerate(moves)
        ]
        if calls:
            asked.append(AIMessage("", tool_calls=calls))
            made = _made(board, state) if number == len(rounds) - 1 else []
            asked += [ToolMessage(f"Done. {_result(made)}", tool_call_id=call["id"]) for call in calls]
    return asked


def _arguments(move: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in move.items() if name != "do" and value is not None}


def _made(board: Board, state: RunState) -> list[Product]:
    """Return the products made so far in this turn."""
    known = read.current_turn(state).get("known", 0)
    return [thing for thing in board.things if thing.number > known]


def _result(made: Sequence[Product]) -> str:
    return f"Made in this turn: {inline_list(made)}." if made else "Nothing was made yet."


def _request(name: str, messages: list[BaseMessage], tools_digest: str | None = None) -> dict[str, Any]:
    """Return the record of a question, with the system message and the tools replaced by their digests."""
    return request_with_tools(name, {"name": Heard.__name__, "digest": tools_digest or _tools_digest()}, messages)


@cache
def _tools_digest() -> str:
    return digest_of({"tools": list(tools())})


def _answer_text(planner: Planner, messages: list[BaseMessage]) -> str:
    """Return the model's answer as JSON: its text and calls, or a `Heard` from a model without tools."""
    if calls_tools(planner.model):
        try:
            return answered_with_tools(
                planner.model, tools(), messages, "hear", planner.patience, schema=Heard.__name__
            )
        except ToolsRefused as refused:
            log.warning("%s takes no tools, and is asked by a schema: %s", planner.name, refused)
    bound = planner.model.bind(response_format=response_format(Heard))
    return str(planner.patience(lambda: bound.invoke(messages, config={"run_name": "hear"})).text)


def _parse_answer(
    text: str, state: RunState, brief: TalkBrief, profile: Profile, lookup: ArtifactLookup
) -> tuple[Heard | None, str]:
    """Parse an answer. Returns the interpretation, or None and the fault."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None, "it is no JSON object"
    if not isinstance(answer, dict) or "calls" not in answer:
        return _parse_by_schema(text, state, profile, lookup)
    moves, tells, faults = list[AnyMove](), list[Tell](), list[str]()
    ids = {number: artifact for artifact, number in numbers_of(state).items()}
    for call in answer["calls"]:
        try:
            read = _move(call, ids)
        except (ValidationError, ValueError) as error:
            faults.append(f"{call.get('name')}: {_first_fault(error)}")
            continue
        if isinstance(read, Tell):
            tells.append(read)
        else:
            moves.append(read)
    faults += [fault for move in moves if (fault := fault_of(move, state, profile, lookup))]
    if len(answer["calls"]) > MOST_CALLS:
        faults.append(f"{len(answer['calls'])} calls at once are too many, at most {MOST_CALLS} are taken")
    words = str(answer.get("text") or "").strip()
    if not answer["calls"] and not words:
        faults.append("it neither calls a tool nor says anything")
    if faults:
        return None, "; ".join(faults[:MAX_FAULTS_TOLD])
    if tells:
        return Heard(moves=tuple(moves), reply=" ".join(_report(tell, brief) for tell in tells)), ""
    # Text beside calls is dropped, because it describes products that do not exist yet.
    return Heard(moves=tuple(moves), reply=None if moves else words, voice="planner", open=bool(moves)), ""


def _parse_by_schema(text: str, state: RunState, profile: Profile, lookup: ArtifactLookup) -> tuple[Heard | None, str]:
    try:
        interpretation = Heard.model_validate_json(text)
    except ValidationError as error:
        return None, _first_fault(error)
    fault = next((fault for move in interpretation.moves if (fault := fault_of(move, state, profile, lookup))), "")
    return (None, fault) if fault else (interpretation, "")


def _move(call: dict[str, Any], ids: dict[int, str]) -> AnyMove | Tell:
    name, given = call.get("name"), call.get("args")
    if call.get("broken") or not isinstance(given, dict):
        raise ValueError("its arguments are no JSON object")
    if name == "tell":
        return Tell.model_validate(given)
    if name not in _MOVES:
        raise ValueError(f"there is no such tool; there are {', '.join([*_MOVES, 'tell'])}")
    return _MOVE.validate_python({**_with_ids(given, ids), "do": name})


def _with_ids(given: dict[str, Any], ids: dict[int, str]) -> dict[str, Any]:
    """Return the arguments with product numbers replaced by ids. Raises ValueError for an unknown number."""

    def id_of(named: Any) -> Any:
        if isinstance(named, bool) or not isinstance(named, int | str) or not str(named).isdecimal():
            return named
        if int(named) not in ids:
            raise ValueError(f"there is no number {named}")
        return ids[int(named)]

    single = {name: id_of(given[name]) for name in PRODUCTS if name in given}
    clips = given.get("clips")
    return {**given, **single, **({"clips": [id_of(each) for each in clips]} if isinstance(clips, list) else {})}


def _first_fault(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}"


def _report(tell: Tell, brief: TalkBrief) -> str:
    if tell.about == "board":
        return board_summary(brief.things, brief.stale)
    return making_summary(brief, [thing for thing in brief.things if thing.number in tell.numbers])


def fault_of(move: AnyMove, state: RunState, profile: Profile, lookup: ArtifactLookup) -> str | None:
    """Return a sentence on what a move refers to that does not exist, or that the models cannot draw; else None."""
    call = getattr(move, "call", None)
    if call is not None and call not in {each["id"] for each in read.calls(state)}:
        return f"there is no call {call} on the board"
    if isinstance(move, Choose) and not 1 <= move.take <= len(takes_of(state, move.call)):
        return f"{move.call} has {len(takes_of(state, move.call))} takes, and no take {move.take}"
    for product in products_of(move):
        try:
            lookup.artifact(product)
        except UnknownArtifact:
            return f"there is no product {product}"
    return _words_fault(move, state, profile)


def _words_fault(move: AnyMove, state: RunState, profile: Profile) -> str | None:
    instruction, motion = getattr(move, "instruction", None), getattr(move, "prompt", None)
    if move.do != "reword":
        return profile.shot_fault(None, motion, instruction)
    field = next(TOOLS[call["tool"]].told for call in read.calls(state) if call["id"] == move.call)
    if field == "edit":
        return profile.shot_fault(None, None, move.words)
    return profile.check_picture(move.words) if field == "picture" else profile.check_motion(move.words)


def _grounded(interpretation: Heard, state: RunState, board: Board) -> Heard:
    """Check a model's own text against the store; other replies are returned unchanged."""
    if interpretation.voice != "planner" or interpretation.reply is None:
        return interpretation
    reply = without_false_claims(interpretation.reply, board.things, _made(board, state))
    return interpretation.model_copy(update={"reply": reply})
