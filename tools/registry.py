"""The table of tools: the metadata that plans, checks, messages, traces and planners need, by tool name.

Rows are cheap to import: a tool's code, arguments and description are in its own file, which is imported on demand.
To add a tool, write a file with an `IMPLEMENTATION`, a row here, and tests.
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
    """An argument that names an input product.

    makers: when no product is named, take that of the first of these tools that is planned. shot: offset of the shot it
    is taken from, relative to the call's own.
    """

    argument: str
    makers: tuple[str, ...] = ()
    shot: int = 0


@dataclass(frozen=True)
class Tool:
    """A row of the table. Never change `name`: it is stored in checkpoints and records.

    makes: the kind of its product. noun: the product in a sentence, before the shot's number. made: how the product was
    made. doing: what the tool does while it runs. roles: the agents it calls. told: the field of a shot that holds its
    prompt or instruction; a shot without that text skips the call, and None means that it is never skipped.

    starts: its input products. lasts: what determines its length, `seconds` or its input clip; None for pictures and
    films. several: its agent draws several seeds in one call. replaces: the film shows its product instead of its
    input. optional: a planner may call it once per shot wherever its inputs are made. planned: whether a planner may
    call it at all.
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
        """The arguments that name its input products."""
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


def _cut_video() -> "Implementation":
    from tools.cutting.cut_video import IMPLEMENTATION

    return IMPLEMENTATION


def _cut_film() -> "Implementation":
    from tools.cutting.cut_film import IMPLEMENTATION

    return IMPLEMENTATION


def _given_picture() -> "Implementation":
    from tools.uploads.given import GIVEN_PICTURE

    return GIVEN_PICTURE


def _given_clip() -> "Implementation":
    from tools.uploads.given import GIVEN_CLIP

    return GIVEN_CLIP


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
    Tool(
        "cut_video", _cut_video, "clip", "cut clip of", "cut", "cutting", starts=(Start("clip"),), replaces=True,
        planned=False,
    ),
    Tool("cut_film", _cut_film, "film", "cut film of", "cut", "cutting", starts=(Start("clip"),), planned=False),
    Tool("given_picture", _given_picture, "image", "given picture of", "given by you", "adding", planned=False),
    Tool("given_clip", _given_clip, "clip", "given clip of", "given by you", "adding", planned=False),
)  # fmt: skip

_TABLE: dict[str, Tool] = {row.name: row for row in _ROWS}
TOOLS: Mapping[str, Tool] = MappingProxyType(_TABLE)
"""Tools by name, in the order in which a shot calls them."""


def planned_tools() -> tuple[Tool, ...]:
    """Return the tools that a planner may call, in call order."""
    return tuple(tool for tool in _TABLE.values() if tool.planned)


@contextmanager
def registered(tool: Tool) -> Iterator[None]:
    """Add a tool to the table for the duration of the block. Raises ValueError if its name is taken."""
    if tool.name in _TABLE:
        raise ValueError(f"There is a tool {tool.name} already; choose another name.")
    _TABLE[tool.name] = tool
    try:
        yield
    finally:
        del _TABLE[tool.name]


def remakes() -> "dict[str, Remake]":
    """Return how to make products again, by the agent's name in their recipe. Uploads are not included."""
    from tools.delivery.copies import REMAKES

    made = {name: remake for tool in _TABLE.values() for name, remake in tool.implementation().remakes.items()}
    return {**made, **REMAKES}


def as_langchain(tool: Tool, arguments: "type[BaseModel]", call: "Callable[[BaseModel], str]") -> "StructuredTool":
    """Return the tool as a LangChain tool.

    arguments: the arguments that the model may pass. call: handles them and returns the reply to the model.
    """
    from langchain_core.tools import StructuredTool

    def called(**given: Any) -> str:
        return call(arguments.model_validate(given))

    description = tool.implementation().description
    return StructuredTool.from_function(called, name=tool.name, description=description, args_schema=arguments)
