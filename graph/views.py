"""Runs, replays and verifications as JSON objects, for every interface."""

from typing import TYPE_CHECKING, Any

from graph.provenance.verify import Verification
from graph.runs.history import checkpoints_of, state_of
from graph.runs.time_travel import Replayed
from graph.state import read
from memory.recorded import changed
from memory.records import Run
from memory.turns import turns_of

if TYPE_CHECKING:
    from memory.archive import Archive


def runs_as_json(archive: "Archive") -> list[dict[str, Any]]:
    """Return all runs, newest first."""
    return [
        {
            "run": run.id,
            "status": run.status,
            "task": run.request.task,
            "prompt": run.request.prompt,
            "film": run.film,
            "parent": run.parent,
        }
        for run in archive.runs()
    ]


def run_as_json(archive: "Archive", run: Run, *, checkpoints: bool = False) -> dict[str, Any]:
    """Return everything about a run: request, plan, lineage, ledger, LLM calls, turns, checkpoints.

    checkpoints: True gives them as `checkpoints_as_json` does, False only their ids, times and steps.
    """
    state = state_of(archive, run)
    return {
        **run.model_dump(mode="json"),
        "task": _task(run, state),
        "plan": read.calls(state),
        "notes": read.notes(state),
        "takes": read.takes(state),
        "verdicts": read.verdicts(state),
        "artifacts": [artifact.model_dump(mode="json") for artifact in archive.artifacts(run.id)],
        "agent_calls": [call.model_dump(mode="json") for call in archive.ledger(run.id)],
        "llm_calls": [call.model_dump(mode="json") for call in archive.llm_calls(run.id)],
        "turns": turns_as_json(archive, run),
        "checkpoints": checkpoints_as_json(archive, run) if checkpoints else checkpoints_of(archive, run),
    }


def turns_as_json(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Return every turn of a conversation, oldest first; [] for a run that asks no questions."""
    return [
        {**turn.model_dump(mode="json", exclude={"run"}), "undone": turn.undone} for turn in turns_of(archive, run.id)
    ]


def _task(run: Run, state: dict[str, Any]) -> str:
    """Return the task that the wish turned out to be, or the requested one until the wish has been read."""
    return str(read.enhancement(state).get("task", run.request.task))


def checkpoints_as_json(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Return every checkpoint of the run, oldest first: the step before it, the products, what a fork can change."""
    from graph.runs.history import changeable, checkpoints
    from graph.state.channels import DEFAULT_LIMITS

    return [
        {
            "number": one.number,
            "id": one.id,
            "at": one.at,
            "after": one.after,
            "made": list(one.made),
            "new": list(one.new),
            "changeable": list(changeable(one, DEFAULT_LIMITS)),
        }
        for one in checkpoints(archive, run)
    ]


def replayed_as_json(replayed: Replayed) -> dict[str, Any]:
    """Return what `replay --json` prints besides the fields of the film."""
    return {
        "same": replayed.same,
        "stopped": replayed.came.stopped,
        "compared": len(replayed.came.remade),
        "differences": [
            {
                "call": remade.place.call,
                "shot": remade.place.shot,
                "attempt": remade.place.attempt,
                "agent": remade.kept.recipe.agent,
                "artifact": remade.kept.id,
                "recorded": remade.kept.sha256,
                "sha256": remade.sha256,
                "changed": changed(remade.kept.recipe, remade.recipe),
            }
            for remade in replayed.differences
        ],
    }


def as_json(found: Verification) -> dict[str, Any]:
    """Return the object that `verify --json` prints."""
    reading, statement, again = found.reading, found.reading.statement, found.again
    return {
        "file": str(found.path),
        "verified": found.problem is None,
        "problem": found.problem,
        "fault": reading.fault,
        "signer": {"name": reading.signer, "issuer": reading.issuer, "known_as": reading.known_as},
        "run": statement and statement.run,
        "run_here": found.run_here,
        "film": statement and statement.film.id,
        "sha256": statement and statement.film.sha256,
        "film_here": found.film_here,
        "regenerated": again
        and {
            "same": again.same,
            "products": again.made,
            "sha256": again.sha256,
            "differs": again.differs and again.differs.id,
            "why": again.why or None,
        },
        "statement": statement and statement.model_dump(mode="json"),
    }
