"""A run once more, from what is recorded: the same map, the same answers of planner and person, the same products.

The checkpoints of the rerun are its own, in memory: nothing of the run is changed. Who may work is said by `agents`.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from graph.build import Map, build
from graph.errors import PlannerError, RequestError
from graph.history import answers_of, begin, made_by, places_of
from graph.planners import Planner
from graph.profiles import PROFILES
from graph.state import Context
from graph.telling import state_of
from memory.checkpoints.saver import plain_serializer
from memory.errors import DamagedArtifact, OtherBytes
from memory.leases import Lease
from memory.recorded import Agents, Place, Recorded, Remade
from memory.records import Artifact, LlmCall, Run
from tools.context import Identity, Lender, Studio

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from graph.house import Hear, Rooms

__all__ = ["Agents", "Place", "Remade", "Rerun", "mend", "rerun", "sound", "tell_made_again", "whole"]

Answered = dict[tuple[str, str], str]
"""A planner's answers by the schema and the question, which is what a person asked for and not how Mora puts it."""


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
    rooms: "Rooms",
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
    with _desk(rooms, run, agents, lease) as (archive, context):
        graph = build(InMemorySaver(serde=plain_serializer()), limits=rooms.limits)
        config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": rooms.limits.supersteps}
        stopped = None
        try:
            for part in _parts(graph, config, context, run, answers_of(rooms.archive, run)):
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


def mend(rooms: "Rooms", artifact_id: str, lease: Lease, hear: "Hear") -> None:
    """Makes a product whose file is lost or damaged again, to the same bytes, as the run that made it did.

    The work is on the account of the run of `lease`. Raises DamagedArtifact with one sentence if nobody can make it
    (a person gave it, or what made it is not here any more), OtherBytes, AgentError, Stopped.
    """
    archive, why = rooms.archive, "no run that is here has made it"
    artifact = archive.artifact(artifact_id)
    for run in archive.keepers(artifact.id):
        if archive.find(artifact.recipe) is not None:
            return
        try:
            rerun(
                rooms, run, _progress_only(hear), agents="missing", lease=lease, enough=lambda done: artifact.id in done
            )
        except (DamagedArtifact, PlannerError, RequestError) as error:
            why = str(error)
    if archive.find(artifact.recipe) is None:
        if artifact.recipe.agent == "upload":
            archive.read(artifact)
        raise DamagedArtifact(f"{artifact.id} is lost or damaged and cannot be made again: {why}", artifact.id)


def sound(rooms: "Rooms", artifact_id: str, lease: Lease, hear: "Hear") -> Artifact:
    """The artifact, its file made again first, and told, if it is lost or damaged. Raises as `mend`."""
    artifact, begun = rooms.archive.artifact(artifact_id), datetime.now(UTC)
    if rooms.archive.find(artifact.recipe) is None:
        mend(rooms, artifact.id, lease, hear)
        tell_made_again(rooms, lease, begun, hear)
    return artifact


def whole(rooms: "Rooms", run: Run, lease: Lease, hear: "Hear") -> None:
    """Every product of a run that stands still, its file made again first, and told, if it is lost or damaged.

    What nobody can make again is told too, and raised as by `mend` if it is the film.
    """
    begun, lost = datetime.now(UTC), []
    for artifact in rooms.archive.artifacts(run.id):
        if rooms.archive.find(artifact.recipe) is None:
            try:
                mend(rooms, artifact.id, lease, hear)
            except (DamagedArtifact, OtherBytes) as error:
                if artifact.id == run.film:
                    raise
                lost.append(str(error))
    tell_made_again(rooms, lease, begun, hear, *lost)


def tell_made_again(rooms: "Rooms", lease: Lease, since: datetime, hear: "Hear", *more: str) -> None:
    """A note for each product that the run of `lease` made again since then, though it was there once; and `more`."""
    notes = [
        f"{artifact.id} was missing or damaged in the store; it was made again, to the same bytes."
        for artifact in rooms.archive.made_again(lease.run, since)
    ]
    if notes or more:
        hear({"kind": "updates", "told": {"mend": {"notes": [*notes, *more]}}})


def _progress_only(hear: "Hear") -> "Hear":
    """Without the notes, which were told when the run was made, and without the products that were there."""

    def heard(told: dict[str, Any]) -> None:
        if told["kind"] == "custom" and told["told"].get("called") is not False:
            hear(told)

    return heard


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
def _desk(rooms: "Rooms", run: Run, agents: Agents, lease: Lease | None) -> Iterator[tuple[Recorded, Context]]:
    """The archive as the run knows it, and what the nodes work with. Nobody holds the lease of what is not written."""
    known = rooms.archive.artifacts(run.id)
    places = places_of({**state_of(rooms.archive, run), **({"film": run.film} if run.film else {})}, known)
    with tempfile.TemporaryDirectory(prefix="mora-") as scratch:
        archive = Recorded(rooms.archive, run, agents, places=places, scratch=Path(scratch), lease=lease)
        nobody = Lease(run=run.id, owner="", fence=0)
        lender: Lender = _Nobody() if agents == "none" else rooms.lender(run.settings)
        # What is made for comparison begins at its beginning.
        bookmarks = rooms.bookmarks if agents == "missing" else None
        studio = Studio(lender, archive, nobody, rooms.size, rooms.fps, rooms.num_frames, bookmarks=bookmarks)
        yield archive, Context(recorded_planner(archive, run), archive, nobody, studio, rooms.limits, rooms.stop)


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


def recorded_planner(archive: Recorded, run: Run) -> Planner:
    """The planner of a run with no model behind it: it says again what it said. Raises RequestError.

    Also the embedded planner is not asked again: a later version of it may read the same words otherwise.
    """
    if run.request.profile not in PROFILES:
        raise RequestError(f"Run {run.id} was made with the profile {run.request.profile!r}, which is not known here.")
    name, calls = str(run.settings.get("planner", run.request.planner)), archive.llm_calls(run.id)
    return Planner(name, RecordedChat(answered=_answered(calls), run=run.id), PROFILES[run.request.profile])


def _answered(calls: list[LlmCall]) -> Answered:
    """The last answer to each question: those before it were told back as faulty."""
    found: Answered = {}
    for call in calls:
        asked: Any = call.request
        question = next((told["content"] for told in asked["messages"] if told["role"] == "human"), "")
        found[asked["schema"]["name"], _plain(question)] = call.response
    return found


def _plain(question: str) -> str:
    return json.dumps(json.loads(question), sort_keys=True) if question.startswith("{") else question


class RecordedChat(BaseChatModel):
    """Answers from the record what has no record word for word: the same question in a newer wording of Mora's."""

    answered: Answered
    run: str

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the base class's signature
        *,
        response_format: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002 - the base class's signature
    ) -> ChatResult:
        schema = (response_format or {}).get("json_schema", {}).get("name", "")
        question = next((str(message.text) for message in messages if isinstance(message, HumanMessage)), "")
        answer = self.answered.get((schema, _plain(question)))
        if answer is None or any(isinstance(message, AIMessage) for message in messages):
            raise PlannerError(
                f"Run {self.run} has no recorded answer of its planner that fits what is asked now: the code has "
                "changed since; use the code it was made with, or generate it again."
            )
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])
