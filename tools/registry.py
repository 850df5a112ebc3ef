"""The one table of tools: from a name to what calls, checks, messages, traces and models need to know of it.

A row is light: it names no function. The tool's own file has its code, its arguments and its description, and is
imported when one of them is wanted. To add a tool: its own file with an `IMPLEMENTATION`, a row here, its tests.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool
    from pydantic import BaseModel

    from models.agent import Role
    from tools.context import Implementation, Remake


@dataclass(frozen=True)
class Start:
    """An argument that names a product to start from.

    makers: the tools whose product it is when nothing is named, the first that is planned. shot: of which shot that is,
    counted from the call's own.
    """

    argument: str
    makers: tuple[str, ...] = ()
    shot: int = 0


@dataclass(frozen=True)
class Tool:
    """A row. Keep `name` for ever: it is in checkpoints and records.

    told: the field of a shot that holds its words; a shot without those words leaves the call out, None is always
    taken. starts: what it starts from. makes: the kind of its product. roles: the agents that it calls. noun: its
    product in a sentence, before the shot. made: how a product was made. doing: what is going on while it works.

    lasts: what its length follows, `seconds` or the clip that it starts from; None: it makes a picture, or joins.
    several: its agent draws several seeds in one go. replaces: the film shows its product in the place of what it
    starts from. optional: a planner may call it, once a shot, wherever what it starts from is made. planned: a planner
    may call it at all.
    """

    name: str
    implementation: Callable[[], "Implementation"]
    makes: Literal["image", "clip", "film"]
    noun: str
    made: str
    doing: str
    roles: "tuple[Role, ...]" = ()
    told: Literal["picture", "edit", "motion"] | None = None
    starts: tuple[Start, ...] = ()
    lasts: Literal["seconds", "clip"] | None = None
    several: bool = False
    replaces: bool = False
    optional: bool = False
    planned: bool = True

    @property
    def takes(self) -> tuple[str, ...]:
        """The arguments that name what it starts from."""
        return tuple(start.argument for start in self.starts)


def _text_to_image() -> "Implementation":
    from tools.text_to_image import IMPLEMENTATION

    return IMPLEMENTATION


def _edit_image() -> "Implementation":
    from tools.edit_image import IMPLEMENTATION

    return IMPLEMENTATION


def _image_to_video() -> "Implementation":
    from tools.image_to_video import IMPLEMENTATION

    return IMPLEMENTATION


def _extend_video() -> "Implementation":
    from tools.extend_video import IMPLEMENTATION

    return IMPLEMENTATION


def _edit_video() -> "Implementation":
    from tools.edit_video import IMPLEMENTATION

    return IMPLEMENTATION


def _connect_videos() -> "Implementation":
    from tools.connect_videos import IMPLEMENTATION

    return IMPLEMENTATION


def _assemble_film() -> "Implementation":
    from tools.assemble_film import IMPLEMENTATION

    return IMPLEMENTATION


_OWN_PICTURE = ("edit_image", "text_to_image")

_ROWS = (
    Tool(
        "text_to_image", _text_to_image, "image", "picture of", "drawn by A2", "drawing",
        roles=("text_to_image",), told="picture", several=True,
    ),
    Tool(
        "edit_image", _edit_image, "image", "changed picture of", "changed by A3", "changing",
        roles=("edit_image",), told="edit", starts=(Start("image", _OWN_PICTURE),),
    ),
    Tool(
        "image_to_video", _image_to_video, "clip", "clip of", "animated by A4", "animating",
        roles=("image_to_video",), told="motion", starts=(Start("image", _OWN_PICTURE),), lasts="seconds",
    ),
    Tool(
        "extend_video", _extend_video, "clip", "new part of", "added by A4", "extending",
        roles=("image_to_video",), told="motion", starts=(Start("clip", ("extend_video",), shot=-1),), lasts="seconds",
    ),
    Tool(
        "edit_video", _edit_video, "clip", "changed clip of", "changed by A3", "changing",
        roles=("edit_image", "image_to_video"), told="edit", starts=(Start("clip"),), lasts="clip", replaces=True,
    ),
    Tool(
        "connect_videos", _connect_videos, "clip", "transition after", "joined by A5", "joining",
        roles=("connect_videos",), lasts="seconds",
        starts=(Start("before", ("image_to_video",)), Start("after", ("image_to_video",), shot=1)),
    ),
    Tool("assemble_film", _assemble_film, "film", "film of", "joined", "joining", planned=False),
)  # fmt: skip

_TABLE: dict[str, Tool] = {row.name: row for row in _ROWS}
TOOLS: Mapping[str, Tool] = MappingProxyType(_TABLE)
"""By name, in the order in which the calls of a shot are made."""


def planned_tools() -> tuple[Tool, ...]:
    """Return the tools that a planner may call, in their order."""
    return tuple(tool for tool in _TABLE.values() if tool.planned)


@contextmanager
def registered(tool: Tool) -> Iterator[None]:
    """One more tool is in the table while the block lasts. Raises ValueError if its name is taken."""
    if tool.name in _TABLE:
        raise ValueError(f"There is a tool {tool.name} already; choose another name.")
    _TABLE[tool.name] = tool
    try:
        yield
    finally:
        del _TABLE[tool.name]


def remakes() -> "dict[str, Remake]":
    """Return how products are made again, by the name of the agent in their recipe; what a person gave cannot be."""
    return {name: remake for tool in _TABLE.values() for name, remake in tool.implementation().remakes.items()}


def as_langchain(tool: Tool, arguments: "type[BaseModel]", call: "Callable[[BaseModel], str]") -> "StructuredTool":
    """Return the tool as LangChain gives it to a model.

    arguments: what the model may say of it. call: what is done with that; its answer is what the model is told.
    """
    from langchain_core.tools import StructuredTool

    def called(**given: Any) -> str:
        return call(arguments.model_validate(given))

    description = tool.implementation().description
    return StructuredTool.from_function(called, name=tool.name, description=description, args_schema=arguments)
