"""Base of all values that pass between Mora and a planner, and their checked fields."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from graph.state.bounds import LONGEST_SHOT_SECONDS, MAX_SHOTS, SHORTEST_SHOT_SECONDS

MAX_PROMPT_CHARS = 400


def _printable(text: str) -> str:
    if any(not character.isprintable() for character in text):
        raise ValueError("must be one line without control characters")
    return text


Sentence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PROMPT_CHARS),
    AfterValidator(_printable),
]


ShotNumber = Annotated[int, Field(ge=1, le=MAX_SHOTS)]


ShotSeconds = Annotated[float, Field(ge=SHORTEST_SHOT_SECONDS, le=LONGEST_SHOT_SECONDS)]


class Draft(BaseModel):
    """Base of what passes between Mora and a planner: frozen, unknown fields forbidden.

    The schema a planner is shown asks for every field; an answer that leaves out a null is still understood.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)
