"""The driver on small graphs of its own: questions and answers, repairs, an early end, and what a run's row says."""

import operator
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from graph.errors import RequestError, Stopped
from graph.runs.driver import drive, outcome_recorded
from graph.runs.observer import Event, NodeEnded, Question
from memory.archive import Archive
from memory.errors import DamagedArtifact
from memory.records import Request, Run


class Lines(TypedDict):
    """What was done, line by line."""

    lines: Annotated[list[str], operator.add]


Node = Callable[[Lines], Any]


class Driven:
    """A chain of nodes, driven as often as a test wants on one thread."""

    def __init__(self, *nodes: tuple[str, Node]) -> None:
        graph = StateGraph(Lines)
        names = [name for name, _ in nodes]
        for name, node in nodes:
            graph.add_node(name, node)
        for before, after in zip([START, *names], [*names, END], strict=True):
            graph.add_edge(before, after)
        self.graph = graph.compile(checkpointer=InMemorySaver())
        self.config: Any = {"configurable": {"thread_id": "one"}}
        self.stopping = False
        self.events: list[Event] = []

    def stop_if_asked(self) -> None:
        if self.stopping:
            raise Stopped

    def __call__(self, given: Any, **policy: Any) -> Question | None:
        context: Any = SimpleNamespace(stop_if_asked=self.stop_if_asked)
        return drive(self.graph, self.config, context, self.events.append, given, **policy)  # type: ignore[arg-type]

    @property
    def lines(self) -> list[str]:
        return list(self.graph.get_state(self.config).values["lines"])


def asks(what: str) -> Node:
    return lambda _state: {"lines": [f"{what} {interrupt(what)}"]}


BEGIN: dict[str, Any] = {"lines": []}


def test_questions_are_answered_in_their_order_and_the_first_without_an_answer_is_returned() -> None:
    driven = Driven(("a", asks("colour")), ("b", asks("place")), ("c", asks("time")))
    question = driven(BEGIN, answers=["red", "snow"])
    assert question is not None
    assert question.asked == "time"
    assert driven.lines == ["colour red", "place snow"]
    assert driven.events == [NodeEnded("a"), NodeEnded("b")]


def test_what_is_damaged_is_repaired_and_the_run_goes_on_where_it_was() -> None:
    damaged, began = {"x", "y"}, list[str]()

    def needs(artifact: str) -> Node:
        def node(_state: Lines) -> dict[str, list[str]]:
            began.append(artifact)
            if artifact in damaged:
                raise DamagedArtifact("artifact-damaged", "It is damaged.", artifact=artifact)
            return {"lines": [artifact]}

        return node

    driven = Driven(("a", needs("x")), ("b", needs("y")))
    assert driven(BEGIN, repair=damaged.remove) is None
    assert driven.lines == ["x", "y"]
    assert began == ["x", "x", "y", "y"]


@pytest.mark.parametrize("repair", [None, lambda _artifact: None], ids=["nobody repairs", "a repair that is none"])
def test_damage_that_stays_is_raised(repair: Any) -> None:
    def node(_state: Lines) -> None:
        raise DamagedArtifact("artifact-damaged", "It is damaged.", artifact="x")

    with pytest.raises(DamagedArtifact, match="It is damaged"):
        Driven(("a", node))(BEGIN, repair=repair)


def test_it_ends_when_it_is_enough() -> None:
    driven = Driven(("a", lambda _: {"lines": ["a"]}), ("b", lambda _: {"lines": ["b"]}))
    assert driven(BEGIN, enough=lambda: True) is None
    assert driven.events == [NodeEnded("a")]


@pytest.mark.parametrize(("last", "stopped"), [("b", True), ("finish", False)])
def test_a_stop_is_raised_after_every_node_but_the_last(last: str, stopped: bool) -> None:
    driven = Driven((last, lambda _: {"lines": ["done"]}))
    driven.stopping = True
    with pytest.raises(Stopped) if stopped else nullcontext():
        assert driven(BEGIN) is None
    assert driven.events == [NodeEnded(last)]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as known:
        yield known


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (KeyboardInterrupt(), "interrupted", "interrupted by the person"),
        (Stopped(), "interrupted", "interrupted by the person"),
        (RequestError("test", "Ask for less."), "failed", "Ask for less."),
        (ZeroDivisionError("by 0"), "failed", "ZeroDivisionError: by 0"),
        (GraphInterrupt(()), "waiting", None),
    ],
)
def test_a_row_says_how_the_run_ended(archive: Archive, error: BaseException, status: str, why: str | None) -> None:
    run = ended_by(archive, error, "running")
    assert (run.status, run.error) == (status, why)


def test_what_comes_after_the_end_changes_nothing(archive: Archive) -> None:
    run = ended_by(archive, ZeroDivisionError(), "done")
    assert (run.status, run.error) == ("done", None)


def ended_by(archive: Archive, error: BaseException, status: Any) -> Run:
    run = archive.create_run(Request(prompt="a red ball"), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        archive.set_status(lease, status)
        with pytest.raises(type(error)), outcome_recorded(archive, lease):
            raise error
    return archive.run(run.id)
