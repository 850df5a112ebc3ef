"""What a run has behind it: its checkpoints, the person's answers, and which step each of its products is of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.serde.types import RESUME

from memory.records import Artifact, Run

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from graph.build import Map
    from graph.state import RunState
    from memory.archive import Archive
    from memory.recorded import Place

ORIGIN = "origin"
"""Where the settings of a fork keep what it began with: the checkpoint, the node after which it goes on, the state."""


@dataclass(frozen=True)
class Checkpoint:
    """A moment of a run. number: from 1, the oldest first. after: the step that had just ended, None at the beginning.

    made: ids of all takes, and of the film, that there were; new: those that the step had added.
    """

    number: int
    id: str
    at: str
    after: str | None
    made: tuple[str, ...]
    new: tuple[str, ...]
    state: "RunState"


def thread_of(run: Run) -> "RunnableConfig":
    """The run's thread as a saver and a graph know it."""
    return {"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}


def state_of(archive: "Archive", run: Run) -> dict[str, Any]:
    """The channel values of the run's newest checkpoint; {} if there is none."""
    with archive.saver() as saver:
        found = saver.get_tuple(thread_of(run))
    return dict(found.checkpoint["channel_values"]) if found else {}


def answers_of(archive: "Archive", run: Run) -> list[Any]:
    """What the person answered to each question of the run, in order."""
    with archive.saver() as saver:
        known: list[CheckpointTuple] = list(saver.list(thread_of(run)))
    return [
        answer
        for found in reversed(known)
        for _task, channel, answers in found.pending_writes or ()
        if channel == RESUME
        for answer in answers
    ]


def checkpoints(archive: "Archive", run: Run) -> list[Checkpoint]:
    """All checkpoints of the run, oldest first."""
    from graph.build import build

    with archive.saver() as saver:
        known = list(build(saver).get_state_history(thread_of(run)))[::-1]
    begun = origin_of(run).get("after")
    after = [begun, *("+".join(dict.fromkeys(before.next)) or None for before, _ in pairwise(known))]
    found: list[Checkpoint] = []
    for number, (snapshot, node) in enumerate(zip(known, after, strict=True), 1):
        state: RunState = snapshot.values  # type: ignore[assignment]
        made, before = made_by(state), found[-1].made if found else ()
        new = tuple(one for one in made if one not in before)
        id, at = str(snapshot.config["configurable"]["checkpoint_id"]), str(snapshot.created_at)
        found.append(Checkpoint(number, id, at, None if node == "__start__" else node, made, new, state))
    return found


def made_by(state: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of all takes in a state, and of the film."""
    takes = [take["artifact"] for each in state.get("takes", {}).values() for take in each]
    return tuple(dict.fromkeys([*takes, *([state["film"]] if "film" in state else [])]))


def origin_of(run: Run) -> dict[str, Any]:
    """What a fork began with: `run`, `checkpoint`, `after`, `state`; {} for a run that began with its request."""
    origin = run.settings.get(ORIGIN)
    return origin if isinstance(origin, dict) else {}


def begin(graph: "Map", config: "RunnableConfig", run: Run) -> "RunState | None":
    """The input of a run without a checkpoint: its request. A fork's thread is put where it goes on, then it is None."""
    request, origin = run.request.model_dump(mode="json"), origin_of(run)
    state: dict[str, Any] = {"notes": [], **origin.get("state", {}), "request": request}
    if origin.get("after") is None:
        return cast("RunState", state)
    graph.update_state(config, state, as_node=origin["after"])
    return None


def places_of(state: Mapping[str, Any], artifacts: Iterable[Artifact]) -> dict[str, "Place"]:
    """By id, of which step each product is: of the call whose take it is, or whose take was made from it."""
    from memory.recorded import Place

    shots = {call["id"]: call["shot"] for call in state.get("calls", [])}
    found = {
        take["artifact"]: Place(call, shots.get(call, int(call.split(".")[0])), take["attempt"])
        for call, takes in state.get("takes", {}).items()
        for take in takes
    }
    if "film" in state:
        found.setdefault(state["film"], Place("assemble_film"))
    for artifact in reversed(list(artifacts)):  # children come after what they were made from
        if artifact.id in found:
            for parent in artifact.parents:
                found.setdefault(parent, found[artifact.id])
    return found
