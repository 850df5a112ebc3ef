"""What a line may mean, as lines that are understood: offered by number, and answered by number or in words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graph.dialogue.lines.sentence import Sentence
from graph.dialogue.products.appearance import scenery_of
from graph.planning.turn import ORDINALS, READINGS, Heard, TalkBrief
from graph.state.moves import (
    Again,
    Animate,
    AnyMove,
    Change,
    Choose,
    Connect,
    Drop,
    EditClip,
    EditPicture,
    Extend,
    Film,
    GoOn,
    Length,
    Loop,
    Order,
    Refresh,
    Reverse,
    Reword,
    Speed,
    Trim,
    Undo,
    Wish,
)
from models.embedded.language import MOTIONS

_LINE = re.compile(r"^ *(\d)  (.+)$", re.MULTILINE)


def offered(what: str, readings: Sequence[str], brief: TalkBrief) -> Heard:
    """Return a question that offers lines to choose from."""
    if not readings:
        example = "say it in other words, or `help`" if brief.things else "say what you want to see, or `help`"
        return Heard(reply=f"{what} Say it without that, please; {example}.")
    lines = [f"{number:>4}  {line}" for number, line in enumerate(readings, 1)]
    return Heard(reply="\n".join([f"{what} {READINGS}", *lines]) + "\nSay its number, or say it in other words.")


def chosen_reading(question: str, sentence: Sentence) -> str | None:
    """Return the offered line that an answer chooses by its number, its place or its words; None for another answer."""
    if READINGS not in question:
        return None
    lines: list[str] = [line for _, line in _LINE.findall(question.split(READINGS, 1)[1])]
    text = sentence.text
    bare = [
        word
        for word in text.split(" ")
        if word not in ("the", "one", "number", "i", "mean", "meant", "please", "yes", ",", "ok")
    ]
    if len(bare) == 1 and bare[0].isdigit() and 1 <= int(bare[0]) <= len(lines):
        return lines[int(bare[0]) - 1]
    if len(bare) == 1 and ORDINALS.get(bare[0], len(lines)) < len(lines):
        return lines[ORDINALS[bare[0]]]
    if not bare and len(lines) == 1:
        return lines[0]
    if text in ("yes", "y", "right", "exactly", "ok", "correct") and len(lines) == 1:
        return lines[0]
    return next((line for line in lines if line == text), None)


def in_words(moves: Sequence[AnyMove], brief: TalkBrief) -> str | None:
    """Return a line that means these moves; None if there is none."""
    lines = [words for move in moves if (words := _in_words(move, brief)) is not None]
    preparing = [move for move in moves if isinstance(move, Choose | GoOn) or (isinstance(move, Reword) and move.later)]
    essential = [move for move in moves if move not in preparing] or list(moves)
    if len(essential) != 1:
        return " and ".join(lines) if lines and len(lines) == len(essential) else None
    return _in_words(essential[0], brief)


def _in_words(move: AnyMove, brief: TalkBrief) -> str | None:
    say = _SAID.get(type(move))
    return None if say is None else say(move, _Numbers(brief))


@dataclass(frozen=True)
class _Numbers:
    """The numbers by which products are named."""

    brief: TalkBrief

    def of(self, id: str | None) -> int | None:
        """Return the number of an artifact."""
        return next((product.number for product in self.brief.things if product.id == id), None)

    def of_call(self, call: str) -> int | None:
        """Return the number of the take of a call that stands, waits, or is its last one."""
        takes = [product for product in self.brief.things if product.call == call]
        live = [product for product in takes if product.stands] or [product for product in takes if product.waits]
        return next((product.number for product in reversed(live or takes)), None)

    def of_take(self, call: str, take: int) -> int | None:
        """Return the number of a take."""
        return next((each.number for each in self.brief.things if (each.call, each.take) == (call, take)), None)

    def of_clip(self, call: str) -> int | None:
        """Return the number of a clip, or of what it is made of if it is not made yet."""
        needs = next((each.needs for each in self.brief.calls if each.id == call), ())
        return self.of_call(call) or next((self.of_call(need) for need in needs), None)

    def listed(self, ids: Sequence[str], joint: str) -> str:
        """Return the numbers of artifacts."""
        return joint.join(f"number {self.of(id)}" for id in ids)


def _again(move: Any, numbers: _Numbers) -> str:
    return f"make number {numbers.of_call(move.call)} again" + (f" {move.count} times" if move.count > 1 else "")


def _extend(move: Any, numbers: _Numbers) -> str:
    by = f" by {move.seconds:g} seconds" if move.seconds else ""
    return f"extend number {numbers.of(move.clip)}{by}, {move.prompt}"


def _film(move: Any, numbers: _Numbers) -> str:
    return f"make a film of {numbers.listed(move.clips, ' and ')}" if move.clips else "make a film"


def _trim(move: Any, numbers: _Numbers) -> str | None:
    if move.end is None:
        return None
    return f"trim number {numbers.of(move.clip)} from {move.start:g} to {move.end:g} seconds"


def _changed(number: int | None, instruction: str) -> str | None:
    return None if number is None else f"number {number}: {instruction}"


def _moved(number: int | None, words: str) -> str | None:
    scenery = scenery_of(words)
    motion = scenery.motion if scenery is not None else next((each for each in MOTIONS if each in words), None)
    return None if number is None or motion is None else f"number {number} {motion}"


_SAID: dict[type, Callable[[Any, _Numbers], str | None]] = {
    GoOn: lambda _move, _numbers: "go on",
    Undo: lambda _move, _numbers: "undo",
    Refresh: lambda _move, _numbers: "refresh",
    Again: _again,
    Choose: lambda move, numbers: f"use number {numbers.of_take(move.call, move.take)}",
    Change: lambda move, numbers: _changed(numbers.of_call(move.call), move.instruction),
    EditPicture: lambda move, numbers: _changed(numbers.of(move.image), move.instruction),
    EditClip: lambda move, numbers: _changed(numbers.of(move.clip), move.instruction),
    Animate: lambda move, numbers: _moved(numbers.of(move.image), move.prompt),
    Reword: lambda move, numbers: _moved(numbers.of_clip(move.call), move.words),
    Extend: _extend,
    Connect: lambda move, numbers: f"connect number {numbers.of(move.first)} with number {numbers.of(move.second)}",
    Film: _film,
    Order: lambda move, numbers: f"order {numbers.listed(move.clips, ', ')}",
    Drop: lambda move, numbers: f"leave out {numbers.listed(move.clips, ' and ')}",
    Trim: _trim,
    Loop: lambda move, numbers: f"loop number {numbers.of(move.clip)} {move.times} times",
    Reverse: lambda move, numbers: f"reverse number {numbers.of(move.clip)}",
    Speed: lambda move, numbers: f"number {numbers.of(move.clip)} {move.factor:g} times speed",
    Length: lambda move, numbers: f"number {numbers.of(move.clip)} should last {move.seconds:g} seconds",
    Wish: lambda move, _numbers: str(move.words),
}
"""Move -> the line that means it."""
