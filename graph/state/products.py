"""The products of a run by number, and which of them "it" refers to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from graph.state.channels import Call, Limits, RunState, Take
from graph.state.takes import chosen_of, open_calls, recent, stale_among
from graph.state.values import Draft
from memory.records import Mark
from tools.cutting.edits import described_cut, is_cut

LONGEST_WORDS = 160


CUTS = ("start", "end", "speed", "backwards", "times")
"""The arguments of a cut."""


PRODUCT_ID = re.compile(r"\b(?:image|clip|film)-[0-9a-f]{16}\b")


class Product(Draft):
    """A product as the user sees it.

    kind: picture, clip or film. take: its number among the takes of its call, from 1. words: the prompts and
    instructions it was made with, in order. of: numbers of the products it was made from. board: its call is on the
    board. stands: it is the selected take. waits: it may be selected now. file: the name of the person's file that it
    is, with the size that it was fitted to, if it was.
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
    file: str | None = None

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Recorded questions have no such field.
        return {name: value for name, value in write(self).items() if name != "file" or value is not None}

    @property
    def line(self) -> str:
        """Return the product with its number: `number 3, clip: a red ball moves right in the snow`."""
        return f"number {self.number}, {self.looks}"

    @property
    def origin(self) -> tuple[str, ...]:
        """`your file ball.png, fitted to 64 x 64` for a file of the person, else nothing."""
        return () if self.file is None else (f"your file {self.file}",)

    @property
    def looks(self) -> str:
        """Return kind and words: `clip: a red ball moves right in the snow; played backwards`."""
        shown, cuts = [each for each in self.words if not is_cut(each)], [each for each in self.words if is_cut(each)]
        words = "; ".join([*self.origin, *shown[-3:], *cuts[-3:]])
        return self.kind + (f": {shortened(words)}" if words else "")


def words_of(arguments: dict[str, Any]) -> str | None:
    """Return the instruction of a call, else its prompt, else what a given file shows, else how it cuts something."""
    own = (arguments.get(name) for name in ("instruction", "prompt", "shows"))
    return next(filter(None, own), None) or cut_words(arguments)


def file_told(arguments: dict[str, Any]) -> str | None:
    """Return the name of the file that a call shows, and how it was fitted; None for any other call."""
    fitted = f", fitted to {arguments['fitted']}" if arguments.get("fitted") else ""
    return f"{arguments['file']}{fitted}" if "file" in arguments else None


def cut_words(arguments: dict[str, Any]) -> str | None:
    """Return the words for the cut that a call makes, such as `played backwards`; None if it makes none."""
    asked = {name: arguments[name] for name in CUTS if name in arguments}
    return described_cut(**asked) or None


def shortened(text: str) -> str:
    """Return the text, truncated to `LONGEST_WORDS` characters."""
    return text if len(text) <= LONGEST_WORDS else f"{text[: LONGEST_WORDS - 1]}…"


def numbers_of(state: RunState) -> dict[str, int]:
    """Return the number of every product by artifact id. Products are reviewed, and numbered, in creation order."""
    return {artifact: number for number, artifact in enumerate(state.get("verdicts", {}), 1)}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a take is on the board; as in `Product`, without what takes time to look up."""

    number: int
    call: str
    take: Take
    board: bool
    stands: bool
    waits: bool

    @property
    def is_film(self) -> bool:
        return kind_of(self.take["artifact"]) == "film"

    @property
    def is_given(self) -> bool:
        return file_told(self.take.get("asked", {})) is not None


class Board:
    """The products of a state, computed once."""

    def __init__(self, state: RunState, limits: Limits) -> None:
        self.state = state
        self.limits = limits

    @cached_property
    def things(self) -> list[Product]:
        """All products, ordered by number."""
        return self.products(self._places)

    @cached_property
    def it(self) -> list[Product]:
        """The products that "it" refers to.

        Those awaiting a decision, unless the last turn made a newer film or added a file; else the newest selected
        product that the last turn changed; else the newest selected product.
        """
        return self.products(place.number for place in self._it)

    @cached_property
    def marks(self) -> dict[int, Mark]:
        """The status of every product on the board, by its number, in order."""
        return {number: self._mark(place) for number, place in self._places.items()}

    @cached_property
    def waiting(self) -> frozenset[int]:
        """The numbers of the products that "it" refers to and that await a decision."""
        return frozenset(place.number for place in self._it if place.waits)

    @cached_property
    def stale(self) -> set[str]:
        """The ids of the calls whose selected takes are stale."""
        return {call["id"] for call in stale_among(self.state, self._standing)}

    def products(self, numbers: Iterable[int]) -> list[Product]:
        """Return the products with these numbers."""
        return [self._product(self._places[number]) for number in numbers]

    def _product(self, place: "_Place") -> Product:
        artifact = place.take["artifact"]
        return Product(
            number=place.number,
            id=artifact,
            kind=kind_of(artifact),
            call=place.call,
            shot=int(place.call.split(".")[0]),
            take=place.take["attempt"] + 1,
            words=tuple(self.chain(artifact)),
            of=tuple(self._numbers[each] for each in place.take.get("inputs", []) if each in self._numbers),
            board=place.board,
            stands=place.stands,
            waits=place.waits,
            file=file_told(place.take.get("asked", {})),
        )

    @cached_property
    def _places(self) -> dict[int, "_Place"]:
        """The place of every product, by its number, in order."""
        calls = {call["id"] for call in self.state.get("calls", [])}
        waiting = {take["artifact"] for call in self._open for take in self.state["takes"][call["id"]]}
        found: dict[int, _Place] = {}
        for call, takes in self.state.get("takes", {}).items():
            standing = self._standing.get(call)
            for take in takes:
                number = self._numbers.get(take["artifact"])
                if number is None:
                    continue
                # What was taken back and made again, without an agent, is the same product, now of another call.
                if number not in found or (call in calls and not found[number].stands):
                    stands = standing is not None and standing["attempt"] == take["attempt"]
                    found[number] = _Place(number, call, take, call in calls, stands, take["artifact"] in waiting)
        return {number: found[number] for number in sorted(found)}

    @cached_property
    def _it(self) -> list["_Place"]:
        fresh = {take["artifact"] for call in self._open for take in recent(self.state, call)}
        waiting = [place for place in self._places.values() if place.take["artifact"] in fresh]
        standing = [place for place in self._places.values() if place.stands]
        touched = self._touched()
        touched_now = [place for place in standing if place.call in touched]
        given = [place for place in touched_now if place.is_given]
        joined = [place for place in touched_now if waiting and place.is_film and place.number > waiting[-1].number]
        return given[-1:] or joined[-1:] or waiting or (touched_now or standing)[-1:]

    def _mark(self, place: "_Place") -> Mark:
        if not place.board:
            return "back"
        if place.stands:
            return "stale" if place.call in self.stale else "stands"
        return "waits" if place.waits else "kept"

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return numbers_of(self.state)

    @cached_property
    def _open(self) -> list[Call]:
        return open_calls(self.state, self.limits)

    @cached_property
    def _standing(self) -> dict[str, Take | None]:
        """The selected take of every call."""
        return {call["id"]: chosen_of(self.state, call, self.limits) for call in self.state.get("calls", [])}

    def _touched(self) -> set[str]:
        """Return the calls that the last turn changed, and their dependents that are not stale."""
        past = self.state.get("past", [])
        if not past:
            return set()
        touched = {call_id for change in past[-1].values() for call_id in change}  # type: ignore[attr-defined]
        for call in self.state.get("calls", []):
            if call["id"] not in self.stale and touched & set(call["needs"]):
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
        instruction, a cut, or begins with "it".
        """
        asked, inputs = self._made.get(artifact, ({}, []))
        own = words_of(asked)
        described = own is not None and own == asked.get("prompt") and "instruction" not in asked
        whole = described and not (own or "").lower().startswith("it ")
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
