"""Replays a run from its records, or regenerates and compares it; and forks a run at one of its checkpoints."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langsmith import tracing_context
from pydantic import JsonValue

from graph.errors import RequestError
from graph.runs.history import ORIGIN, Checkpoint, changeable, checkpoints, choosable, made_by, state_of
from graph.runs.observer import Observer, RunBegan
from graph.runs.requests.options import RequestOptions
from graph.runs.requests.resolve import request_of
from graph.runs.rerun import Rerun, rerun
from graph.runs.runner import new_run, refuse_other_graph, resume
from graph.runs.services import Services
from graph.state import read
from memory.recorded import Agents, Remade, changed
from memory.records import Artifact, Request, Run

if TYPE_CHECKING:
    from graph.state.channels import Limits


SHORTEST_ID = 4
"""Characters of a checkpoint id's prefix; fewer are read as a number."""


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay beside the run's own film (None while it waits for a person) and takes."""

    run: Run
    came: Rerun
    film: Artifact | None
    made: tuple[str, ...]

    @property
    def differences(self) -> list[Remade]:
        """The products that came out with other bytes, in the order in which they were made."""
        return [remade for remade in self.came.remade if not remade.same]

    @property
    def same(self) -> bool:
        """True if the replay ends with the same film and takes, and everything made for comparison is identical."""
        films = [film and film.sha256 for film in (self.film, self.came.film)]
        same_takes = set(self.came.made) == set(self.made)
        return films[0] == films[1] and same_takes and not self.differences and self.came.stopped is None


@dataclass(frozen=True)
class Changes:
    """What a branch changes; None: unchanged.

    choice: the take to choose instead, by its artifact id or a prefix of it.
    """

    prompt: str | None = None
    seed: int | None = None
    profile: str | None = None
    planner: str | None = None
    choice: str | None = None

    @property
    def options(self) -> RequestOptions:
        """The changes to the request."""
        return RequestOptions(prompt=self.prompt, seed=self.seed, profile=self.profile, planner=self.planner)


def replay(services: Services, run_id: str, observer: Observer, *, agents: Agents = "none") -> Replayed:
    """Run it again from its records; with `fresh` agents regenerate and compare everything. Nothing is written.

    Raises RequestError for a run that is neither done nor waiting, and as `graph.runs.rerun.rerun`.
    """
    run = services.archive.run(run_id)
    if run.status not in ("done", "waiting"):
        raise RequestError(
            "run-not-ended",
            f"Run {run.id} is {run.status}, so there is no end to compare; resume it first.",
            run=run.id,
        )
    # No network: the run itself was traced when it was made.
    with tracing_context(enabled=False):
        came = rerun(services, run, observer, agents=agents)
    film = services.archive.artifact(run.film) if run.film is not None else None
    return Replayed(run, came, film, made_by(state_of(services.archive, run)) or came.made)


def difference_told(remade: Remade) -> str:
    """Return a message about a product that came out different, and whether other weights or numerics explain it."""
    kept = remade.kept
    sentence = (
        f"{remade.place}: {kept.recipe.agent} made {kept.id} with other bytes, {remade.sha256[:16]} now and "
        f"{kept.sha256[:16]} in the records."
    )
    why = changed(kept.recipe, remade.recipe) or "Weights and numerics are those it was made with."
    return f"{sentence} {why}"


def fork(
    services: Services, run_id: str, at: str, changes: Changes, settings: dict[str, JsonValue], observer: Observer
) -> Run:
    """Start a run that continues from a checkpoint of another, with `changes`; both are kept, equal work is reused.

    at: as in `checkpoint_of`. settings: as a run stores them; those stored by the parent take precedence. Raises
    RequestError for a change that comes too late there.
    """
    parent = services.archive.run(run_id)
    refuse_other_graph(parent, "fork")
    known = checkpoints(services.archive, parent)
    checkpoint = checkpoint_of(parent, known, at)
    if checkpoint.after == "finish":
        raise RequestError(
            "checkpoint-is-end",
            f"Checkpoint {checkpoint.number} is the end of run {parent.id}; choose an earlier one.",
            run=parent.id,
        )
    request = branched(parent, known, checkpoint, changes, services.limits)
    chosen = choices_with(parent, known, checkpoint, changes.choice) if changes.choice is not None else {}
    state = {**checkpoint.state, **chosen}
    origin: dict[str, Any] = {
        "run": parent.id, "checkpoint": checkpoint.id, "after": checkpoint.after, "state": state,
    }  # fmt: skip
    stored = {**settings, **{name: parent.settings[name] for name in settings if name in parent.settings}}
    run = new_run(services, request, services.planner(request), {**stored, ORIGIN: origin}, parent=parent.id)
    observer(RunBegan(run.id))
    return resume(services, run.id, observer)


def checkpoint_of(run: Run, known: list[Checkpoint], at: str) -> Checkpoint:
    """Return the checkpoint with this number or id prefix. Raises RequestError if none or several match."""
    if at.isdigit() and len(at) < SHORTEST_ID:
        found = [each for each in known if each.number == int(at)]
    else:
        found = [each for each in known if len(at) >= SHORTEST_ID and each.id.startswith(at.lower())]
    if len(found) == 1:
        return found[0]
    what = "more than one checkpoint of that beginning" if found else f"no checkpoint {at!r}"
    raise RequestError("checkpoint-unknown", f"Run {run.id} has {what}; it has {len(known)}.", run=run.id)


def branched(
    parent: Run, known: list[Checkpoint], checkpoint: Checkpoint, changes: Changes, limits: "Limits"
) -> Request:
    """Return the request of a branch. Raises RequestError naming the checkpoints where the changes are possible."""
    for name in changes.options.given():
        fits = [each for each in known if name in changeable(each, limits)]
        if checkpoint in fits:
            continue
        raise RequestError("checkpoint-too-late", _too_late(name, checkpoint, fits))
    return request_of(changes.options, parent.request)


def choices_with(parent: Run, known: list[Checkpoint], checkpoint: Checkpoint, choice: str) -> dict[str, Any]:
    """Return a state update whose `choices` select another take.

    Raises RequestError naming the checkpoints that have the take, and nothing made from the one it replaces.
    """
    fits = [each for each in known if choosable(each, choice)]
    if checkpoint not in fits:
        if not any(made.startswith(choice) for each in known for made in each.made):
            raise RequestError(
                "product-not-of-run", f"Run {parent.id} has no product {choice!r}.", product=choice, run=parent.id
            )
        then = _elsewhere(fits, "it has no checkpoint where another could stand")
        raise RequestError(
            "take-not-choosable",
            f"{choice!r} cannot be chosen at checkpoint {checkpoint.number} of run {parent.id}; {then}.",
            take=choice,
            run=parent.id,
        )
    found = choosable(checkpoint, choice)
    if len(found) > 1:
        raise RequestError(
            "take-ambiguous", f"More than one take begins with {choice!r}; give more of the id.", take=choice
        )
    return {"choices": {**read.choices(checkpoint.state), **dict(found)}}


def _too_late(name: str, checkpoint: Checkpoint, fits: list[Checkpoint]) -> str:
    why = {
        "seed": "everything is made by then",
        "prompt": "the prompt has been read by then",
        "planner": "there is a plan by then",
    }.get(name, f"the planner has written for its {name} by then")
    then = _elsewhere(fits, "generate it anew")
    return f"A new {name} changes nothing at checkpoint {checkpoint.number}, because {why}; {then}."


def _elsewhere(fits: list[Checkpoint], otherwise: str) -> str:
    where = ", ".join(str(each.number) for each in fits)
    return f"choose checkpoint {where}" if where else otherwise
