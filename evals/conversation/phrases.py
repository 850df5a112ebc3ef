"""Phrases that people say in states of a conversation, and what a careful program does with each."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from graph.errors import RequestError

Part = Literal["read", "unread", "further"]
PARTS: tuple[Part, ...] = get_args(Part)
"""read: phrases that the authors of the reader have seen; unread: those that they have not; further: written later, for
the work on the reader, by a third hand."""
UPLOADS = ("upload:picture", "upload:clip", "upload:photo")
"""First lines that mean a conversation opened with a file of the person, see `given_files`."""
STOPPED = "^C"
"""A line that means: the person stopped the work of the line before."""


class Outcome(BaseModel):
    """One thing that a program may do. of: numbers of products; to: what becomes of it; says: words of the answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    do: str
    of: int | tuple[int, ...] | None = None
    to: dict[str, str] | float | None = None
    seconds: float | None = None
    before: bool = False
    first: int | None = None
    second: int | None = None
    from_: float | None = Field(default=None, alias="from")
    times: int | None = None
    factor: float | None = None
    count: int | None = None
    shots: int | None = None
    file: str | None = None
    says: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers in `of`."""
        return () if self.of is None else (self.of,) if isinstance(self.of, int) else self.of


class Together(BaseModel):
    """Several things that one sentence asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: tuple[Outcome, ...]


class State(BaseModel):
    """A state of a conversation. lines: what was said to reach it; there: what exists then, for readers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    lines: tuple[str, ...]
    there: str = ""


class Phrase(BaseModel):
    """What a person says in a state. kind: the kind of intention; want: the outcomes that are right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: str
    say: str
    kind: str
    want: tuple[Together | Outcome, ...]


class Phrases(BaseModel):
    """Phrases and the states that they are said in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    states: tuple[State, ...]
    phrases: tuple[Phrase, ...]

    def by_state(self) -> list[tuple[State, list[Phrase]]]:
        """Return the states in order, each with its phrases, if it has any."""
        said = {state.id: [phrase for phrase in self.phrases if phrase.state == state.id] for state in self.states}
        return [(state, said[state.id]) for state in self.states if said[state.id]]


_PHRASES: TypeAdapter[Phrases] = TypeAdapter(Phrases)


def phrases_of(part: Part) -> Phrases:
    """Return a part of the phrases that ship with Mora."""
    return read_phrases((files("evals.conversation") / "data" / f"{part}.json").read_text(encoding="utf-8"), part)


def read_phrases(text: str, name: str) -> Phrases:
    """Return the phrases in a JSON text. Raises RequestError for another text; name: what it is called then."""
    try:
        found = _PHRASES.validate_json(text)
    except ValidationError as error:
        fault: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise RequestError(
            "phrases-unreadable",
            f"{name} holds no phrases ({'.'.join(map(str, fault['loc']))}: {fault['msg']}); see evals/conversation.",
        ) from None
    unknown = _unknown_states(found)
    if unknown:
        raise RequestError("phrases-unreadable", f"{name} has no state {unknown[0]!r}, in which a phrase is said.")
    return found


def _unknown_states(phrases: Phrases) -> Sequence[str]:
    known = {state.id for state in phrases.states}
    return [phrase.state for phrase in phrases.phrases if phrase.state not in known]
