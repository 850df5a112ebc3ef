"""What a planner is told in a conversation: what was said, and what there is, a line for each product.

Everything here comes from the state, so that whoever listens hears what the store has and not what somebody said. A
product is known by its number, the one it is shown with: products are counted in the order in which they were made.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from graph.drafts import Draft
from graph.state import Call, Limits, RunState
from graph.storyboard import chosen, open_calls, recent, stale_calls

LATEST = 16
EARLIEST = 3
"""Products of each kind that are told from the beginning, those of the first turns."""
MOST_STANDING = 16
EXCHANGES = 6
"""Sentences of the talk that are told before the one to be understood."""
LONGEST_WORDS = 160

_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
ORDINALS = {name: place for place, name in enumerate(_ORDINALS)}
"""From 0."""
NUMBER = re.compile(r"\d{1,5}")
PRODUCT_ID = re.compile(r"\b(?:image|clip|film)-[0-9a-f]{16}\b")


class Thing(Draft):
    """A product. kind: picture, clip or film. take: which one of its call, from 1. words: what it was made of, first
    things first. board: its call is on the board; stands: it is what is built on; waits: it may be chosen now."""

    number: int
    id: str
    kind: str
    call: str
    shot: int
    take: int
    words: tuple[str, ...] = ()
    of: tuple[int, ...] = ()
    board: bool = True
    stands: bool = False
    waits: bool = False

    @property
    def line(self) -> str:
        """`number 3, clip: a red ball moves right in the snow`."""
        return f"number {self.number}, {self.looks}"

    @property
    def looks(self) -> str:
        """`clip: a red ball moves right in the snow`."""
        said = "; ".join(self.words[-3:])
        return self.kind + (f": {shortened(said)}" if said else "")


class Planned(Draft):
    """A call on the board: the calls it needs, the words it has, and how many takes there are."""

    id: str
    tool: str
    needs: tuple[str, ...] = ()
    words: str | None = None
    takes: int = 0


class Spoken(Draft):
    """Something that was said before. who: person, mora or planner."""

    who: str
    text: str


class TalkBrief(Draft):
    """A turn as a planner hears it. it: numbers of what was shown last, or of what waits for a word. stale: calls
    whose product was made from what no longer stands. before: the talk so far, its last sentences. new: calls that the
    last turn put on the board."""

    said: str
    things: tuple[Thing, ...] = ()
    calls: tuple[Planned, ...] = ()
    it: tuple[int, ...] = ()
    stale: tuple[str, ...] = ()
    before: tuple[Spoken, ...] = ()
    new: tuple[str, ...] = ()
    seed: Annotated[int, Field(ge=0)] = 0


def talk_brief(state: RunState, limits: Limits) -> TalkBrief:
    """The present turn. Of many products those are told that stand, the first and the latest ones, and those named."""
    said = state.get("turn", {}).get("said") or ""
    board = Board(state, limits)
    things = _window(board.things, said)
    told = {thing.call for thing in things}
    calls = [
        call for call in state.get("calls", []) if call["id"] in told or not state.get("takes", {}).get(call["id"])
    ]
    talk = state.get("talk", [])[:-1][-EXCHANGES:]
    last = state.get("past", [])[-1:]
    return TalkBrief(
        said=said,
        things=tuple(things),
        calls=tuple(_planned(state, call) for call in calls),
        it=tuple(thing.number for thing in board.it),
        stale=tuple(call["id"] for call in stale_calls(state, limits)),
        before=tuple(Spoken(who=each["who"], text=each["text"][: 2 * LONGEST_WORDS]) for each in talk),
        new=tuple(call for past in last for call, was in past["calls"].items() if was is None),
        seed=state["request"]["seed"],
    )


def _window(things: list[Thing], said: str) -> list[Thing]:
    named = {int(number) for number in NUMBER.findall(said)}
    named |= {ORDINALS[word] + 1 for word in re.findall("[a-z]+", said.lower()) if word in ORDINALS}
    ids = set(PRODUCT_ID.findall(said))
    kinds: dict[str, int] = {}
    kept: set[int] = {thing.number for thing in things[-LATEST:]}
    kept |= {thing.number for thing in [thing for thing in things if thing.stands][-MOST_STANDING:]}
    for thing in things:
        kinds[thing.kind] = kinds.get(thing.kind, 0) + 1
        if kinds[thing.kind] <= EARLIEST or thing.number in named or thing.id in ids or thing.waits:
            kept.add(thing.number)
    return [thing for thing in things if thing.number in kept]


def _planned(state: RunState, call: Call) -> Planned:
    takes = len(state.get("takes", {}).get(call["id"], []))
    return Planned(
        id=call["id"], tool=call["tool"], needs=tuple(call["needs"]), words=words_of(call["arguments"]), takes=takes
    )


def words_of(arguments: dict[str, Any]) -> str | None:
    """The prompt or the instruction of a call."""
    return arguments.get("instruction") or arguments.get("prompt")


def shortened(text: str) -> str:
    """At most `LONGEST_WORDS` characters of it."""
    return text if len(text) <= LONGEST_WORDS else f"{text[: LONGEST_WORDS - 1]}…"


def numbers_of(state: RunState) -> dict[str, int]:
    """The number of every product: they are looked at, and so counted, in the order in which they are made."""
    return {artifact: number for number, artifact in enumerate(state.get("verdicts", {}), 1)}


class Board:
    """The products of a state as things, worked out once."""

    def __init__(self, state: RunState, limits: Limits) -> None:
        self.state = state
        self.limits = limits

    @cached_property
    def things(self) -> list[Thing]:
        """Every product, by its number."""
        numbers, calls = numbers_of(self.state), {call["id"]: call for call in self.state.get("calls", [])}
        waiting = {take["artifact"] for call in self._open for take in self.state["takes"][call["id"]]}
        found: dict[int, Thing] = {}
        for call_id, takes in self.state.get("takes", {}).items():
            call = calls.get(call_id)
            standing = chosen(self.state, call_id, self.limits) if call else None
            for take in takes:
                if (number := numbers.get(take["artifact"])) is not None and number not in found:
                    found[number] = Thing(
                        number=number,
                        id=take["artifact"],
                        kind=kind_of(take["artifact"]),
                        call=call_id,
                        shot=int(call_id.split(".")[0]),
                        take=take["attempt"] + 1,
                        words=tuple(self.chain(take["artifact"])),
                        of=tuple(numbers[each] for each in take.get("inputs", []) if each in numbers),
                        board=call is not None,
                        stands=standing is not None and standing["attempt"] == take["attempt"],
                        waits=take["artifact"] in waiting,
                    )
        return [found[number] for number in sorted(found)]

    @cached_property
    def _open(self) -> list[Call]:
        return open_calls(self.state, self.limits)

    @cached_property
    def it(self) -> list[Thing]:
        """What `it` is: what waits for a word, unless the last turn made a film after it; else the newest of what the
        last turn touched; else the newest."""
        fresh = {take["artifact"] for call in self._open for take in recent(self.state, call)}
        waiting = [thing for thing in self.things if thing.id in fresh]
        standing = [thing for thing in self.things if thing.stands]
        touched = self._touched()
        near = [thing for thing in standing if thing.call in touched]
        joined = [thing for thing in near if waiting and thing.kind == "film" and thing.number > waiting[-1].number]
        return joined[-1:] or waiting or (near or standing)[-1:]

    def _touched(self) -> set[str]:
        """The calls of the last turn, and what was made of them, as far as it was made of what stands now."""
        past = self.state.get("past", [])
        if not past:
            return set()
        stale = {call["id"] for call in stale_calls(self.state, self.limits)}
        touched = {call_id for change in past[-1].values() for call_id in change}  # type: ignore[attr-defined]
        for call in self.state.get("calls", []):
            if call["id"] not in stale and touched & set(call["needs"]):
                touched.add(call["id"])
        return touched

    @cached_property
    def _made(self) -> dict[str, tuple[dict[str, Any], list[str]]]:
        """What every product was asked with, and made from."""
        return {
            take["artifact"]: (take.get("asked", {}), take.get("inputs", []))
            for takes in self.state.get("takes", {}).values()
            for take in takes
        }

    def chain(self, artifact: str, depth: int = 12) -> list[str]:
        """The words a product was made of, those of what it was made from first. The prompt of a motion repeats what is
        seen, unless it speaks of `it`."""
        asked, inputs = self._made.get(artifact, ({}, []))
        own = words_of(asked)
        whole = own is not None and "instruction" not in asked and not own.lower().startswith("it ")
        before = [] if whole or not depth else [words for each in inputs for words in self.chain(each, depth - 1)]
        return list(dict.fromkeys([*before, *([own] if own else [])]))


def kind_of(artifact: str) -> str:
    """What a person calls the product of an id."""
    return {"image": "picture"}.get(artifact.split("-", maxsplit=1)[0], artifact.split("-", maxsplit=1)[0])


def told(things: Iterable[Thing]) -> str:
    """The things as a sentence's list: `number 1, picture: a red ball ...; number 2, ...`."""
    return "; ".join(thing.line for thing in things)


def lines_of(things: Iterable[Thing]) -> str:
    """The things a line each, the way they are shown: `   3  clip: a red ball moves right in the snow`."""
    return "\n".join(f"{thing.number:>4}  {thing.looks}" for thing in things)


def told_board(things: Sequence[Thing], stale: Sequence[str]) -> str:
    """What there is: a heading and a line for each product."""
    if not things:
        return "There is nothing yet; say what you want to see."
    standing = [thing for thing in things if thing.stands]
    waiting = [thing for thing in things if thing.waits and not thing.stands]
    others = len(things) - len(standing) - len(waiting)
    parts = [f"These stand:\n{lines_of(standing)}"] if standing else ["Nothing stands yet."]
    parts += [f"These wait for your word:\n{lines_of(waiting)}"] if waiting else []
    if old := [f"number {thing.number}" for thing in standing if thing.call in stale]:
        parts.append(f"Stale: {', '.join(old)}; `refresh` makes {'it' if len(old) == 1 else 'them'} again.")
    if others:
        parts.append(f"{others} more {'is' if others == 1 else 'are'} kept; /takes lists every one.")
    return "\n".join(parts)


def told_done(brief: TalkBrief, things: list[Thing]) -> str:
    """How products were made, a line each: those named, else the latest ones."""
    if not brief.things:
        return "Nothing was made yet."
    among = things or brief.things[-8:]
    before = among[0].number - 1
    earlier = f"\nBefore that, {before} more; /takes lists every one." if not things and before else ""
    return "I made:\n" + "\n".join(_making(thing) for thing in among) + earlier


def _making(thing: Thing) -> str:
    """`   4  picture: a red ball grows in the snow (drawn by A2, take 4)`."""
    of = f" of {', '.join(map(str, thing.of))}" if thing.of else ""
    how = MAKING.get(thing.call.split(".")[1] if thing.call else "", "made elsewhere")
    back = "" if thing.board else ", taken back"
    return f"{thing.number:>4}  {thing.looks} ({how}{of}, take {thing.take}{back})"


MAKING = {
    "text_to_image": "drawn by A2",
    "edit_image": "changed by A3",
    "image_to_video": "animated by A4",
    "extend_video": "added by A4",
    "edit_video": "changed by A3",
    "connect_videos": "led over by A5",
    "assemble_film": "joined",
}
