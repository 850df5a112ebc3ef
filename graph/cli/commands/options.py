"""Options and arguments shared by several commands, and the choices of an option. Light to import."""

from enum import StrEnum
from typing import Annotated

import typer


class Task(StrEnum):
    """What is requested, by the names that records use."""

    AUTO = "auto"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    EXTEND = "extend"
    EDIT = "edit"
    CONNECT = "connect"
    SIMULATE = "simulate"


class Motion(StrEnum):
    """Whether an edited clip keeps its motion."""

    KEPT = "kept"
    NEW = "new"


class Fit(StrEnum):
    """How a file of another shape is fitted to the models' size."""

    CROP = "crop"
    PAD = "pad"


class Review(StrEnum):
    """Whether a person decides about every product."""

    NEVER = "never"
    ASK = "ask"


RunId = Annotated[str, typer.Argument(help="The run's id, or an unambiguous prefix of it.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every choice and of all noise; drawn if not given.")]
Profile = Annotated[str | None, typer.Option(help="Which models: embedded or paper.")]
Planner = Annotated[str | None, typer.Option(help="Which planner: embedded, openai or llama.")]
Out = Annotated[
    str | None,
    typer.Option(help="Where to write the film: a .mp4, .gif or .webm file, or a folder of pictures, which ends in /."),
]
Provenance = Annotated[
    bool | None,
    typer.Option("--provenance/--no-provenance", help="Whether the film carries a signed manifest of how it was made."),
]
