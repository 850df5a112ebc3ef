"""Runs a recorded run again: the same graph, with the recorded answers of planner and person and the stored products.

The rerun keeps its checkpoints in memory and changes nothing of the run. `agents` says which products are generated.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver

from graph.machine.build import build
from graph.machine.context import Context
from graph.planners.recorded import recorded_planner
from graph.runs.driver import drive
from graph.runs.history import answers_of, begin, made_by, places_of, rules_of, state_of
from graph.runs.observer import Observer
from graph.runs.services import Services, tool_context_of
from graph.state import read
from memory.checkpoints.saver import plain_serializer
from memory.errors import DamagedArtifact
from memory.leases import Lease
from memory.recorded import Agents, Recorded, Remade
from memory.records import Artifact, Run
from tools.context import Identity, Lender

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


@dataclass(frozen=True)
class Rerun:
    """The outcome of a rerun. film: None if it did not get that far; made: ids of all takes, and of the film.

    remade: what agents generated again. stopped: why it did not reach its end, one sentence.
    """

    film: Artifact | None
    made: tuple[str, ...]
    remade: tuple[Remade, ...]
    stopped: str | None = None


def rerun(
    services: Services,
    run: Run,
    observer: Observer,
    *,
    agents: Agents = "none",
    lease: Lease | None = None,
    enough: Callable[[Mapping[str, Remade]], bool] = lambda _remade: False,
) -> Rerun:
    """Run it again from its beginning to its film, or to the question that it waits at.

    agents: `none` takes every product from the store; `missing` regenerates those whose file is lost or damaged, stores
    them under `lease` (of any run), and stops once `enough` of the remade products is True; `fresh` regenerates
    everything, compares, and stores nothing. Raises DamagedArtifact for a required product that is not available,
    PlannerError for a question that was never answered, OtherBytes, AgentError, Stopped.
    """
    with _recorded_context(services, run, agents, lease) as (archive, context):
        graph = build(InMemorySaver(serde=plain_serializer()), limits=services.limits)
        config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": services.limits.supersteps}
        stopped = None
        try:
            drive(
                graph,
                config,
                context,
                observer,
                begin(graph, config, run),
                answers=answers_of(services.archive, run),
                enough=lambda: enough(archive.remade),
            )
        except DamagedArtifact as error:
            if agents != "fresh":
                raise
            stopped = str(error)
        state = graph.get_state(config).values
        film_id = read.film(state)
        film = None if film_id is None else archive.artifact(film_id)
        return Rerun(film, made_by(state), tuple(archive.remade.values()), stopped)


@contextmanager
def _recorded_context(
    services: Services, run: Run, agents: Agents, lease: Lease | None
) -> Iterator[tuple[Recorded, Context]]:
    """Give the recorded archive of the run and the context of its nodes; nothing is written, so no lease is held."""
    known = services.archive.artifacts(run.id)
    places = places_of({**state_of(services.archive, run), **({"film": run.film} if run.film else {})}, known)
    with tempfile.TemporaryDirectory(prefix="mora-") as scratch:
        archive = Recorded(services.archive, run, agents, places=places, scratch=Path(scratch), lease=lease)
        no_lease = Lease(run=run.id, owner="", fence=0)
        lender: Lender = _NoAgents() if agents == "none" else services.lender(run.settings)
        # A comparison must generate from the first step, not from a bookmark.
        bookmarks = services.bookmarks if agents == "missing" else None
        tool_context = tool_context_of(services, lender, archive, no_lease, bookmarks=bookmarks)
        yield (
            archive,
            Context(
                recorded_planner(archive, run),
                archive,
                no_lease,
                tool_context,
                services.limits,
                services.stop,
                rules_of(run),
            ),
        )


@dataclass(frozen=True)
class _RecordedIdentity:
    weights: str = "recorded"
    numerics: str = "recorded"


class _NoAgents:
    """A lender without agents: every product is found in the store by its spec, whichever agent would make it."""

    def identity(self, _role: str) -> Identity:
        return _RecordedIdentity()

    def lend(self, role: str) -> Any:
        raise AssertionError(f"a rerun without agents asked for {role}")
