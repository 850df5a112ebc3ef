"""The typed events of a running run, and the interface that receives them. Knows no screen and no graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tools.context import Report, Told


@dataclass(frozen=True)
class RunBegan:
    """A new run has its row, and can be resumed by this id from here on."""

    run: str


@dataclass(frozen=True)
class StageBegan:
    """A step without a generation agent has begun: `enhance`, `plan` or `think`."""

    stage: str


@dataclass(frozen=True)
class ToolProgress:
    """A tool call has done `step` of `steps`. call, shot: None outside a plan; attempt: from 0.

    frames_per_second: of this call so far; seconds_left: None while unknown.
    """

    tool: str
    step: int
    steps: int
    frames_per_second: float
    seconds_left: float | None = None
    call: str | None = None
    shot: int | None = None
    attempt: int = 0


@dataclass(frozen=True)
class ProductReady:
    """A tool call has its product. artifact: its id; called: True if it was made now, False if found in the store."""

    tool: str
    artifact: str
    called: bool
    call: str | None = None
    shot: int | None = None
    attempt: int = 0


@dataclass(frozen=True)
class Noted:
    """Sentences for the person about what was done differently than asked, never empty."""

    notes: tuple[str, ...]


@dataclass(frozen=True)
class NodeEnded:
    """A node of the graph has ended; a checkpoint with its update follows or is already written."""

    node: str


@dataclass(frozen=True)
class Question:
    """What a run waits for: the id by which to answer, and the value of `graph.machine.turn.question_of`."""

    id: str
    asked: dict[str, Any]


Event = RunBegan | StageBegan | ToolProgress | ProductReady | Noted | NodeEnded | Question


class Observer(Protocol):
    """Receives the events of a run, on the thread that drives it. An exception from it ends the run where it is."""

    def __call__(self, event: Event, /) -> None:
        """Receive one event; the events of a run come in order."""


def unobserved(event: Event, /) -> None:
    """Ignore the event: the observer of a run that nobody watches."""


def events_of_node(node: str, update: Mapping[str, Any] | None) -> list[Event]:
    """Return the events of a node that has ended with `update`: its notes, if any, and its end."""
    notes = tuple((update or {}).get("notes", ()))
    return [*([Noted(notes)] if notes else []), NodeEnded(node)]


def event_of_report(reported: Mapping[str, Any]) -> Event | None:
    """Return the event of what a running node or tool reports; None for what is reported when the node ends: notes."""
    where = {name: reported[name] for name in ("call", "shot", "attempt") if name in reported}
    if "called" in reported:
        return ProductReady(tool=reported["stage"], artifact=reported["artifact"], called=reported["called"], **where)
    if "step" in reported:
        pace = {name: reported[name] for name in ("frames_per_second", "seconds_left")}
        return ToolProgress(tool=reported["stage"], step=reported["step"], steps=reported["of"], **pace, **where)
    return StageBegan(reported["stage"]) if set(reported) == {"stage"} else None


def report_to(observer: Observer, stop_if_asked: Callable[[], None]) -> Report:
    """Return the report of a tool that is called outside the graph: it stops if asked, else notifies `observer`."""

    def report(reported: Told) -> None:
        stop_if_asked()
        if (event := event_of_report(reported)) is not None:
            observer(event)

    return report
