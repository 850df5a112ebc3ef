"""The base class of value models, and the constrained types of a shot's fields."""

from typing import Annotated

from pydantic import Field

from graph.state.bounds import MAX_SHOTS
from tools.arguments import Draft, Sentence, ShotSeconds

__all__ = ["Draft", "Sentence", "ShotNumber", "ShotSeconds"]

ShotNumber = Annotated[int, Field(ge=1, le=MAX_SHOTS)]
