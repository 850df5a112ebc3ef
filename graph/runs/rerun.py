"""A run once more, from what is recorded: the same map, the same answers of planner and person, the same products.

The checkpoints of the rerun are its own, in memory: nothing of the run is changed. Who may work is said by `agents`.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from graph.machine.build import Map, build
from graph.machine.context import Context
from graph.planners.recorded import recorded_planner
from graph.runs.history import answers_of, begin, made_by, places_of, state_of
from memory.checkpoints.saver import plain_serializer
from memory.errors import DamagedArtifact
from memory.leases import Lease
from memory.recorded import Agents, Recorded, Remade
from memory.records import Artifact, Run
from tools.context import Identity, Lender, ToolContext

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from graph.runs.services import Hear, Services


@dataclass(frozen=True)
class Rerun:
    """What came of it. film: the one it ends with, None if it did not get there; made: ids of all takes, and of it.

    remade: what agents made again. stopped: why it did not get to its end, one sentence.
    """

    film: Artifact | None
    made: tuple[str, ...]
    remade: tuple[Remade, ...]
    stopped: str | None = None


def rerun(
    services: "Services",
    run: Run,
    hear: "Hear",
    *,
    agents: Agents = "none",
    lease: Lease | None = None,
    enough: Callable[[Mapping[str, Remade]], bool] = lambda _remade: False,
) -> Rerun:
    """The run from its beginning to its film, or to the question that it waits at.

    agents: `none` takes every product from the store; `missing` makes those again whose file is lost or damaged, puts
    them back under `lease` (of any run), and stops when `enough` says so of what was made; `fresh` makes everything
    again, compares, and stores nothing. Raises DamagedArtifact for a product that is needed and cannot be had,
    PlannerError for a question that was never answered, OtherBytes, AgentError, Stopped.
    """
    with _desk(services, run, agents, lease) as (archive, context):
        graph = build(InMemorySaver(serde=plain_serializer()), limits=services.limits)
        config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": services.limits.supersteps}
        stopped = None
        try:
            for part in _parts(graph, config, context, run, answers_of(services.archive, run)):
                hear({"kind": part["type"], "told": part["data"]})
                context.stop_if_asked()
                if enough(archive.remade):
                    break
        except DamagedArtifact as error:
            if agents != "fresh":
                raise
            stopped = str(error)
        state = graph.get_state(config).values
        film = archive.artifact(state["film"]) if "film" in state else None
        return Rerun(film, made_by(state), tuple(archive.remade.values()), stopped)


def _parts(
    graph: Map, config: "RunnableConfig", context: Context, run: Run, answers: list[Any]
) -> Iterator[Mapping[str, Any]]:
    """What the graph tells, question after question, until there are no more answers."""
    given: Any = begin(graph, config, run)
    while True:
        for part in graph.stream(given, config, context=context, stream_mode=["custom", "updates"], version="v2"):
            if "__interrupt__" not in part["data"]:
                yield part
        waiting = graph.get_state(config).interrupts
        if not waiting or not answers:
            return
        given = Command(resume={waiting[0].id: answers.pop(0)})


@contextmanager
def _desk(services: "Services", run: Run, agents: Agents, lease: Lease | None) -> Iterator[tuple[Recorded, Context]]:
    """The archive as the run knows it, and what the nodes work with. Nobody holds the lease of what is not written."""
    known = services.archive.artifacts(run.id)
    places = places_of({**state_of(services.archive, run), **({"film": run.film} if run.film else {})}, known)
    with tempfile.TemporaryDirectory(prefix="mora-") as scratch:
        archive = Recorded(services.archive, run, agents, places=places, scratch=Path(scratch), lease=lease)
        nobody = Lease(run=run.id, owner="", fence=0)
        lender: Lender = _Nobody() if agents == "none" else services.lender(run.settings)
        # What is made for comparison begins at its beginning.
        bookmarks = services.bookmarks if agents == "missing" else None
        tool_context = ToolContext(
            lender, archive, nobody, services.size, services.fps, services.num_frames, bookmarks=bookmarks
        )
        yield (
            archive,
            Context(recorded_planner(archive, run), archive, nobody, tool_context, services.limits, services.stop),
        )


@dataclass(frozen=True)
class _NoIdentity:
    weights: str = "recorded"
    numerics: str = "recorded"


class _Nobody:
    """Lends nobody: whatever is asked for is in the store, by what was asked and not by who would make it."""

    def identity(self, _role: str) -> Identity:
        return _NoIdentity()

    def lend(self, role: str) -> Any:
        raise AssertionError(f"a rerun without agents asked for {role}")
