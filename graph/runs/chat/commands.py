"""The `/` commands of a conversation and the moves they stand for. They name products by number."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from graph.errors import RequestError
from graph.state.moves import (
    Again,
    AnyMove,
    Choose,
    Connect,
    EditClip,
    EditPicture,
    Film,
    GoOn,
    RaiseLimit,
    Refresh,
    Undo,
)
from graph.state.products import PRODUCT_ID, Product, kind_of

Local = Literal["help", "takes", "board", "show", "save", "likes", "like", "forget", "quit"]
"""Commands that need no turn of the run."""


@dataclass(frozen=True)
class Order:
    """What a line asks for: moves, words for the planner, or something that needs no turn of the run."""

    moves: tuple[AnyMove, ...] = ()
    said: str | None = None
    local: Local | None = None
    words: str = ""


@dataclass(frozen=True)
class View:
    """What commands can refer to: all products, and those that `it` means."""

    things: tuple[Product, ...] = ()
    it: tuple[Product, ...] = ()

    def one(self, name: str) -> Product:
        """Return the product with this number or id. Raises RequestError for an unknown number."""
        if PRODUCT_ID.fullmatch(name):
            strange = Product(number=0, id=name, kind=kind_of(name), call="", shot=0, take=0, board=False)
            return next((thing for thing in self.things if thing.id == name), strange)
        number = name.lstrip("#")
        found = next((thing for thing in self.things if number.isdigit() and thing.number == int(number)), None)
        if found is None:
            raise RequestError("product-unknown", f"There is no product {name}; /takes lists them by number.")
        return found

    def only(self) -> Product:
        """Return the product that `it` means. Raises RequestError if there is none, or if it is ambiguous."""
        if not self.it:
            raise RequestError("nothing-made-yet", "There is nothing yet; say what you want to see.")
        if len({thing.call for thing in self.it}) > 1:
            numbers = ", ".join(str(thing.number) for thing in self.it)
            raise RequestError("product-ambiguous", f"Several are shown ({numbers}); say the number, too.")
        return self.it[-1]


def read_line(line: str, view: View) -> Order:
    """Parse a line. Raises RequestError for an unknown command, or one that lacks an argument."""
    if not line.startswith("/"):
        return Order(said=line)
    name, _, rest = line[1:].strip().partition(" ")
    if name not in COMMANDS:
        raise RequestError("command-unknown", f"There is no command /{name}; /help lists them.", command=name)
    return COMMANDS[name].act(view, rest.strip())


def _again(view: View, rest: str) -> Order:
    count = int(rest) if rest.isdigit() else 1
    if (rest and not rest.isdigit()) or not 1 <= count <= 8:
        raise RequestError("command-malformed", "Say how many more, 1 to 8, like `/again 3`.", command="again")
    return Order(moves=(Again(call=view.only().call, count=count),))


def _use(view: View, rest: str) -> Order:
    if not rest:
        raise RequestError("command-malformed", "Say which number stands, like `/use 2`.", command="use")
    thing = view.one(rest)
    if not thing.board:
        raise RequestError(
            "not-on-the-board", f"{rest} is not on the board; it can still be changed, extended or connected."
        )
    return Order(moves=(Choose(call=thing.call, take=thing.take),))


def _change(_view: View, rest: str) -> Order:
    """Leave the words to the planner; a product other than `it` is named by its number."""
    found = re.match(r"#?(\d+) (.+)", rest)
    if not rest:
        raise RequestError(
            "command-malformed",
            "Say what becomes of it, like `/change make it night` or `/change 2 make it blue`.",
            command="change",
        )
    return Order(said=f"change number {found[1]}: {found[2]}" if found else f"change it: {rest}")


def _edit(view: View, rest: str) -> Order:
    number, _, words = rest.partition(" ")
    if not words:
        raise RequestError(
            "command-malformed",
            "Say which product, and A3's instruction word for word, like `/edit 2 make it blue`.",
            command="edit",
        )
    thing = view.one(number)
    if thing.kind == "picture":
        return Order(moves=(EditPicture(image=thing.id, instruction=words),))
    return Order(moves=(EditClip(clip=thing.id, instruction=words),))


def _extend(view: View, rest: str) -> Order:
    found = re.match(r"#?(\d+)\b ?(.*)", rest)
    if found and not re.match(r"(?:more )?(?:s|sec|secs|second|seconds)\b", found[2]):
        view.one(found[1])
        return Order(said=f"extend number {found[1]}, {found[2]}".rstrip(" ,"))
    return Order(said=f"extend it, {rest}".rstrip(" ,"))


def _connect(view: View, rest: str) -> Order:
    names = rest.split()
    if len(names) != 2:
        raise RequestError("command-malformed", "Say which two clips or films, like `/connect 3 5`.", command="connect")
    first, second = (_moving(view.one(name)) for name in names)
    return Order(moves=(Connect(first=first.id, second=second.id),))


def _film(view: View, rest: str) -> Order:
    clips = tuple(_moving(view.one(name)).id for name in rest.split())
    return Order(moves=(Film(clips=clips),))


def _moving(thing: Product) -> Product:
    if thing.kind == "picture":
        raise RequestError(
            "not-a-clip", f"Number {thing.number} is a picture; name a clip or a film.", number=thing.number
        )
    return thing


def _limit(view: View, rest: str) -> Order:
    if not rest.isdigit() or not 1 <= int(rest) <= 100:
        raise RequestError(
            "command-malformed", "Say how often it may be made again, 1 to 100, like `/limit 6`.", command="limit"
        )
    return Order(moves=(RaiseLimit(call=view.only().call, most=int(rest)),))


def _save(_view: View, rest: str) -> Order:
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise RequestError("file-name-malformed", f"That is not a file name ({error}); put it in quotes.") from error
    if not 1 <= len(words) <= 2:
        raise RequestError(
            "command-malformed",
            "Say where to, and which one if it is not the last: `/save film.mp4`, `/save ball.png 2`.",
            command="save",
        )
    return Order(local="save", words=rest)


def _show(view: View, rest: str) -> Order:
    return Order(local="show", words=str(view.one(rest).number) if rest else "")


def _plain(*moves: AnyMove) -> Callable[[View, str], Order]:
    return lambda _view, _rest: Order(moves=moves)


def _local(name: Local) -> Callable[[View, str], Order]:
    return lambda _view, rest: Order(local=name, words=rest)


@dataclass(frozen=True)
class Command:
    """A `/` command. usage: its syntax; about: what it does, in a few words."""

    usage: str
    about: str
    act: Callable[[View, str], Order]


COMMANDS: dict[str, Command] = {
    "go": Command("/go", "accept what waits, and begin the next stage", _plain(GoOn())),
    "again": Command("/again [N]", "the same words with a new seed; N more takes", _again),
    "use": Command("/use N", "choose number N", _use),
    "change": Command("/change [N] WORDS", "let A3 change it: `make it night`", _change),
    "edit": Command("/edit N WORDS", "an edited copy of number N; A3 gets WORDS verbatim", _edit),
    "extend": Command("/extend [N] [WORDS]", "make a clip longer: `two seconds, it moves up`", _extend),
    "connect": Command("/connect A B", "a transition from clip A to clip B", _connect),
    "film": Command("/film [N ...]", "one film of these clips, or of all that stand", _film),
    "undo": Command("/undo", "take back the last turn; nothing is lost", _plain(Undo())),
    "refresh": Command("/refresh", "make stale products again", _plain(Refresh())),
    "limit": Command("/limit N", "how often it may be made again", _limit),
    "takes": Command("/takes", "list every product, by number", _local("takes")),
    "board": Command("/board", "what stands, what waits, what is stale", _local("board")),
    "show": Command("/show [N]", "show the last product again, or number N", _show),
    "save": Command("/save FILE [N]", "copy the last product, or number N, to a file", _save),
    "likes": Command("/likes", "what Mora remembers of your preferences", _local("likes")),
    "like": Command("/like WORDS", "remember a style, a length or a seed", _local("like")),
    "forget": Command("/forget [WORDS]", "forget a preference, or all of them", _local("forget")),
    "help": Command("/help", "this list", _local("help")),
    "quit": Command("/quit", "leave; the conversation can be continued", _local("quit")),
}
