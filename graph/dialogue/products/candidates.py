"""The products that a person can mean on the board: by number, place, look or kind; what `it` is.

An ambiguous choice is not guessed: it raises the question to ask.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from graph.planning.turn import ORDINALS, TalkBrief
from graph.state.products import PRODUCT_ID, Product, kind_of, lines_of

WHICH = "Which one do you mean"
"""Start of the question which of several products is meant. Stored turns begin with it: do not change it."""

UNSEEN = "Which one? I cannot see which one is best; choose one by its number."
MOST_ASKED = 9
"""Largest number of products that such a question lists, the latest ones."""
LAST = {"last": -1, "latest": -1, "newest": -1, "final": -1, "previous": -2, "penultimate": -2}
OTHER = ("other", "others")
PICTURES = ("picture", "image", "frame", "photo", "still", "drawing")
CLIPS = ("clip", "animation", "gif")
FILMS = ("film", "movie")
VIDEOS = ("video",)
TAKES = ("one", "take", "version", "candidate", "try", "attempt", "variant", "result", "product")
NOUNS = (*PICTURES, *CLIPS, *FILMS, *VIDEOS, *TAKES, "shot")
PLURALS = {f"{noun}s": noun for noun in NOUNS} | {"tries": "try"}
_SUFFIXES = {"1st": "first", "2nd": "second", "3rd": "third", **{f"{n}th": name for name, n in (
    (name, place + 1) for name, place in ORDINALS.items() if place > 2)}}  # fmt: skip
MOVING: frozenset[str] = frozenset(("clip", "film"))


class Which(Exception):
    """A reference is ambiguous. among: the products that it may mean."""

    def __init__(self, among: Sequence[Product]) -> None:
        self.among = list(among)
        super().__init__(f"{WHICH}? Say its number:\n{lines_of(self.among[-MOST_ASKED:])}")


class Nothing(Exception):
    """A reference or request fits no product; the text is a sentence for the person."""


@dataclass(frozen=True)
class Candidates:
    """The products of a turn, and which of them a description means. forced: the one that an ambiguous one means."""

    brief: TalkBrief
    forced: Product | None = None
    foreign: list[Product] = field(default_factory=list)

    @property
    def products(self) -> list[Product]:
        """All products that can be meant."""
        return [*self.brief.things, *self.foreign]

    @property
    def it(self) -> list[Product]:
        """The products that `it` may mean."""
        return [product for product in self.brief.things if product.number in self.brief.it]

    def with_ids(self, text: str) -> str:
        """Replace artifact ids and `#N` by `number N`, and `2nd` by `second`; a foreign product gets a number, too."""

        def number(found: re.Match[str]) -> str:
            known = next((product for product in self.products if product.id == found[0]), None)
            if known is None:
                known = Product(
                    number=90_000 + len(self.foreign), id=found[0], kind=kind_of(found[0]), call="", shot=0, take=0,
                    board=False,
                )  # fmt: skip
                self.foreign.append(known)
            return f" number {known.number} "

        text = PRODUCT_ID.sub(number, text.lower())
        text = re.sub(r"\b(clip|picture|film|take|number) (?:no|nr|number)\.?\s*(\d+)", r"\1 \2", text)
        text = re.sub(r"(?:#|\bno\.|\bnr\.?)\s*(\d+)", r" number \1", text)
        return re.sub(r"\b\d+(?:st|nd|rd|th)\b", lambda found: _SUFFIXES.get(found[0], found[0]), text)

    def one(self, among: Sequence[Product]) -> Product:
        """Return the only product of several. Raises Which, Nothing."""
        if not among:
            raise Nothing("There is nothing yet that you could mean; wish for something first.")
        if len(among) > 1 and self.forced in among:
            return cast(Product, self.forced)
        if len(among) > 1:
            raise Which(among)
        return among[0]

    def only(self) -> Product:
        """Return the product that `it` means. Raises Which, Nothing."""
        if self.forced is not None and self.forced in self.it:
            return self.forced
        return self.one(self.it)

    def by_number(self, number: int) -> Product:
        """Return the product with a number. Raises Nothing."""
        found = next((product for product in self.products if product.number == number), None)
        if found is None:
            raise Nothing(f"There is no number {number}; say `what do I have?`, or /board, to see what there is.")
        return found

    def of_shot(self, shot: int) -> Product:
        """Return the last product of a shot that is chosen or waits, else its last one. Raises Nothing."""
        here = [product for product in self.products if product.shot == shot and product.board]
        live = [product for product in here if product.stands or product.waits]
        if not here:
            raise Nothing(f"There is no shot {shot}.")
        return (live or here)[-1]

    def several(self) -> list[Product]:
        """Return the products of `it` if there are several, else every clip and film that is chosen or waits."""
        if len(self.it) > 1:
            return self.it
        live = [product for product in self.products if product.stands or product in self.it]
        return [product for product in live if product.kind != "picture"] or live

    def scope(self, noun: str) -> list[Product]:
        """Return what a noun may mean: the takes in question, else what is chosen or waits."""
        kinds = kinds_of(noun)
        calls = {product.call for product in self.it}
        takes = [product for product in self.products if product.call in calls and product.call]
        takes = [product for product in takes if not kinds or product.kind in kinds]
        if len(takes) > 1 and (not kinds or takes[0].kind in kinds) and (noun in TAKES or any(t.waits for t in takes)):
            if len(calls) > 1 and noun in TAKES and self.forced is None:
                return [product for product in takes if product.waits]
            return takes
        if noun in TAKES and self.it:
            kinds = frozenset((self.it[0].kind,))
        among = [product for product in self.products if not kinds or product.kind in kinds]
        if noun in FILMS and not among:
            among = [product for product in self.products if product.kind == "clip"]
        return [product for product in among if product.stands or product.waits] or among

    def placed(self, place: str, noun: str) -> list[Product] | None:
        """Return what `the second clip` may mean; None for a word that is no place. Raises Which, Nothing."""
        if place in OTHER:
            return [product for product in self.scope(noun) if product not in self.it]
        if place not in ORDINALS and place not in LAST:
            return None
        if noun in TAKES and (product := self._bare(place, noun)) is not None:
            return [product]
        index = ORDINALS.get(place, LAST.get(place, 0))
        if noun == "shot":
            last = max((product.shot for product in self.products), default=0)
            return [self.of_shot(index + 1 if index >= 0 else last)]
        return self._placed(self.scope(noun), index, noun)

    def _bare(self, place: str, noun: str) -> Product | None:
        """Resolve `the second one`, `the previous take`; return None if the words are to be read as with a kind."""
        if place in ORDINALS and noun in ("one", "product"):
            return self._counted(ORDINALS[place], noun)
        return self._previous() if place == "previous" else None

    def _counted(self, index: int, noun: str) -> Product:
        """Resolve `the second one`: of the offered products, or with at most one offered the product of that number.

        Raises Which if it may be either, Nothing.
        """
        numbered = next((product for product in self.products if product.number == index + 1), None)
        offered = self._offered()
        if len(offered) > 1 and (numbered is None or index < len(offered)):
            return self.nth(offered, index, noun)
        if len(offered) > 1:
            return self.one(offered)
        calls = {product.call for product in self.it}
        takes = [product for product in self.products if len(calls) == 1 and product.call in calls]
        of_takes = takes[index : index + 1] if len(takes) > 1 else []
        if numbered is None and not of_takes:
            return self.by_number(index + 1)
        clips = [
            product
            for product in self.products
            if product.kind == "clip" and product.board and (product.stands or product.waits)
        ]
        if numbered is not None and len(clips) > index > 0 and numbered != clips[index] and not of_takes:
            return self.one([numbered, clips[index]])
        return self.one(list({product.number: product for product in (numbered, *of_takes) if product}.values()))

    def _offered(self) -> list[Product]:
        """Return what waits, or only the candidates of a call if it has several. Raises Which if several calls have."""
        waiting = [product for product in self.it if product.waits]
        calls = [product.call for product in waiting]
        several = list(dict.fromkeys(call for call in calls if calls.count(call) > 1))
        if len(several) > 1:
            return [self.one(waiting)]
        return [product for product in waiting if not several or product.call in several]

    def _previous(self) -> Product:
        """Resolve `the previous one`: the take before the current one, or what it was edited from. Raises Nothing."""
        if not self.it:
            raise Nothing("There is nothing yet that you could mean; wish for something first.")
        here = self.it[0]
        earlier = [product for product in self.products if product.call == here.call and product.take < here.take]
        if not earlier and ".edit_" in here.call:
            earlier = [product for product in self.products if product.number in here.of]
        if not earlier:
            raise Nothing(
                f"Number {here.number} is the first of its takes; say a number, `what do I have?` tells what there is."
            )
        return earlier[-1]

    def _placed(self, scope: list[Product], index: int, noun: str) -> list[Product]:
        """Return the n-th of the scope, and the n-th of all that was made if that is another product."""
        kinds = {product.kind for product in scope}
        every = [product for product in self.products if product.kind in kinds and product.board]
        takes = len({product.call for product in scope}) == 1 and len(scope) > 1
        if index < 0 or takes or set(scope) == set(every):
            return [self.nth(scope, index, noun)]
        if index >= len(scope):
            return [self.nth(every, index, noun)]
        return sorted({scope[index], every[index]}, key=lambda product: product.number)

    def nth(self, scope: list[Product], place: int, noun: str) -> Product:
        """Return the product at a 0-based place, negative from the end. Raises Nothing, which names the noun."""
        if not -len(scope) <= place < len(scope):
            have = "there is 1" if len(scope) == 1 else f"there are {len(scope)}" if scope else "there is none"
            raise Nothing(f"I find no such {noun}: {have}; say `what do I have?` to see what there is.")
        return scope[place]


def kinds_of(noun: str | None) -> frozenset[str]:
    """Return the kinds of product that a noun can name; none for `one` and the like."""
    if noun in PICTURES:
        return frozenset(("picture",))
    if noun in CLIPS:
        return frozenset(("clip",))
    if noun in FILMS:
        return frozenset(("film",))
    return MOVING if noun in VIDEOS else frozenset()
