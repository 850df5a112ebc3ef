"""Starts conversations, with an empty board or with the products of another run, and gives up a stopped turn."""

from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from graph.errors import RequestError
from graph.machine.build import build
from graph.runs.driver import config_of, outcome_recorded
from graph.runs.history import ORIGIN, checkpoints_of, state_of
from graph.runs.observer import Observer
from graph.runs.requests.options import RequestOptions
from graph.runs.requests.resolve import request_of
from graph.runs.runner import new_run, refuse_other_graph, start
from graph.runs.services import Services
from graph.runs.turns import turn_given_up
from graph.state import read
from graph.state.apply import play
from graph.state.channels import Call, Limits, RunState, Take, Turn
from graph.state.film import film_of
from graph.state.moves import Undo
from graph.state.takes import chosen
from memory.records import Request, Run
from memory.retention.collect import remove_if_empty

if TYPE_CHECKING:
    from memory.archive import Archive


BOARD = ("calls", "takes", "verdicts", "rounds", "choices")
"""The state channels that a conversation takes over from another run."""


def request_for(
    profile: str, planner: str, *, seed: int | None, candidates: int, liked_seed: int | None = None
) -> Request:
    """Return the request of a conversation, whose prompt is empty because the words come line by line.

    seed: None takes `liked_seed`, or draws one if that is None too. Raises RequestError for a seed out of range.
    """
    options = RequestOptions(review="chat", seed=seed, candidates=candidates)
    return request_of(options, RequestOptions(prompt="", profile=profile, planner=planner, seed=liked_seed))


def new_chat(services: Services, request: Request, settings: dict[str, JsonValue], observer: Observer) -> Run:
    """Start a conversation with an empty board; it waits for the first words."""
    return start(services, request, settings, observer)


def chat_about(services: Services, parent: Run, settings: dict[str, JsonValue]) -> Run:
    """Create a conversation whose board begins with the products of `parent`; `resume` drives it to its first question.

    Raises RequestError for a run without a plan.
    """
    refuse_other_graph(parent, "chat about")
    known = RunState(**state_of(services.archive, parent))  # type: ignore[typeddict-item]
    if not known.get("calls"):
        raise RequestError(
            "run-without-plan",
            f"Run {parent.id} has no plan yet; resume it first, or begin a new conversation.",
            run=parent.id,
        )
    request = parent.request.model_copy(update={"prompt": "", "review": "chat", "images": (), "clips": ()})
    origin: dict[str, Any] = {
        "run": parent.id,
        "checkpoint": checkpoints_of(services.archive, parent)[-1]["id"],
        "after": "think",
        "state": board_of(known, parent, services.limits),
    }
    stored = {**settings, **{name: parent.settings[name] for name in settings if name in parent.settings}}
    return new_run(services, request, services.planner(request), {**stored, ORIGIN: origin}, parent=parent.id)


def board_of(state: RunState, run: Run, limits: Limits) -> dict[str, Any]:
    """Return the board that a conversation takes over: the chosen takes stay chosen, and the film becomes a product."""
    board: dict[str, Any] = {name: state[name] for name in BOARD if name in state}  # type: ignore[literal-required]
    standing = {call["id"]: chosen(state, call["id"], limits) for call in read.calls(state)}
    choices = {call: take["attempt"] for call, take in standing.items() if take is not None}
    board["choices"] = {**board.get("choices", {}), **choices}
    if run.film is not None:
        film, take = _film_call(state, run.film, limits)
        board["calls"] = [*board["calls"], film]
        board["takes"] = {**board["takes"], film["id"]: [take]}
        board["choices"][film["id"]] = take["attempt"]
        board["verdicts"] = {**board.get("verdicts", {}), run.film: {"ok": True, "reason": ""}}
    return board


def _film_call(state: RunState, film: str, limits: Limits) -> tuple[Call, Take]:
    """Return the film as the take of a call of its own."""
    pieces = film_of(read.calls(state))
    shot = 1 + max(call["shot"] for call in read.calls(state))
    arguments = {"pieces": [vars(piece) for piece in pieces]}
    needs = [piece.call for piece in pieces if piece.call]
    inputs = []
    for piece in pieces:
        take = chosen(state, piece.call, limits) if piece.call else None
        inputs.append(take["artifact"] if take else str(piece.artifact))
    call = Call(id=f"{shot}.assemble_film", shot=shot, tool="assemble_film", arguments=arguments, needs=needs)
    return call, Take(artifact=film, seed=read.request(state).seed, attempt=0, inputs=inputs, asked=arguments)


def give_up_turn(services: Services, run_id: str) -> None:
    """Take back the turn in which a conversation stopped; `resume` then reaches a question. Products are kept.

    Raises RequestError for a run that is not in the middle of a turn.
    """
    with services.archive.hold(run_id) as lease, services.archive.saver(lease) as saver:
        run = services.archive.run(run_id)
        graph, config = build(saver, limits=services.limits), config_of(run, services.limits)
        state: RunState = graph.get_state(config).values  # type: ignore[assignment]
        if run.request.review == "never" or read.turn(state) is None:
            raise RequestError("run-not-in-turn", f"Run {run.id} is not in the middle of a turn.", run=run.id)
        back = play(state, [Undo()], services.limits) if read.current_turn(state).get("changed") else RunState()
        ended = Turn(said=None, moves=[], round=read.current_turn(state)["round"], open=False, reply=None)
        with outcome_recorded(services.archive, lease):
            graph.update_state(config, {**back, "turn": ended}, as_node="think")
        turn_given_up(services, lease)


def last_chat(archive: "Archive") -> Run | None:
    """Return the newest conversation that can be continued, or None."""
    chats = (run for run in archive.runs() if run.request.review == "chat")
    return max(chats, key=lambda run: run.updated_at, default=None)


def removed_if_empty(services: Services, run: Run) -> bool:
    """Remove a conversation in which nothing was said and nothing made; return whether it was removed."""
    return run.request.review == "chat" and remove_if_empty(services.archive, run.id)


def opened(
    services: Services, asked: Run | None, request: Request, settings: dict[str, JsonValue], observer: Observer
) -> Run:
    """Return `asked` if it is an open conversation, else a new one: about `asked`, or empty if that is None."""
    if asked is None:
        return new_chat(services, request, settings, observer)
    if asked.request.review == "never" or asked.status == "done":
        return chat_about(services, asked, settings)
    return asked
