"""What names a product in a line, as a value, and the products that it may mean: `it`, `8`, `the last clip`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from graph.dialogue.products.appearance import sceneries
from graph.dialogue.products.candidates import (
    LAST,
    NOUNS,
    TAKES,
    UNSEEN,
    Candidates,
    Nothing,
    Which,
    kinds_of,
)
from graph.planning.turn import ORDINALS
from graph.state.products import Product

Kind = Literal["picture", "clip", "film"]


@dataclass(frozen=True)
class Reference:
    """What a line says of a product.

    number: its number. noun: its kind as it was called. place: `first`, `last`, `other`, `middle`. looks: what it
    shows, by kind. tail: the same, said after the noun (`in the snow`). pronoun: `it` or `them`. only: it shows nothing
    else. many: the words are a plural. size: `short` or `long`. count: how many.
    """

    number: int | None = None
    noun: str | None = None
    place: str | None = None
    looks: dict[str, str] = field(default_factory=dict)
    pronoun: bool = False
    many: bool = False
    size: str | None = None
    count: int | None = None
    tail: dict[str, str] = field(default_factory=dict)
    only: bool = False

    @property
    def shown(self) -> dict[str, str]:
        """What it says that the product shows, with what follows the noun (`in the snow`)."""
        return {**self.looks, **self.tail}

    @property
    def without_tail(self) -> "Reference":
        """The reference without what follows the noun."""
        return replace(self, tail={})

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of product that the noun names; all if it names none."""
        return _named_kinds(self.noun)


def _named_kinds(noun: str | None) -> frozenset[str]:
    return frozenset(("clip",)) if noun == "transition" else kinds_of(noun)


@dataclass(frozen=True)
class Resolver:
    """Finds the products of references."""

    candidates: Candidates

    def one(self, reference: Reference, fit: Collection[str] = ()) -> Product:
        """Return the product of a reference. fit: kinds that the request can be about. Raises Which, Nothing."""
        found = self.all(reference, fit)
        if len(found) > 1 and not reference.many:
            return self.candidates.one(found)
        if len(found) > 1:
            raise Which(found)
        return self.candidates.one(found)

    def all(self, reference: Reference, fit: Collection[str] = ()) -> list[Product]:
        """Return the products that a reference may mean, at least one. Raises Which, Nothing."""
        if reference.number is not None:
            return [self._numbered(reference)]
        if reference.pronoun:
            return self._them(fit) if reference.many else [self.it(fit)]
        if reference.place and not reference.shown and not reference.many and reference.place != "middle":
            return self._placed(reference, fit)
        return self._described(reference, fit)

    def it(self, fit: Collection[str] = ()) -> Product:
        """Return the product that `it` means: what was made or shown last, if that fits. Raises Which, Nothing."""
        near = self.candidates.it
        if self.candidates.forced is not None and self.candidates.forced in near:
            return self.candidates.forced
        fitting = [product for product in near if not fit or product.kind in fit]
        if near and not fitting:
            fitting = self._newest_fitting(near, fit)
        if len({product.call for product in fitting}) > 1:
            fitting = [product for product in fitting if product.call == fitting[-1].call]
        return self.candidates.one(fitting or near)

    def _newest_fitting(self, near: Sequence[Product], fit: Collection[str]) -> list[Product]:
        """Return the product that fits and was made of `it`, or is the newest that stands."""
        numbers = {product.number for product in near}
        live = [p for p in self.candidates.products if p.kind in fit and p.board and (p.stands or p.waits)]
        of_it = [product for product in live if numbers & set(product.of)]
        sources = [product for product in live if any(product.number in each.of for each in near)]
        return (of_it or sources)[-1:]

    def _them(self, fit: Collection[str]) -> list[Product]:
        products = [product for product in self.candidates.several() if not fit or product.kind in fit]
        if not products:
            raise Nothing("There is nothing yet that you could mean; wish for something first.")
        return products

    def _numbered(self, reference: Reference) -> Product:
        assert reference.number is not None, "the reference has no number"
        if reference.noun == "shot":
            return self.candidates.of_shot(reference.number)
        if reference.noun in TAKES and reference.noun not in ("one", "product"):
            return self.candidates.nth(self.candidates.scope(reference.noun), reference.number - 1, reference.noun)
        if reference.noun and reference.noun not in ("number", "one", "product"):
            scope = self.candidates.scope(reference.noun)
            named = [product for product in scope if product.number == reference.number]
            return named[0] if named else self.candidates.nth(scope, reference.number - 1, reference.noun)
        return self.candidates.by_number(reference.number)

    def _placed(self, reference: Reference, fit: Collection[str]) -> list[Product]:
        assert reference.place is not None, "the reference has no place"
        if reference.place in ("left", "right"):
            return [self._beside(reference.place)]
        if reference.place == "original":
            return [self._original()]
        if reference.place in ("best", "nicest", "prettiest", "better", "nicer"):
            raise Nothing(UNSEEN)
        noun = reference.noun or "one"
        if noun in ("part", "thing", "bit"):
            noun = "clip" if noun == "part" else "one"
        if reference.place == "last" and (noun == "one" or _named_kinds(noun) & {"picture", "clip"}):
            return [self._last(_named_kinds(noun) or frozenset(fit))]
        if reference.place == "other" and len(self.candidates.it) > 1 and noun == "one":
            raise Which(self.candidates.it)
        found = self.candidates.placed(reference.place, noun)
        if found is None:
            raise Nothing("I do not know which one that is; say its number.")
        fitting = [product for product in found if not fit or product.kind in fit]
        return fitting or found

    def _beside(self, side: str) -> Product:
        """Return the left or right one of two or three that are offered. Raises Which, Nothing."""
        near = self.candidates.it if len(self.candidates.it) > 1 else []
        if len(near) not in (2, 3):
            raise Which(near or [each for each in self.candidates.products if each.stands or each.waits])
        return near[0 if side == "left" else -1]

    def _original(self) -> Product:
        """Return what `it` was edited from, or else the first take of its call. Raises Which, Nothing."""
        here = self.it()
        while ".edit_" in here.call and here.of:
            here = self.candidates.by_number(here.of[0])
        return next(product for product in self.candidates.products if product.call == here.call)

    def _last(self, fit: Collection[str]) -> Product:
        """Return the last of what waits and fits, else the last product that fits. Raises Nothing."""
        board = [product for product in self.candidates.products if product.board]
        waiting = [product for product in self.candidates.it if product.waits]
        live = [product for product in board if product.stands or product.waits]
        fitting = ([product for product in among if not fit or product.kind in fit] for among in (waiting, live, board))
        return self.candidates.nth(next((found for found in fitting if found), board), -1, "one")

    def _described(self, reference: Reference, fit: Collection[str]) -> list[Product]:
        kinds = reference.kinds or frozenset(fit)
        among = [product for product in self.candidates.products if not kinds or product.kind in kinds]
        shown = [product for product in among if self._shows(product, reference.shown)]
        if not shown and reference.shown:
            shown = [product for product in self.candidates.products if self._shows(product, reference.shown)]
            shown = [product for product in shown if not reference.kinds or product.kind in reference.kinds]
        live = [product for product in shown if product.stands or product.waits]
        if reference.noun == "transition":
            live = [product for product in live if product.call.split(".")[1:2] == ["connect_videos"]]
            shown = [product for product in shown if product.call.split(".")[1:2] == ["connect_videos"]]
        found = live or [product for product in shown if product.board] or shown
        if not found:
            raise Nothing(self._none(reference))
        if not reference.kinds and not reference.place and not reference.size and not reference.only:
            found = self._one_a_shot(found)
        if reference.size and len(found) > 1:
            found = self._by_length([each for each in found if each.kind != "picture"] or found, reference.size)
        if reference.only:
            found = self._whole_only(found, reference.shown)
        if reference.place and reference.count is None:
            return self._nth(found, reference.place)
        if reference.many:
            if reference.count is not None and len(found) > reference.count and reference.place in ("first", "last"):
                return found[: reference.count] if reference.place == "first" else found[-reference.count :]
            if reference.count is not None and len(found) > reference.count:
                raise Which(found)
            if reference.count is not None and len(found) < reference.count:
                have = "1" if len(found) == 1 else str(len(found))
                raise Nothing(
                    f"There are not {reference.count} of them, there is {have}; say `what do I have?` to see them."
                )
            return found
        near = [product for product in found if product in self.candidates.it and product.waits]
        return near if len(found) > 1 and near else found

    def _one_a_shot(self, found: list[Product]) -> list[Product]:
        """Return of each shot what waits now, or else its last product; films only if nothing else is found."""
        found = [product for product in found if product.kind != "film"] or found
        takes = [product for product in found if product.waits and product in self.candidates.it]
        shots = {product.shot for product in takes}
        others = {product.shot: product for product in found if product.shot not in shots}
        return sorted([*others.values(), *takes], key=lambda product: product.number)

    def _whole_only(self, found: list[Product], looks: dict[str, str]) -> list[Product]:
        """Return the products that show nothing else than these looks, if there are any."""
        only = [
            product
            for product in found
            if all(
                getattr(scenery, kind, value) == value
                for scenery in sceneries(product)
                for kind, value in looks.items()
            )
        ]
        films = [product for product in only if product.kind == "film"]
        return films[-1:] or only or found

    def _by_length(self, found: list[Product], size: str) -> list[Product]:
        """Return the product of the fewest, or of the most, parts."""
        ordered = sorted(found, key=lambda product: (product.kind == "film", len(product.of), product.number))
        return ordered[:1] if size == "short" else ordered[-1:]

    def _nth(self, found: list[Product], place: str) -> list[Product]:
        if place == "middle":
            if len(found) % 2 == 0:
                raise Which(found)
            return [found[len(found) // 2]]
        if place == "other":
            if len(self.candidates.it) > 1:
                raise Which(self.candidates.it)
            return [product for product in found if product not in self.candidates.it] or found
        return [self.candidates.nth(found, ORDINALS.get(place, LAST.get(place, 0)), "one")]

    def _shows(self, product: Product, looks: dict[str, str]) -> bool:
        """Return whether one of the sceneries of a product has all the looks."""
        return not looks or any(
            all(
                scenery.digital == (value == "digital") if kind == "style" else getattr(scenery, kind) == value
                for kind, value in looks.items()
            )
            for scenery in sceneries(product)
        )

    def _none(self, reference: Reference) -> str:
        if reference.shown:
            return f"Nothing there is {' '.join(reference.shown.values())}; say `what do I have?` to see it."
        noun = reference.noun or "product"
        return f"There is no {noun} yet; say `what do I have?` to see what there is."


def is_noun(word: str) -> bool:
    """Return whether a word names products: `clip`, `one`, `film`."""
    return word in NOUNS or word in ("part", "thing", "transition")
