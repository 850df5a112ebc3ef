"""The products of a run by number, and which of them "it" refers to."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from graph.state.channels import Call, Limits, RunState
from graph.state.takes import chosen, open_calls, recent, stale_calls
from graph.state.values import Draft

LONGEST_WORDS = 160


PRODUCT_ID = re.compile(r"\b(?:image|clip|film)-[0-9a-f]{16}\b")


class Product(Draft):
    """A product as the user sees it.

    kind: picture, clip or film. take: its number among the takes of its call, from 1. words: the prompts and
    instructions it was made with, in order. of: numbers of the products it was made from. board: its call is on the
    board. stands: it is the selected take. waits: it may be selected now.
    """

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
        """Return the product with its number: `number 3, clip: a red ball moves right in the snow`."""
        return f"number {self.number}, {self.looks}"

    @property
    def looks(self) -> str:
        """Return kind and words: `clip: a red ball moves right in the snow`."""
        words = "; ".join(self.words[-3:])
        return self.kind + (f": {shortened(words)}" if words else "")


def words_of(arguments: dict[str, Any]) -> str | None:
    """Return the instruction of a call, else its prompt."""
    return arguments.get("instruction") or arguments.get("prompt")


def shortened(text: str) -> str:
    """Return the text, truncated to `LONGEST_WORDS` characters."""
    return text if len(text) <= LONGEST_WORDS else f"{text[: LONGEST_WORDS - 1]}…"


def numbers_of(state: RunState) -> dict[str, int]:
    """Return the number of every product by artifact id. Products are reviewed, and numbered, in creation order."""
    return {artifact: number for number, artifact in enumerate(state.get("verdicts", {}), 1)}


class Board:
    """The products of a state, computed once."""

    def __init__(self, state: RunState, limits: Limits) -> None:
        self.state = state
        self.limits = limits

    @cached_property
    def things(self) -> list[Product]:
        """All products, ordered by number."""
        numbers, calls = numbers_of(self.state), {call["id"]: call for call in self.state.get("calls", [])}
        waiting = {take["artifact"] for call in self._open for take in self.state["takes"][call["id"]]}
        found: dict[int, Product] = {}
        for call_id, takes in self.state.get("takes", {}).items():
            call = calls.get(call_id)
            standing = chosen(self.state, call_id, self.limits) if call else None
            for take in takes:
                if (number := numbers.get(take["artifact"])) is not None and number not in found:
                    found[number] = Product(
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
    def it(self) -> list[Product]:
        """The products that "it" refers to.

        Those awaiting a decision, unless the last turn made a newer film; else the newest selected product that the
        last turn changed; else the newest selected product.
        """
        fresh = {take["artifact"] for call in self._open for take in recent(self.state, call)}
        waiting = [thing for thing in self.things if thing.id in fresh]
        standing = [thing for thing in self.things if thing.stands]
        touched = self._touched()
        touched_now = [thing for thing in standing if thing.call in touched]
        joined = [
            thing for thing in touched_now if waiting and thing.kind == "film" and thing.number > waiting[-1].number
        ]
        return joined[-1:] or waiting or (touched_now or standing)[-1:]

    def _touched(self) -> set[str]:
        """Return the calls that the last turn changed, and their dependents that are not stale."""
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
        """The arguments and the input artifacts of every product."""
        return {
            take["artifact"]: (take.get("asked", {}), take.get("inputs", []))
            for takes in self.state.get("takes", {}).values()
            for take in takes
        }

    def chain(self, artifact: str, depth: int = 12) -> list[str]:
        """Return the prompts and instructions behind a product, inputs first.

        The inputs' words are left out if the product's own prompt describes the whole scene, that is, unless it is an
        instruction or begins with "it".
        """
        asked, inputs = self._made.get(artifact, ({}, []))
        own = words_of(asked)
        whole = own is not None and "instruction" not in asked and not own.lower().startswith("it ")
        before = [] if whole or not depth else [words for each in inputs for words in self.chain(each, depth - 1)]
        return list(dict.fromkeys([*before, *([own] if own else [])]))


def kind_of(artifact: str) -> str:
    """Return the kind of an artifact in the user's terms, from its id."""
    return {"image": "picture"}.get(artifact.split("-", maxsplit=1)[0], artifact.split("-", maxsplit=1)[0])


def inline_list(things: Iterable[Product]) -> str:
    """Return the products as a list within a sentence: `number 1, picture: a red ball ...; number 2, ...`."""
    return "; ".join(thing.line for thing in things)


def lines_of(things: Iterable[Product]) -> str:
    """Return the products one per line, as displayed: `   3  clip: a red ball moves right in the snow`."""
    return "\n".join(f"{thing.number:>4}  {thing.looks}" for thing in things)
