"""Each task's standard operating procedure as a table: which tools, in which order, from what, and what the film is.

Knows names only: no pixels, no words of any planner. The embedded planner draws its plan from it, every planner's plan
is held to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from memory.records import Task

Tool = Literal["text_to_image", "edit_image", "image_to_video", "extend_video", "edit_video", "connect_videos"]


AnyTool = Tool | Literal["assemble_film"]
"""What a call may be of: a run of its own ends in a film, a conversation has any number of them."""


Procedural = Literal["text-to-video", "image-to-video", "extend", "edit", "connect", "simulate"]
"""A task that is decided: what `auto` becomes."""


Told = Literal["picture", "edit", "motion"]


MAX_INPUTS = 8


@dataclass(frozen=True)
class Step:
    """One call of a procedure.

    told: the field of the shot that holds its words; a shot without those words leaves the step out, None is always
    taken. takes: its arguments that name what it starts from.
    """

    tool: Tool
    told: Told | None = None
    takes: tuple[str, ...] = ()


PAINT = Step("text_to_image", told="picture")


ADJUST = Step("edit_image", told="edit", takes=("image",))


ANIMATE = Step("image_to_video", told="motion", takes=("image",))


LENGTHEN = Step("extend_video", told="motion", takes=("clip",))


CHANGE = Step("edit_video", told="edit", takes=("clip",))


JOIN = Step("connect_videos", takes=("before", "after"))


STEPS: dict[Tool, Step] = {step.tool: step for step in (PAINT, ADJUST, ANIMATE, LENGTHEN, CHANGE, JOIN)}


@dataclass(frozen=True)
class Procedure:
    """shot: the steps of every shot, in order. needs, may: the words that every shot has, and may have. between: the
    step from a shot to the next one, if transitions are asked for. images, clips: least and most files given."""

    shot: tuple[Step, ...]
    needs: tuple[Told, ...] = ()
    may: tuple[Told, ...] = ()
    between: tuple[Step, ...] = ()
    images: tuple[int, int] = (0, 0)
    clips: tuple[int, int] = (0, 0)


_FILM = (PAINT, ADJUST, ANIMATE)


PROCEDURES: dict[Procedural, Procedure] = {
    "text-to-video": Procedure(_FILM, needs=("picture", "motion"), may=("edit",), between=(JOIN,)),
    "image-to-video": Procedure(
        _FILM, needs=("motion",), may=("picture", "edit"), between=(JOIN,), images=(1, MAX_INPUTS)
    ),
    "simulate": Procedure(_FILM, needs=("motion",), may=("picture", "edit"), between=(JOIN,), images=(0, MAX_INPUTS)),
    "extend": Procedure((LENGTHEN,), needs=("motion",), clips=(1, 1)),
    "edit": Procedure((CHANGE,), needs=("edit",), may=("motion",), clips=(1, 1)),
    "connect": Procedure((JOIN,), clips=(2, MAX_INPUTS)),
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


def steps_of(task: Procedural, words: Mapping[str, Any], *, transition: bool) -> Iterator[Step]:
    """The steps of a shot with these words by field, in order; `transition`: it leads over to the next shot."""
    yield from (step for step in PROCEDURES[task].shot if step.told is None or words.get(step.told) is not None)
    if transition:
        yield from PROCEDURES[task].between


def call_id(shot: int, tool: Tool) -> str:
    """`<shot>.<tool>`; the transition of a shot leads from it to the next one."""
    return f"{shot}.{tool}"


def needs_of(shot: int, tool: Tool, arguments: Mapping[str, Any], planned: Sequence[str]) -> list[str]:
    """The planned calls whose products a call starts from, in the order of its arguments that name nothing given."""
    makers = {
        "image": [call_id(shot, "edit_image"), call_id(shot, "text_to_image")],
        "clip": [call_id(shot - 1, "extend_video")],
        "before": [call_id(shot, "image_to_video")],
        "after": [call_id(shot + 1, "image_to_video")],
    }
    open_ones = [name for name in STEPS[tool].takes if not arguments.get(name)]
    own = call_id(shot, tool)
    return [next(maker for maker in makers[name] if maker in planned and maker != own) for name in open_ones]
