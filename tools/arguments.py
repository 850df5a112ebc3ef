"""Field types shared by planner arguments and recipes, with their bounds and units. Knows pydantic, but no tool."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.presets import MAX_SEED

MAX_PROMPT_CHARS = 400
SHORTEST_SHOT_SECONDS = 0.5
LONGEST_SHOT_SECONDS = 20.0
MOST_CLIPS = 1000
MOST_FRAMES = 20 * 120
"""Maximum per product: the longest shot at the highest rate that a planner may ask for."""
MOST_TOGETHER = 64

Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    Field(description="What is to be seen, in one or a few English sentences"),
]
Seconds = Annotated[
    float,
    Field(
        ge=SHORTEST_SHOT_SECONDS,
        le=LONGEST_SHOT_SECONDS,
        allow_inf_nan=False,
        description="Length of one shot in seconds",
    ),
]
FramesPerSecond = Annotated[float, Field(ge=1.0, le=120.0, allow_inf_nan=False, description="Frames a second")]
Size = Annotated[int, Field(ge=8, le=16384, description="One side of a picture in pixels")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED, description="Seed of the noise; the same seed gives the same product")]
ArtifactId = Annotated[
    str,
    StringConstraints(pattern=r"^(image|clip|film)-[0-9a-f]{16}$"),
    Field(description="Id of a stored product, as a tool answered it, like clip-0123456789abcdef"),
]


Place = Annotated[int, Field(strict=True, ge=0, lt=MOST_CLIPS)]  # strict: booleans are not indices
Rate = Annotated[str, Field(pattern=r"^\d{1,9}(/[1-9]\d{0,8})?$")]


def _printable(text: str) -> str:
    if any(not character.isprintable() for character in text):
        raise ValueError("must be one line without control characters")
    return text


Sentence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PROMPT_CHARS),
    AfterValidator(_printable),
]
ShotSeconds = Annotated[float, Field(ge=SHORTEST_SHOT_SECONDS, le=LONGEST_SHOT_SECONDS)]


def described(words: str) -> ConfigDict:
    """Return a pydantic model config that sets the description in the model's JSON schema.

    Model calls are recorded under a digest that includes their schemas, so the description must not come from a
    docstring, which may change at any time. A subclass inherits the description; give it its own.
    """
    return ConfigDict(json_schema_extra={"description": words})


class Arguments(BaseModel):
    """Base class of tool arguments. An unknown field is an error, and the planner receives the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Draft(BaseModel):
    """Base class of the values exchanged with a planner: frozen, unknown fields forbidden.

    The schema shown to a planner requires every field, but an answer that omits an optional field is still accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class RecipeSpec(BaseModel):
    """The fields of a recipe's spec that a tool can use; all others only contribute to the recipe's key.

    A recipe may come from an untrusted file, so its fields are validated with the same bounds as planner arguments.
    """

    prompt: Prompt | None = None
    instruction: Prompt | None = None
    seed: Seed = 0
    together: list[Seed] = Field(default=[], max_length=MOST_TOGETHER)
    num_frames: int = Field(default=2, ge=2, le=MOST_FRAMES + 1)
    frames_at_once: int | None = Field(default=None, ge=1, le=MOST_FRAMES)
    num_inference_steps: int | None = Field(default=None, ge=1, le=1000)
    guidance_scale: float | None = Field(default=None, ge=0, le=100)
    image_guidance_scale: float | None = Field(default=None, ge=0, le=100)
    edge: Literal["first", "last"] = "first"
    fps: Rate = "1"
    drop_first: frozenset[Place] = frozenset()
    drop_last: frozenset[Place] = frozenset()
    begin: int = Field(default=0, ge=0)
    end: int | None = Field(default=None, ge=1)
    speed: Rate = "1"
    backwards: bool = False
    times: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _seed_is_among_them(self) -> Self:
        if self.together and (self.seed not in self.together or len(set(self.together)) != len(self.together)):
            raise ValueError("those drawn together have each a seed of its own, and this one's is among them")
        return self
