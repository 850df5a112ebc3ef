"""Builds the statement that a film's manifest carries, from the records of its run.

It says what was asked, planned, made and approved, and by which weights; never a key, a path or the machine's name.
"""

import tomllib
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from graph.runs.history import state_of
from graph.state import read
from memory.records import Artifact, Run
from tools.provenance.manifest import Approval, Statement, Work

if TYPE_CHECKING:
    from memory.archive import Archive


ROOT = Path(__file__).parents[2]


LARGEST = 200_000
"""Characters of all products in a statement, as JSON; the products nearest to the film are kept first."""


LONGEST = 500
"""Characters of a text other than the products' prompts; longer ones are cut."""


MOST_SAID = 40
"""Turns of the person that are included, the last ones."""


def statement_of(archive: "Archive", run: Run, film: Artifact) -> Statement:
    """Return the statement about a film of a finished run."""
    state = state_of(archive, run)
    works, left_out = _works(archive, film, _approvals(state))
    enhancement = read.enhancement(state)
    settings = run.settings
    return Statement(
        software=software(),
        run=run.id,
        parent=run.parent,
        task=str(enhancement.get("task", run.request.task)),
        request=run.request,
        said=tuple(_said(state)),
        planner=_planner(str(settings.get("planner", run.request.planner))),
        prompts=str(settings.get("prompts", "")),
        device=str(settings.get("device", "auto")),
        threads=int(str(settings.get("threads", 1))),
        dtype=None if settings.get("dtype") is None else str(settings["dtype"]),
        shots=tuple(_shortened(shot) for shot in enhancement.get("shots", [])),
        works=tuple(works),
        left_out=left_out,
        begun=run.created_at.isoformat(),
        ended=run.updated_at.isoformat(),
    )


@lru_cache
def software() -> str:
    """Return `Mora` and its version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return f"Mora {project['version']}"


def _works(archive: "Archive", film: Artifact, approvals: dict[str, list[Approval]]) -> tuple[list[Work], int]:
    """Return what a film was made of, parents first and itself last, and how many products were left out."""
    nearest: list[Work] = []
    room, left_out = LARGEST, 0
    for artifact in _lineage(archive, film):
        work = _work(artifact, approvals.get(artifact.id, []))
        room -= len(work.model_dump_json())
        if room < 0 and nearest:
            left_out += 1
        else:
            nearest.append(work)
    return _parents_first(nearest), left_out


def _lineage(archive: "Archive", film: Artifact) -> Iterator[Artifact]:
    """Yield the film and its ancestors, each once, nearest first."""
    waiting, seen = deque([film]), {film.id}
    while waiting:
        artifact = waiting.popleft()
        yield artifact
        new = [parent for parent in dict.fromkeys(artifact.parents) if parent not in seen]
        seen.update(new)
        waiting.extend(archive.artifact(parent) for parent in new)


def _parents_first(works: list[Work]) -> list[Work]:
    by_id, done = {work.id: work for work in works}, dict[str, Work]()
    waiting = [works[0].id]
    while waiting:
        work = by_id[waiting[-1]]
        open_ones = [parent for parent in work.parents if parent in by_id and parent not in done]
        if open_ones:
            waiting += open_ones
        else:
            done[waiting.pop()] = work
    return list(done.values())


def _work(artifact: Artifact, approvals: list[Approval]) -> Work:
    recipe = artifact.recipe
    return Work(
        id=artifact.id,
        sha256=artifact.sha256,
        media=artifact.media,
        agent=recipe.agent,
        weights=recipe.weights,
        spec=recipe.spec,
        parents=artifact.parents,
        numerics=recipe.numerics,
        approvals=tuple(approvals),
    )


def _approvals(state: dict[str, Any]) -> dict[str, list[Approval]]:
    """Return the approvals of every product, by its id."""
    said = {
        artifact: [Approval(by="inspection", ok=verdict["ok"], reason=verdict["reason"][:LONGEST])]
        for artifact, verdict in read.verdicts(state).items()
    }
    for call, attempt in read.choices(state).items():
        for take in read.takes(state).get(call, []):
            if take["attempt"] == attempt:
                said.setdefault(take["artifact"], []).append(Approval(by="person", ok=True))
    return said


def _said(state: dict[str, Any]) -> Iterator[str]:
    turns = [said["text"] for said in read.talk(state) if said["who"] == "person"]
    yield from (text[:LONGEST] for text in turns[-MOST_SAID:])


def _planner(name: str) -> str:
    """Return the planner's name; of a model that is given as an absolute path, only the last component."""
    kind, colon, model = name.partition(":")
    return f"{kind}{colon}{Path(model).name}" if Path(model).is_absolute() else name


def _shortened(shot: dict[str, Any]) -> dict[str, JsonValue]:
    return {name: value[:LONGEST] if isinstance(value, str) else value for name, value in shot.items()}
