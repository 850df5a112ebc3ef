"""The values of a conversation turn: the planner receives a TalkBrief and answers with a Heard."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from graph.state import read
from graph.state.channels import Call, Limits, RunState
from graph.state.moves import AnyMove
from graph.state.products import LONGEST_WORDS, PRODUCT_ID, Board, Product, words_of
from graph.state.takes import stale_calls
from graph.state.values import Draft
from tools.arguments import described


class Answer(BaseModel):
    """The user's answer that resumes a waiting run: text, or moves that need no interpretation.

    likes: stored preferences of the user, added to wishes that do not mention them. shown: number of the product that
    the user has looked at since the last turn.
    """

    model_config = ConfigDict(extra="forbid") | described(
        "What resumes a run that waits: words, or moves that need no reading. "
        "likes: what the person once said they like,\n"
        "as words that a wish without them gets."
    )

    said: str | None = Field(default=None, max_length=4000)
    moves: list[dict[str, Any]] = Field(default=[], max_length=16)
    likes: list[str] = Field(default=[], max_length=4)
    shown: SkipJsonSchema[int | None] = None


class Heard(BaseModel):
    """The planner's interpretation of a turn. reply: its message to the user; None if the products suffice.

    voice: the author of the reply: `mora`, derived from the store, or `planner`, a model's own text, which is not
    evidence. open: the planner wants to see the products of the moves before it goes on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid") | described(
        "What the planner makes of a turn. "
        "reply: what it says to the person, None if the products speak for themselves.\n\n"
        "voice: whose words the reply is: "
        "the house's, which it says of the store, or a model's own, which prove nothing.\n"
        "open: it wants to see what the moves made, and then say more."
    )

    moves: tuple[AnyMove, ...] = ()
    reply: str | None = None
    voice: Literal["mora", "planner"] = "mora"
    open: bool = False


MOVES: TypeAdapter[list[AnyMove]] = TypeAdapter(list[AnyMove])


LATEST = 16


EARLIEST = 3
"""How many of the oldest products of each kind the planner is told about."""


MOST_STANDING = 16


EXCHANGES = 6
"""How many earlier messages of the conversation the planner receives."""


READINGS = "Do you mean:"
"""Before the lines of a question that offers what the words may mean. Stored turns hold it: do not change it."""
LONGEST_OFFER = 2000


_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip


ORDINALS = {name: place for place, name in enumerate(_ORDINALS)}
"""Ordinal word -> index, from 0."""


NUMBER = re.compile(r"\d{1,5}")


class Planned(Draft):
    """A call on the board: its dependencies, its prompt or instruction, and the number of its takes."""

    id: str
    tool: str
    needs: tuple[str, ...] = ()
    words: str | None = None
    takes: int = 0


class Spoken(Draft):
    """An earlier message of the conversation. who: person, mora or planner."""

    who: str
    text: str


class TalkBrief(Draft):
    """A turn as the planner receives it.

    it: numbers of the products that "it" refers to. stale: calls whose selected take was made from inputs no longer
    selected. before: the last messages of the conversation. new: calls that the last turn added to the board. last: the
    moves of the last turn.
    """

    said: str
    things: tuple[Product, ...] = ()
    calls: tuple[Planned, ...] = ()
    it: tuple[int, ...] = ()
    stale: tuple[str, ...] = ()
    before: tuple[Spoken, ...] = ()
    new: tuple[str, ...] = ()
    last: Annotated[tuple[dict[str, Any], ...], Field(exclude_if=lambda moves: not moves)] = ()
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def last_moves(self) -> tuple[AnyMove, ...]:
        """The moves of the last turn."""
        return tuple(MOVES.validate_python([move for move in self.last if move["do"] != "upload"]))


def talk_brief(state: RunState, limits: Limits) -> TalkBrief:
    """Return the brief of the present turn. Of many products it keeps the selected, first, latest and named ones."""
    said = read.words(state)
    board = Board(state, limits)
    things = _window(board.things, said)
    listed = {thing.call for thing in things}
    calls = [call for call in read.calls(state) if call["id"] in listed or not read.takes(state).get(call["id"])]
    talk = read.talk(state)[:-1][-EXCHANGES:]
    last = read.past(state)[-1:]
    turn = read.turn(state)
    shown = None if turn is None else turn.get("shown")
    it = [shown] if any(thing.number == shown for thing in board.things) else [thing.number for thing in board.it]
    return TalkBrief(
        said=said,
        things=tuple(things),
        calls=tuple(_planned(state, call) for call in calls),
        it=tuple(number for number in it if number is not None),
        stale=tuple(call["id"] for call in stale_calls(state, limits)),
        before=tuple(Spoken(who=each["who"], text=_remembered(each["text"])) for each in talk),
        new=tuple(call for past in last for call, previous in past["calls"].items() if previous is None),
        last=() if turn is None else tuple(turn.get("last", [])),
        seed=read.request(state).seed,
    )


def _remembered(text: str) -> str:
    """Return what a planner is told of a message: its beginning, all of it if it offers lines to choose from."""
    return text[: LONGEST_OFFER if READINGS in text else 2 * LONGEST_WORDS]


def _window(things: list[Product], text: str) -> list[Product]:
    named = {int(number) for number in NUMBER.findall(text)}
    named |= {ORDINALS[word] + 1 for word in re.findall("[a-z]+", text.lower()) if word in ORDINALS}
    ids = set(PRODUCT_ID.findall(text))
    kinds: dict[str, int] = {}
    kept: set[int] = {thing.number for thing in things[-LATEST:]}
    kept |= {thing.number for thing in [thing for thing in things if thing.stands][-MOST_STANDING:]}
    for thing in things:
        kinds[thing.kind] = kinds.get(thing.kind, 0) + 1
        if kinds[thing.kind] <= EARLIEST or thing.number in named or thing.id in ids or thing.waits:
            kept.add(thing.number)
    return [thing for thing in things if thing.number in kept]


def _planned(state: RunState, call: Call) -> Planned:
    takes = len(read.takes(state).get(call["id"], []))
    return Planned(
        id=call["id"], tool=call["tool"], needs=tuple(call["needs"]), words=words_of(call["arguments"]), takes=takes
    )
