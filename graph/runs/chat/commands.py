"""The `/` commands of a conversation and the moves they stand for. They name products by number."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from graph.errors import RequestError
from graph.runs.chat.files_in_lines import path_of
from graph.runs.requests.given import Given
from graph.runs.requests.resolve import NOTHING_UPLOADED, Uploads
from graph.state.moves import (
    Again,
    AnyMove,
    Choose,
    Connect,
    Drop,
    EditClip,
    EditPicture,
    Film,
    GivenMove,
    GoOn,
    Length,
    Loop,
    Order,
    RaiseLimit,
    Refresh,
    Reverse,
    Speed,
    Trim,
    Undo,
)
from graph.state.products import PRODUCT_ID, Product, kind_of
from tools.cutting.edits import LEAST_SPEED, MOST_SPEED, MOST_TIMES

MOST_NAMED = 64
Local = Literal["help", "takes", "board", "show", "save", "likes", "like", "forget", "quit"]
"""Commands that need no turn of the run."""


@dataclass(frozen=True)
class Line:
    """What a line asks for: moves, words for the planner, or something that needs no turn of the run.

    files: those to add, not read yet; uploads: those that were read, which `moves` name.
    """

    moves: tuple[GivenMove, ...] = ()
    said: str | None = None
    local: Local | None = None
    words: str = ""
    files: tuple[Given, ...] = ()
    uploads: Uploads = NOTHING_UPLOADED


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

    def film_or_only(self) -> str | None:
        """Return None for the film that stands or, without one, the id of the clip that `it` means.

        Raises RequestError as `only`, and for a picture.
        """
        if any(thing.kind == "film" and thing.stands for thing in self.things):
            return None
        return _moving(self.only()).id


def read_line(line: str, view: View) -> Line:
    """Parse a line. Raises RequestError for an unknown command, or one that lacks an argument."""
    if not line.startswith("/"):
        return Line(said=line)
    name, rest = _name_and_rest(line)
    if name not in COMMANDS:
        raise RequestError("command-unknown", f"There is no command /{name}; /help lists them.", command=name)
    return COMMANDS[name].act(view, rest.strip())


def is_command(line: str) -> bool:
    """Return whether a line is one of the commands, and not the path of a file."""
    return line.startswith("/") and _name_and_rest(line)[0] in COMMANDS


def _name_and_rest(line: str) -> tuple[str, str]:
    name, _, rest = line[1:].strip().partition(" ")
    return name, rest


def _again(view: View, rest: str) -> Line:
    count = int(rest) if rest.isdigit() else 1
    if (rest and not rest.isdigit()) or not 1 <= count <= 8:
        raise RequestError("command-malformed", "Say how many more, 1 to 8, like `/again 3`.", command="again")
    return Line(moves=(Again(call=view.only().call, count=count),))


def _use(view: View, rest: str) -> Line:
    if not rest:
        raise RequestError("command-malformed", "Say which number stands, like `/use 2`.", command="use")
    thing = view.one(rest)
    if not thing.board:
        raise RequestError(
            "not-on-the-board", f"{rest} is not on the board; it can still be changed, extended or connected."
        )
    return Line(moves=(Choose(call=thing.call, take=thing.take),))


def _change(_view: View, rest: str) -> Line:
    """Leave the words to the planner; a product other than `it` is named by its number."""
    found = re.match(r"#?(\d+) (.+)", rest)
    if not rest:
        raise RequestError(
            "command-malformed",
            "Say what becomes of it, like `/change make it night` or `/change 2 make it blue`.",
            command="change",
        )
    return Line(said=f"change number {found[1]}: {found[2]}" if found else f"change it: {rest}")


def _edit(view: View, rest: str) -> Line:
    number, _, words = rest.partition(" ")
    if not words:
        raise RequestError(
            "command-malformed",
            "Say which product, and A3's instruction word for word, like `/edit 2 make it blue`.",
            command="edit",
        )
    thing = view.one(number)
    if thing.kind == "picture":
        return Line(moves=(EditPicture(image=thing.id, instruction=words),))
    return Line(moves=(EditClip(clip=thing.id, instruction=words),))


def _extend(view: View, rest: str) -> Line:
    found = re.match(r"#?(\d+)\b ?(.*)", rest)
    if found and not re.match(r"(?:more )?(?:s|sec|secs|second|seconds)\b", found[2]):
        view.one(found[1])
        return Line(said=f"extend number {found[1]}, {found[2]}".rstrip(" ,"))
    return Line(said=f"extend it, {rest}".rstrip(" ,"))


def _connect(view: View, rest: str) -> Line:
    names = rest.split()
    if len(names) != 2:
        raise RequestError("command-malformed", "Say which two clips or films, like `/connect 3 5`.", command="connect")
    first, second = (_moving(view.one(name)) for name in names)
    return Line(moves=(Connect(first=first.id, second=second.id),))


def _film(view: View, rest: str) -> Line:
    clips = tuple(_moving(view.one(name)).id for name in rest.split())
    return Line(moves=(Film(clips=clips),))


def _moving(thing: Product) -> Product:
    if thing.kind == "picture":
        raise RequestError(
            "not-a-clip", f"Number {thing.number} is a picture; name a clip or a film.", number=thing.number
        )
    return thing


def _order(view: View, rest: str) -> Line:
    return Line(moves=(Order(clips=_clips(view, rest, "come first", "order")),))


def _drop(view: View, rest: str) -> Line:
    return Line(moves=(Drop(clips=_clips(view, rest, "are left out", "drop")),))


def _clips(view: View, rest: str, what: str, command: str) -> tuple[str, ...]:
    names = rest.replace(",", " ").split()
    if not 1 <= len(names) <= MOST_NAMED:
        raise RequestError(
            "command-malformed",
            f"Say which clips {what}, 1 to {MOST_NAMED} of them, like `/{command} 13 3`.",
            command=command,
        )
    return tuple(_moving(view.one(name)).id for name in names)


_SPAN = re.compile(r"(?P<start>[\d.,:]+) ?s? ?(?:-|\bto\b|\.\.) ?(?:(?P<end>[\d.,:]+) ?s?)?")


def _trim(view: View, rest: str) -> Line:
    name, span = _name_and_amount(rest, "trim")
    found = _SPAN.fullmatch(span)
    start = _amount(found["start"]) if found else None
    end = _amount(found["end"]) if found and found["end"] else None
    if start is None or (found and found["end"] and not end):
        raise RequestError(
            "command-malformed",
            "Say from when to when, in seconds, like `/trim 5 0-1.5`, or `/trim 5 0.5-` for the rest.",
            command="trim",
        )
    return Line(moves=(Trim(clip=_id_of(view, name), start=start, end=end),))


def _loop(view: View, rest: str) -> Line:
    name, times = _name_and_amount(rest, "loop")
    if not times.isdecimal() or not 2 <= int(times) <= MOST_TIMES:
        raise RequestError(
            "command-malformed", f"Say how often it is played, 2 to {MOST_TIMES}, like `/loop 5 2`.", command="loop"
        )
    return Line(moves=(Loop(clip=_id_of(view, name), times=int(times)),))


def _reverse(view: View, rest: str) -> Line:
    names = rest.split()
    if len(names) > 1:
        raise RequestError("command-malformed", "Say which one, like `/reverse 5`.", command="reverse")
    return Line(moves=(Reverse(clip=_id_of(view, names[0] if names else None)),))


def _speed(view: View, rest: str) -> Line:
    name, words = _name_and_amount(rest, "speed")
    factor = _amount(words.removesuffix("x"))
    if factor is None or not LEAST_SPEED <= factor <= MOST_SPEED:
        raise RequestError(
            "command-malformed",
            f"Say how many times as fast, {LEAST_SPEED} to {MOST_SPEED:g}, like `/speed 5 2`, or 0.5 for half as fast.",
            command="speed",
        )
    return Line(moves=(Speed(clip=_id_of(view, name), factor=factor),))


def _length(view: View, rest: str) -> Line:
    name, words = _name_and_amount(rest, "length")
    seconds = _amount(words.removesuffix("s").rstrip())
    if not seconds:
        raise RequestError("command-malformed", "Say how long, in seconds, like `/length 5 3`.", command="length")
    return Line(moves=(Length(clip=_id_of(view, name), seconds=seconds),))


def _name_and_amount(rest: str, command: str) -> tuple[str | None, str]:
    """Split what comes after a command: a product may be named before the amount."""
    name, _, amount = rest.partition(" ")
    amount = amount.strip()
    if not amount and re.fullmatch(r"#\d+", name):
        raise RequestError(
            "command-malformed", f"Say the amount, too; /help tells how /{command} is used.", command=command
        )
    named = amount and re.fullmatch(r"#?\d+", name) and not re.match(r"- |to |\.\.", amount)
    return (name, amount) if named or PRODUCT_ID.fullmatch(name) else (None, rest)


def _id_of(view: View, name: str | None) -> str | None:
    """Return the id of a clip or film that was named; without a name, as `View.film_or_only`."""
    return view.film_or_only() if name is None else _moving(view.one(name)).id


def _amount(words: str) -> float | None:
    """Return a number that is not negative, such as 1.5, 1,5 or 0:02; None for anything else."""
    found = re.fullmatch(r"(?:(\d{1,3}):)?(\d{1,6}(?:[.,]\d{1,6})?|[.,]\d{1,6})", words)
    if found is None:
        return None
    return 60 * int(found[1] or 0) + float(found[2].replace(",", "."))


def _add(_view: View, rest: str) -> Line:
    if not rest:
        raise RequestError(
            "command-malformed", "Say which picture or video, like `/add ball.png` or `/add ~/clip.mp4`.", command="add"
        )
    return Line(files=(Given(path_of(rest)),))


def _limit(view: View, rest: str) -> Line:
    if not rest.isdigit() or not 1 <= int(rest) <= 100:
        raise RequestError(
            "command-malformed", "Say how often it may be made again, 1 to 100, like `/limit 6`.", command="limit"
        )
    return Line(moves=(RaiseLimit(call=view.only().call, most=int(rest)),))


def _save(_view: View, rest: str) -> Line:
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise RequestError("file-name-malformed", f"That is not a file name ({error}); put it in quotes.") from error
    if not 1 <= len(words) <= 2:
        raise RequestError(
            "command-malformed",
            "Say where to, and which one if it is not the last: `/save film.mp4`, `/save ball.gif 2`, `/save frames/`.",
            command="save",
        )
    return Line(local="save", words=rest)


def _show(view: View, rest: str) -> Line:
    return Line(local="show", words=str(view.one(rest).number) if rest else "")


def _plain(*moves: AnyMove) -> Callable[[View, str], Line]:
    return lambda _view, _rest: Line(moves=moves)


def _local(name: Local) -> Callable[[View, str], Line]:
    return lambda _view, rest: Line(local=name, words=rest)


@dataclass(frozen=True)
class Command:
    """A `/` command. usage: its syntax; about: what it does, in a few words."""

    usage: str
    about: str
    act: Callable[[View, str], Line]


COMMANDS: dict[str, Command] = {
    "go": Command("/go", "accept what waits, and begin the next stage", _plain(GoOn())),
    "again": Command("/again [N]", "the same words with a new seed; N more takes", _again),
    "use": Command("/use N", "choose number N", _use),
    "change": Command("/change [N] WORDS", "let A3 change it: `make it night`", _change),
    "edit": Command("/edit N WORDS", "an edited copy of number N; A3 gets WORDS verbatim", _edit),
    "extend": Command("/extend [N] [WORDS]", "make a clip longer: `two seconds, it moves up`", _extend),
    "connect": Command("/connect A B", "a transition from clip A to clip B", _connect),
    "film": Command("/film [N ...]", "one film of these clips, or of all that stand", _film),
    "order": Command("/order N [N ...]", "these clips first in the film, the others follow as they were", _order),
    "drop": Command("/drop N [N ...]", "leave clips out of the film; they are kept", _drop),
    "trim": Command("/trim [N] FROM-TO", "keep these seconds of clip N, or of the film: `/trim 5 0-1.5`", _trim),
    "loop": Command("/loop [N] TIMES", "play clip N, or the film, several times", _loop),
    "reverse": Command("/reverse [N]", "play clip N, or the film, backwards", _reverse),
    "speed": Command("/speed [N] FACTOR", "play it faster, or slower: 2 is twice as fast, 0.5 half as fast", _speed),
    "length": Command("/length [N] SECONDS", "cut clip N, or the film, to a length", _length),
    "add": Command("/add FILE", "add a picture or video of yours; its path alone does, too", _add),
    "undo": Command("/undo", "take back the last turn; nothing is lost", _plain(Undo())),
    "refresh": Command("/refresh", "make stale products again", _plain(Refresh())),
    "limit": Command("/limit N", "how often it may be made again", _limit),
    "takes": Command("/takes", "list every product, by number", _local("takes")),
    "board": Command("/board", "what stands, what waits, what is stale", _local("board")),
    "show": Command("/show [N]", "show the last product again, or number N", _show),
    "save": Command(
        "/save FILE [N]", "copy the last product, or number N, as .mp4, .gif, .webm, frames/ or .png", _save
    ),
    "likes": Command("/likes", "what Mora remembers of your preferences", _local("likes")),
    "like": Command("/like WORDS", "remember a style, a length or a seed", _local("like")),
    "forget": Command("/forget [WORDS]", "forget a preference, or all of them", _local("forget")),
    "help": Command("/help", "this list", _local("help")),
    "quit": Command("/quit", "leave; the conversation can be continued", _local("quit")),
}
