import operator
from pathlib import Path
from typing import Annotated, TypedDict

import ormsgpack
import pytest
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from sqlalchemy import create_engine, text

from memory.archive import Archive
from memory.errors import DatabaseTrouble
from memory.records import Run


class Story(TypedDict, total=False):
    shots: Annotated[list[int], operator.add]
    answer: str


def story(saver):
    """Four shots in parallel threads, then a question."""
    builder = StateGraph(Story)
    builder.add_node("shot", lambda number: {"shots": [number]})
    builder.add_node("ask", lambda state: {"answer": interrupt("well?")})
    builder.add_conditional_edges(START, lambda state: [Send("shot", number) for number in range(4)])
    builder.add_edge("shot", "ask")
    builder.add_edge("ask", END)
    return builder.compile(checkpointer=saver)


def test_a_graph_goes_on_in_an_archive_that_was_opened_again(archive: Archive, run: Run) -> None:
    thread = {"configurable": {"thread_id": run.id}}
    with archive.saver() as saver:
        story(saver).invoke({}, thread, durability="sync")
    with Archive.open(archive.url, archive.home) as again, again.saver() as saver:
        graph = story(saver)
        assert graph.get_state(thread).next == ("ask",)
        assert graph.invoke(Command(resume="yes"), thread) == {"shots": [0, 1, 2, 3], "answer": "yes"}


def plant(url: str, data: bytes) -> None:
    """Put the bytes where the saver reads the state from, as one with access to the database could."""
    engine = create_engine(url)
    table, column = ("checkpoints", "checkpoint") if engine.dialect.name == "sqlite" else ("checkpoint_blobs", "blob")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = :data, type = 'msgpack'"), {"data": data})
    engine.dispose()


def test_a_planted_row_does_not_run_code(archive: Archive, run: Run, tmp_path: Path) -> None:
    trace = tmp_path / "pwned"
    call = ormsgpack.Ext(0, ormsgpack.packb(("os", "system", f"touch {trace}")))
    planted = ormsgpack.packb({"x": call, "channel_values": call, "id": "1", "channel_versions": {}})
    thread = {"configurable": {"thread_id": run.id}}
    with archive.saver() as saver:
        story(saver).invoke({}, thread, durability="sync")
        plant(archive.url, planted)
        if archive.url.startswith("sqlite"):  # PostgreSQL keeps the rest of the checkpoint in another table
            with pytest.raises(DatabaseTrouble, match="not written by this program"):
                saver.get_tuple(thread)
        else:
            assert saver.get_tuple(thread) is not None
    assert not trace.exists()
    # The same bytes are dangerous to a serializer that is not strict: the planting is real.
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", planted))
    assert trace.exists()


def test_a_process_that_is_not_strict_is_a_bug(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_msgpack, "STRICT_MSGPACK_ENABLED", False)
    refusal = pytest.raises(RuntimeError, match="LANGGRAPH_STRICT_MSGPACK=true must be in the environment")
    with refusal, archive.saver():
        pass


def test_trouble_of_the_saver_is_told_in_plain_words(archive: Archive, run: Run) -> None:
    thread = {"configurable": {"thread_id": run.id}}
    engine = create_engine(archive.url)
    with pytest.raises(DatabaseTrouble, match="checkpoints"), archive.saver() as saver:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE checkpoints"))
        saver.get_tuple(thread)
    engine.dispose()


def test_what_a_task_gave_is_there_as_soon_as_the_step_ends_or_fails(archive: Archive, run: Run) -> None:
    """It is kept back for the transaction of the checkpoint after it; a step that has none leaves it all the same."""
    thread = {"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}

    def told() -> list[list[str]]:
        with archive.saver() as reader:
            return [[channel for _, channel, _ in each.pending_writes] for each in reader.list(thread)]

    with archive.hold(run.id) as lease, archive.saver(lease) as saver:
        steps = story(saver).stream({}, thread, durability="sync")
        next(steps)
        saver.put_writes(saver.get_tuple(thread).config, [("answer", "kept back")], "a task")
        assert "answer" not in told()[0]
        list(steps)  # to the question
        assert "answer" in told()[1]
        assert "__interrupt__" in told()[0]
        saver.put_writes(saver.get_tuple(thread).config, [("answer", "left")], "another")
    assert "answer" in told()[0]
