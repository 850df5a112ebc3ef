"""Whether this version of the graph can continue an imported run, and which checkpoints are worth keeping."""

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from graph.machine.build import build
from graph.runs.history import origin_of
from graph.state.channels import RunState, ToolTask
from memory.checkpoints.plain import sends, values_of

if TYPE_CHECKING:
    from memory.transfer.parcel import Story


REVIEW_POINTS = frozenset({"enhance", "act", "ask", "assemble"})
"""Runs are forked from checkpoints with one of these nodes ahead: the beginning, or right after the plan, a review or
an answer."""


STATE: TypeAdapter[Any] = TypeAdapter(RunState)


TOOL_TASK: TypeAdapter[Any] = TypeAdapter(ToolTask)


def fault_of(story: "Story") -> str | None:
    """Return why this graph cannot continue an imported run, as the end of a sentence; None if it can.

    Every pending `Send` must address an existing node, and every state must validate as one that the nodes could leave.
    """
    nodes = set(build().get_graph().nodes)
    try:
        STATE.validate_python(origin_of(story.run).get("state", {}))
        for step in story.steps:
            values, writes = values_of(step)
            STATE.validate_python({name: value for name, value in values.items() if name in RunState.__annotations__})
            for send in (*sends(values), *sends([value for _, value in writes])):
                if send.node not in nodes:
                    return f"has a checkpoint that goes on at {send.node[:40]!r}, which this graph does not know"
                TOOL_TASK.validate_python(send.arg)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"has a state that no step leaves ({where}: {first['msg']})"
    return None
