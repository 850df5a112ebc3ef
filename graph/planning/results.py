"""Describe the results of a call to a planner: artifact ids, sizes, and the faults found in review."""

from dataclasses import dataclass

from graph.planning.brief import ArtifactLookup
from graph.state import read
from graph.state.channels import Limits, RunState, Take
from graph.state.takes import accepted, chosen, takes_of

PLANNED = "Planned; it is made once the plan is complete."


@dataclass(frozen=True)
class KnownTake:
    """A product that a planner may name: its call and attempt. fault: why it is not usable; None if it is."""

    call: str
    attempt: int
    fault: str | None = None


def known_takes(state: RunState) -> dict[str, KnownTake]:
    """Return all takes of a run, by artifact id."""
    return {
        take["artifact"]: KnownTake(call, take["attempt"], _fault(state, take))
        for call, takes in read.takes(state).items()
        for take in takes
    }


def result_of(state: RunState, call_id: str, limits: Limits, lookup: ArtifactLookup) -> str:
    """Return the tool result of a call: each of its takes and which one is selected, or that it is not made yet."""
    if not takes_of(state, call_id):
        return PLANNED
    standing, sentences = chosen(state, call_id, limits), list[str]()
    for take in takes_of(state, call_id):
        stands = standing is not None and take["attempt"] == standing["attempt"]
        fault = _fault(state, take)
        label = f"{take['artifact']} ({_size(take['artifact'], lookup)})"
        if fault is not None:
            sentences.append(f"{label} is not usable: {fault}. " + ("It is kept." if stands else "It was made again."))
        else:
            sentences.append(f"{label} is made and usable." if stands else f"{label} is another one.")
    return " ".join(sentences)


def _fault(state: RunState, take: Take) -> str | None:
    if accepted(state, take):
        return None
    verdict = read.verdicts(state).get(take["artifact"])
    return "not seen" if verdict is None else verdict["reason"]


def _size(artifact: str, lookup: ArtifactLookup) -> str:
    media = lookup.artifact(artifact).media
    size = f"{media.width}x{media.height} pixels"
    return size if media.fps is None else f"{size}, {media.num_frames} frames, {media.fps:g} a second"
