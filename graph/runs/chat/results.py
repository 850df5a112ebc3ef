"""What comes of a line in a conversation, as values: a face (a terminal, JSON, a page) shows them in its own way."""

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
    """What a turn came to since the last one that was told.

    moves: as the planner understood it. made: products that were not told before; changed: numbers of those that were,
    by what they are now. question: what waits for a word, None if nobody is asked. numbers: of all products, by
    artifact id. calls: agent calls that ran, and products that were there already. seconds: how long it took. failure:
    why it stopped, None if it did not.
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
        """True if there is nothing to see of it."""
        return not (self.reply or self.notes or self.made or any(self.changed.values()))


@dataclass(frozen=True)
class Sentence:
    """Something said without a turn of the run: what stands on the board, what is remembered of what one likes."""

    words: str


@dataclass(frozen=True)
class Products:
    """All products, asked for by a command."""

    products: Sequence[Marked]


@dataclass(frozen=True)
class OneProduct:
    """A product to be shown once more."""

    product: Product
    mark: Mark


@dataclass(frozen=True)
class Save:
    """A product of which the person wants a copy in the file that they named."""

    product: Product
    file: str


@dataclass(frozen=True)
class Help:
    """The person asks what there is to say."""


@dataclass(frozen=True)
class Leave:
    """The person leaves; the conversation can be gone on with."""


Result = TurnResult | Sentence | Products | OneProduct | Save | Help | Leave
