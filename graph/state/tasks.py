"""Each task's standard operating procedure as a table: which tools, in which order, from what, and what the film is.

Knows names only: no pixels, no words of any planner. The embedded planner draws its plan from it, every planner's plan
is held to it. What a tool starts from and makes is in the table of tools.
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
"""What a call may be of, the name of a tool: a run of its own ends in a film, a conversation has any number of them."""


Procedural = Literal["text-to-video", "image-to-video", "extend", "edit", "connect", "simulate"]
"""A task that is decided: what `auto` becomes."""


Told = Literal["picture", "edit", "motion"]


MAX_INPUTS = 8


@dataclass(frozen=True)
class Procedure:
    """shot: the tools that make every shot, in order. needs, may: the words that every shot has, and may have. between:
    the tool from a shot to the next one, if transitions are asked for. images, clips: least and most files given."""

    shot: tuple[Tool, ...]
    needs: tuple[Told, ...] = ()
    may: tuple[Told, ...] = ()
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
"""A film's shots are painted or given, perhaps adjusted, then set in motion; a clip goes on from its last frame; a clip
is changed frame by frame, or by its first one; between clips a way is found."""


def decided(task: "Task", clips: int) -> Procedural | None:
    """The task that a person ordered; None if the words are to decide."""
    if task == "simulate" and clips:
        return "edit"
    return None if task == "auto" else task


def inputs_fault(task: Procedural, images: int, clips: int) -> str | None:
    """What a task lacks or cannot use of the files given, as a sentence; None if nothing."""
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
    """The tools of a shot with these words by field, in order; `transition`: it leads over to the next shot."""
    yield from (tool for tool in PROCEDURES[task].shot if tool.told is None or words.get(tool.told) is not None)
    if transition:
        yield from PROCEDURES[task].between


def call_id(shot: int, tool: AnyTool) -> str:
    """`<shot>.<tool>`; the transition of a shot leads from it to the next one."""
    return f"{shot}.{tool}"


def fits(tool: Tool, shot: int, planned: Sequence[str]) -> bool:
    """True if the planned calls make all that an optional tool starts from in a shot."""
    return all(_maker(tool, start.argument, shot, planned) for start in tool.starts)


def needs_of(shot: int, tool: AnyTool, arguments: Mapping[str, Any], planned: Sequence[str]) -> list[str]:
    """The planned calls whose products a call starts from, in the order of its arguments that name nothing given.

    Raises LookupError if one is not planned.
    """
    row = TOOLS[tool]
    needs = [_maker(row, name, shot, planned) for name in row.takes if not arguments.get(name)]
    if None in needs:
        raise LookupError(f"what {call_id(shot, tool)} starts from is not planned")
    return [need for need in needs if need is not None]


def _maker(tool: Tool, argument: str, shot: int, planned: Sequence[str]) -> str | None:
    """The call whose product an argument is when it names nothing: as it was changed, if it is."""
    start = next(start for start in tool.starts if start.argument == argument)
    own = call_id(shot, tool.name)
    changed = [row.name for row in TOOLS.values() if row.replaces and _starts_from(row, start.makers)]
    made = [call_id(shot + start.shot, maker) for maker in (*changed, *start.makers)]
    return next((call for call in made if call in planned and call != own), None)


def _starts_from(tool: Tool, makers: Sequence[str]) -> bool:
    return any(set(start.makers) & set(makers) for start in tool.starts)
