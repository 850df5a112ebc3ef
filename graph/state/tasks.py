"""The standard operating procedure of each task: which tools a shot uses, in which order, from which inputs.

The embedded planner derives its plans from this table, and every planner's plan is checked against it. What a tool
takes and makes is in `tools.registry`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tools.registry import TOOLS, Tool

if TYPE_CHECKING:
    from memory.records import Task

    AnyTool = str
else:
    AnyTool = Literal[tuple(TOOLS)]
"""The name of a registered tool."""


Procedural = Literal["text-to-video", "image-to-video", "extend", "edit", "connect", "simulate"]
"""A resolved task: any but `auto`."""


TextField = Literal["picture", "edit", "motion"]


MAX_INPUTS = 8


@dataclass(frozen=True)
class Procedure:
    """A row of the table.

    shot: the tools that make every shot, in order. needs, may: the text fields a shot must and may have. between: the
    tools for a transition to the next shot. images, clips: minimum and maximum number of given files.
    """

    shot: tuple[Tool, ...]
    needs: tuple[TextField, ...] = ()
    may: tuple[TextField, ...] = ()
    between: tuple[Tool, ...] = ()
    images: tuple[int, int] = (0, 0)
    clips: tuple[int, int] = (0, 0)


_FILM = (TOOLS["text_to_image"], TOOLS["edit_image"], TOOLS["image_to_video"])
_BETWEEN = (TOOLS["connect_videos"],)


PROCEDURES: dict[Procedural, Procedure] = {
    "text-to-video": Procedure(_FILM, needs=("picture", "motion"), may=("edit",), between=_BETWEEN),
    "image-to-video": Procedure(
        _FILM, needs=("motion",), may=("picture", "edit"), between=_BETWEEN, images=(1, MAX_INPUTS)
    ),
    "simulate": Procedure(_FILM, needs=("motion",), may=("picture", "edit"), between=_BETWEEN, images=(0, MAX_INPUTS)),
    "extend": Procedure((TOOLS["extend_video"],), needs=("motion",), clips=(1, 1)),
    "edit": Procedure((TOOLS["edit_video"],), needs=("edit",), may=("motion",), clips=(1, 1)),
    "connect": Procedure(_BETWEEN, clips=(2, MAX_INPUTS)),
}
"""The first picture of a shot is generated or given, optionally edited, then animated. `extend` continues a clip from
its last frame, `edit` changes it frame by frame or by its first one, `connect` generates transitions between clips."""


def decided(task: "Task", clips: int) -> Procedural | None:
    """Return the task the user asked for; None if the prompt is to decide. `simulate` with a clip is an edit."""
    if task == "simulate" and clips:
        return "edit"
    return None if task == "auto" else task


def inputs_fault(task: Procedural, images: int, clips: int) -> str | None:
    """Return a sentence on a wrong number of given files for a task; None if the number is right."""
    for kind, count, (least, most) in (
        ("picture", images, PROCEDURES[task].images),
        ("clip", clips, PROCEDURES[task].clips),
    ):
        if not least <= count <= most:
            given = "none was" if count == 0 else "1 was" if count == 1 else f"{count} were"
            return f"The task {task} takes {_how_many(least, most, kind)}, and {given} given."
    return None


def _how_many(least: int, most: int, kind: str) -> str:
    if most == 0:
        return f"no {kind}s"
    if least == most:
        return f"{least} {kind}" + "s" * (least > 1)
    return f"{least} to {most} {kind}s" if least else f"at most {most} {kind}s"


def steps_of(task: Procedural, words: Mapping[str, Any], *, transition: bool) -> Iterator[Tool]:
    """Yield the tools of a shot in order. words: its text by field. transition: add one to the next shot."""
    yield from (tool for tool in PROCEDURES[task].shot if tool.told is None or words.get(tool.told) is not None)
    if transition:
        yield from PROCEDURES[task].between


def call_id(shot: int, tool: AnyTool) -> str:
    """Return `<shot>.<tool>`. A transition counts to the shot that it starts from."""
    return f"{shot}.{tool}"


def fits(tool: Tool, shot: int, planned: Sequence[str]) -> bool:
    """Return whether the planned calls make all inputs of an optional tool in a shot."""
    return all(_maker(tool, start.argument, shot, planned) for start in tool.starts)


def needs_of(shot: int, tool: AnyTool, arguments: Mapping[str, Any], planned: Sequence[str]) -> list[str]:
    """Return the planned calls whose products a call uses, in the order of its open input arguments.

    Raises LookupError if one is not planned.
    """
    row = TOOLS[tool]
    needs = [_maker(row, name, shot, planned) for name in row.takes if not arguments.get(name)]
    if None in needs:
        raise LookupError(f"what {call_id(shot, tool)} starts from is not planned")
    return [need for need in needs if need is not None]


def _maker(tool: Tool, argument: str, shot: int, planned: Sequence[str]) -> str | None:
    """Return the planned call that supplies an open argument, preferring an edit of the product; else None."""
    start = next(start for start in tool.starts if start.argument == argument)
    own = call_id(shot, tool.name)
    changed = [row.name for row in TOOLS.values() if row.replaces and _starts_from(row, start.makers)]
    made = [call_id(shot + start.shot, maker) for maker in (*changed, *start.makers)]
    return next((call for call in made if call in planned and call != own), None)


def _starts_from(tool: Tool, makers: Sequence[str]) -> bool:
    return any(set(start.makers) & set(makers) for start in tool.starts)
