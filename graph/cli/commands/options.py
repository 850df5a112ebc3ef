"""Options and arguments that several commands take, and the choices of an option. Light to import, as `--help` is."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Task(StrEnum):
    """What is asked for, as a record says it."""

    AUTO = "auto"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    EXTEND = "extend"
    EDIT = "edit"
    CONNECT = "connect"
    SIMULATE = "simulate"


class Motion(StrEnum):
    """What becomes of the motion of an edited clip."""

    KEPT = "kept"
    NEW = "new"


class Fit(StrEnum):
    """How a file of another shape is brought to the models' size."""

    CROP = "crop"
    PAD = "pad"


class Review(StrEnum):
    """Who decides which product stands."""

    NEVER = "never"
    ASK = "ask"


RunId = Annotated[str, typer.Argument(help="The run's id, or enough of its beginning.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every choice and noise; drawn when not given.")]
Profile = Annotated[str | None, typer.Option(help="Which models: embedded or paper.")]
Planner = Annotated[str | None, typer.Option(help="Who plans: embedded, openai or llama.")]
Out = Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")]
Provenance = Annotated[
    bool | None,
    typer.Option("--provenance/--no-provenance", help="Whether the film carries a signed manifest of how it was made."),
]
