"""The results of a line in a conversation, as values that each interface (terminal, JSON) presents in its own way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.runs.turns import Marked
from graph.state.channels import RunState
from graph.state.products import Product
from memory.errors import Argument
from memory.records import Mark, Run


@dataclass(frozen=True)
class Failure:
    """Why a turn stopped. sentence, code, arguments: of the error; None if the person stopped it.

    open: the turn can be tried again or taken back.
    """

    sentence: str | None
    code: str | None = None
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    open: bool = True


@dataclass(frozen=True)
class TurnResult:
    """What happened since the last turn that was reported.

    moves: what the planner understood. made: products that were not reported before; changed: numbers of those that
    were, by their new mark. question: what waits for an answer, None if nothing does. numbers: of all products, by
    artifact id. calls: agent calls that ran, and products that were found in the store. seconds: duration. failure: why
    the turn stopped, None if it did not.
    """

    run: Run
    state: RunState
    reply: str | None = None
    voice: str = "mora"
    notes: Sequence[str] = ()
    moves: Sequence[Mapping[str, Any]] = ()
    made: Sequence[Marked] = ()
    changed: Mapping[Mark, Sequence[int]] = field(default_factory=dict)
    question: Mapping[str, Any] | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    failure: Failure | None = None

    @property
    def silent(self) -> bool:
        """True if there is nothing to show."""
        return not (self.reply or self.notes or self.made or any(self.changed.values()))


@dataclass(frozen=True)
class Sentence:
    """A sentence that needed no turn of the run: the state of the board, or the person's preferences."""

    words: str


@dataclass(frozen=True)
class Products:
    """All products, requested by a command."""

    products: Sequence[Marked]


@dataclass(frozen=True)
class OneProduct:
    """A product to show again."""

    product: Product
    mark: Mark


@dataclass(frozen=True)
class Save:
    """A product to copy to the file that the person named."""

    product: Product
    file: str


@dataclass(frozen=True)
class Help:
    """The person asks for the list of commands."""


@dataclass(frozen=True)
class Leave:
    """The person leaves; the conversation can be continued later."""


Result = TurnResult | Sentence | Products | OneProduct | Save | Help | Leave
