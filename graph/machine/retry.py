"""Retry a tool call that ran out of memory, with lower demands.

Every retry is reported, and the recipe records the settings that were used. Other failures are not retried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from graph.state.channels import ToolTask
from memory.errors import NeverKept
from memory.products.files import Made
from models.errors import OutOfMemory
from tools.context import Report, ToolContext
from tools.image_to_video import num_frames_of
from tools.registry import TOOLS


@dataclass(frozen=True)
class Demand:
    """The settings of one try. together: takes per batch. reduction: what was reduced, for the note."""

    tool_context: ToolContext
    together: int
    reduction: str = ""


def demands_of(tool_task: ToolTask, tool_context: ToolContext) -> list[Demand]:
    """Return the settings as requested, then at most two that need less memory.

    First reduce what is computed at once, which makes no visible difference; then the length, if none was requested.
    """
    tool, arguments = TOOLS[tool_task["call"]["tool"]], tool_task["call"]["arguments"]
    count = 1 + len(tool_task.get("also", []))
    first = Demand(tool_context, count)
    if tool.several:
        fewer = dict.fromkeys(each for each in (count // 2, 1) if 0 < each < count)
        return [first, *(Demand(tool_context, each, f"{each} of {count} candidates at once") for each in fewer)]
    if tool.lasts == "seconds":
        return [first, *_fewer_frames(tool_context, arguments.get("seconds"))]
    if tool.lasts == "clip" and arguments.get("motion") != "kept":  # a kept motion is edited frame by frame already
        return [first, *_fewer_at_once(tool_context, tool_context.num_frames)]
    return [first]


def _fewer_frames(tool_context: ToolContext, seconds: float | None) -> list[Demand]:
    usual = min(tool_context.num_frames, num_frames_of(tool_context, seconds))
    half, quarter = _fewer_at_once(tool_context, usual)
    if seconds is not None:
        return [half, quarter]
    length = max(2, usual // 2)
    shorter = replace(quarter.tool_context, num_frames=length)
    return [half, Demand(shorter, 1, f"{quarter.reduction}, and {length} in all, since no length was asked for")]


def _fewer_at_once(tool_context: ToolContext, usual: int) -> list[Demand]:
    return [
        Demand(replace(tool_context, frames_at_once=each), 1, f"{each} frames at once instead of {usual}")
        for each in (max(1, usual // 2), max(1, usual // 4))
    ]


def run_with_less(demands: Sequence[Demand], make: Callable[[Demand], list[Made]], report: Report) -> list[Made]:
    """Return what `make` returns for the first settings that fit into memory.

    Settings are tried a second time, once, if memory was freed meanwhile. Raises the first error if none fits.
    """
    ahead, failed, repeated = list(demands), list[Exception](), False
    while True:
        remedy = ""
        try:
            return make(ahead[0])
        except OutOfMemory as error:
            failed.append(error)
            if error.freed and not repeated:
                repeated, remedy = True, "The other agents were unloaded; trying again."
        except NeverKept as error:  # a replay takes the same path as the recorded run
            failed.append(error)
        if not remedy:
            ahead.pop(0)
            if not ahead:
                raise failed[0]
            remedy = f"Retrying with {ahead[0].reduction}."
        if isinstance(failed[-1], OutOfMemory):
            report({"stage": "memory", "note": f"{failed[-1]}. {remedy}"})
