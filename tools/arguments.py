"""What a planner may say, with bounds and units in one place. Knows pydantic; knows no verb."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.presets import MAX_SEED

Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    Field(description="What is to be seen, in one or a few English sentences"),
]
Seconds = Annotated[float, Field(ge=0.5, le=20.0, allow_inf_nan=False, description="Length of one shot in seconds")]
FramesPerSecond = Annotated[float, Field(ge=1.0, le=120.0, allow_inf_nan=False, description="Frames a second")]
Size = Annotated[int, Field(ge=8, le=16384, description="One side of a picture in pixels")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED, description="Seed of the noise; the same seed gives the same product")]
ArtifactId = Annotated[
    str,
    StringConstraints(pattern=r"^(image|clip|film)-[0-9a-f]{16}$"),
    Field(description="Id of a stored product, as a tool answered it, like clip-0123456789abcdef"),
]


def described(words: str) -> ConfigDict:
    """Return the setting of a pydantic model whose JSON schema carries these words as its description.

    Whatever a model is asked is recorded under a digest that its schemas are part of, so what they say stands here and
    not in a docstring, which may be changed at any time. A subclass inherits the words; give it its own.
    """
    return ConfigDict(json_schema_extra={"description": words})


class Arguments(BaseModel):
    """Base of every tool's arguments: a field that does not exist is an error that the planner reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")
