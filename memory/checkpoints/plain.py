"""Checkpoints as plain JSON, for a run that travels: LangGraph's own values are marked, everything else is itself."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, cast

from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.types import Interrupt, Send
from pydantic import Field, JsonValue

from memory.errors import BadParcel
from memory.records import Record

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointMetadata, CheckpointTuple

SEND, INTERRUPT, PLAIN = "~send", "~interrupt", "~plain"
"""Marks of what is no JSON by itself: an object with one of them as its only key. An object that only looks so is
wrapped in the third."""

Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_:]{0,99}$")]
Version = Annotated[str, Field(pattern=r"^[0-9]{32}\.[0-9.e+-]{1,40}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT[0-9:.]{5,15}\+00:00$")]


class Write(Record):
    """What a task that had ended, or waited, when the run stopped gave to a channel."""

    task: Uuid
    channel: Name
    value: JsonValue


class Step(Record):
    """One checkpoint: the values of its channels, who has seen which version of them, and what was pending."""

    id: Uuid
    parent: Uuid | None
    ts: Moment
    v: int = Field(ge=4, le=4)
    values: dict[Name, JsonValue]
    versions: dict[Name, Version]
    seen: dict[Name, dict[Name, Version]]
    updated: list[Name] | None
    metadata: dict[Name, JsonValue]
    writes: list[Write]


def steps_of(saver: "BaseCheckpointSaver[str]", thread: str) -> list[Step]:
    """Return the checkpoints of the thread, oldest first."""
    return [_step(found) for found in saver.list(_config(thread))][::-1]


def put_steps(saver: "BaseCheckpointSaver[str]", thread: str, steps: list[Step]) -> None:
    """Write the checkpoints under the name of the thread; BadParcel for a mark without a meaning."""
    for step in steps:
        values, _ = values_of(step)
        checkpoint = {
            "v": step.v,
            "id": step.id,
            "ts": step.ts,
            "channel_values": values,
            "channel_versions": step.versions,
            "versions_seen": step.seen,
            "updated_channels": step.updated,
        }
        metadata = cast("CheckpointMetadata", step.metadata)
        saver.put(_config(thread, step.parent), cast("Checkpoint", checkpoint), metadata, cast(Any, step.versions))
        # LangGraph's own writes apart, because it numbers those of a node from 0.
        for (task, _), writes in groupby(step.writes, key=lambda write: (write.task, write.channel in WRITES_IDX_MAP)):
            kept = [(write.channel, restored(write.value)) for write in writes]
            saver.put_writes(_config(thread, step.id), kept, task)


def values_of(step: Step) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return the values of the channels, and what was written to which, marks restored; BadParcel."""
    values = {name: restored(value) for name, value in step.values.items()}
    return values, [(write.channel, restored(write.value)) for write in step.writes]


def next_nodes(found: "CheckpointTuple") -> set[str]:
    """Return which nodes come after the checkpoint; none after the end."""
    values = found.checkpoint["channel_values"]
    branches = {name.removeprefix(BRANCH) for name in values if name.startswith(BRANCH)}
    return branches | {send.node for send in values.get(TASKS) or [] if isinstance(send, Send)}


BRANCH, TASKS = "branch:to:", "__pregel_tasks"
"""The channels by which LangGraph remembers where a run goes next."""


def waits(found: "CheckpointTuple") -> bool:
    """Return whether a person was asked something at the checkpoint, or has answered there."""
    return any(channel in ("__interrupt__", "__resume__") for _, channel, _ in found.pending_writes or [])


def plain(value: Any) -> JsonValue:
    """Return the value as JSON; TypeError for what a state must not hold."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Send):
        return {SEND: [value.node, plain(value.arg)]}
    if isinstance(value, Interrupt):
        schema = plain(value.response_schema)
        return {INTERRUPT: {"id": value.id, "value": plain(value.value), "schema": schema}}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        told = {key: plain(each) for key, each in value.items()}
        return {PLAIN: told} if _is_marked(told) else told
    raise TypeError(f"a checkpoint holds a {type(value).__name__}, which is no plain data")


def restored(value: JsonValue) -> Any:
    """Return what `plain` was given; BadParcel for a mark without a meaning."""
    if isinstance(value, list):
        return [restored(each) for each in value]
    if not isinstance(value, dict):
        return value
    if not _is_marked(value):
        return {key: restored(each) for key, each in value.items()}
    [(mark, told)] = value.items()
    match mark, told:
        case "~send", [str(node), arg]:
            return Send(node, restored(arg))
        case "~interrupt", {"id": str(id), "value": asked, "schema": dict() | None as schema, **rest} if not rest:
            return Interrupt(restored(asked), id, response_schema=restored(schema))
        case "~plain", dict():
            return {key: restored(each) for key, each in told.items()}
    raise BadParcel(
        "checkpoint-unreadable", f"A checkpoint has {mark!r} with what it cannot mean; export the run again."
    )


def sends(value: Any) -> Iterator[Send]:
    """Yield all that is sent to nodes, however deep in a restored value."""
    if isinstance(value, Send):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from sends(each)
    elif isinstance(value, list):
        for each in value:
            yield from sends(each)


def _is_marked(value: dict[str, Any]) -> bool:
    return len(value) == 1 and not value.keys().isdisjoint({SEND, INTERRUPT, PLAIN})


def _step(found: "CheckpointTuple") -> Step:
    checkpoint = found.checkpoint
    parent = found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else None
    writes = [Write(task=task, channel=name, value=plain(value)) for task, name, value in found.pending_writes or []]
    # The order of the tasks is LangGraph's to find again; that of one task's writes is kept.
    writes.sort(key=lambda write: write.task)
    return Step(
        id=checkpoint["id"],
        parent=parent,
        ts=checkpoint["ts"],
        v=checkpoint["v"],
        values={name: plain(value) for name, value in checkpoint["channel_values"].items()},
        versions=cast(Any, checkpoint["channel_versions"]),
        seen=cast(Any, checkpoint["versions_seen"]),
        updated=checkpoint.get("updated_channels"),
        metadata=cast(Any, plain(dict(found.metadata))),
        writes=writes,
    )


def _config(thread: str, step: str | None = None) -> "RunnableConfig":
    return {"configurable": {"thread_id": thread, "checkpoint_ns": "", **({"checkpoint_id": step} if step else {})}}
