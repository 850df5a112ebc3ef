"""A line that may be a request about products: its items, and the products that they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import Item
from graph.dialogue.products.candidates import MOVING, Candidates, Nothing
from graph.dialogue.products.product_changes import motions_in
from graph.dialogue.products.references import Reference, Resolver
from graph.planning.turn import TalkBrief
from graph.state.moves import AnyMove, Choose, GoOn
from graph.state.products import Product

_COUNTING = phrases(
    "more, another, times, time, takes, versions, variants, new, other, others, tries, different, pictures, clips, "
    "variations, alternatives, options, attempts, candidates, three, of them"
)
"""Words beside which a number counts."""
_NAMING = frozenset(("product", "object", "objects", "number"))


@dataclass(frozen=True)
class RequestLine:
    """A line on a board.

    items, text: its words. forced: the product that an ambiguous reference means. given: products that answer what the
    line left open.
    """

    brief: TalkBrief
    items: Sequence[Item]
    text: str
    forced: Product | None = None
    given: tuple[Product, ...] = ()

    @cached_property
    def candidates(self) -> Candidates:
        """The products that the line may mean."""
        return Candidates(self.brief, self.forced)

    @cached_property
    def resolver(self) -> Resolver:
        """Finds the products of references."""
        return Resolver(self.candidates)

    # Words

    def has(self, *words: str) -> bool:
        """Return whether an item is one of these words or kinds."""
        return any(item.kinds & set(words) for item in self.items)

    @cached_property
    def seconds(self) -> float | None:
        """The seconds that the line says."""
        return next((item.amount for item in self.items if "seconds" in item.kinds), None)

    @cached_property
    def count(self) -> int | None:
        """The number that counts something, not the number of a product."""
        for at, item in enumerate(self.items):
            if "number" not in item.kinds:
                if "twice" in item.kinds:
                    return 2
                continue
            near = [each for each in self.items[max(0, at - 1) : at + 2] if each is not item]
            if item.meant is None or any(each.kinds & _COUNTING for each in near):
                return int(item.amount)
            if len(self.items) <= 2 and near and near[0].kinds & {"again", "redo"} and near[0].start < item.start:
                return int(item.amount)
        return 2 if self.has("few", "couple") else None

    @cached_property
    def motions(self) -> list[str]:
        """The distinct motions that the line says; a verb with a direction is one motion."""
        if not self.has(*MOTION):
            return []
        words = [
            item.text
            for item in self.items
            if item.kinds & {*MOTION, "edge", "position"} or item.text in ("to", "the", "and", "it")
        ]
        return motions_in(" ".join(["it", *words]))

    # Products

    def named(self) -> list[Reference]:
        """Return the references of the line in order; bare numbers are references."""
        return [item.meant for item in self.items if item.meant is not None and item.kinds & _NAMING]

    def references(self, *, but: float | None = None) -> list[Reference]:
        """Return everything that may name a product, in order. but: a number that names none."""
        return [
            item.meant
            for item in self.items
            if item.meant is not None and not ("number" in item.kinds and item.amount == but)
        ]

    def meant(self, reference: Reference, fit: frozenset[str] = frozenset()) -> list[Product]:
        """Return the products of a reference, several only if it is a plural. Raises Which, Nothing."""
        found = self.resolver.all(reference, fit)
        if len(found) > 1 and not reference.many:
            return [self.candidates.one(found)]
        return found

    def products(self, fit: frozenset[str] = frozenset()) -> list[Product]:
        """Return the products that the line names, each once, and those that were given. Raises Which, Nothing."""
        named = [product for reference in self.named() for product in self.meant(reference, fit)]
        return distinct([*named, *self.given])

    def target(self, fit: frozenset[str] = frozenset()) -> list[Product]:
        """Return the products that the line is about; `it` if it names none. Raises Which, Nothing."""
        return self.products(fit) or [self.resolver.it(fit)]

    def moving(self, reference: Reference) -> list[Product]:
        """Return the clips or films of a reference; for a picture, the clip made of it. Raises Which, Nothing."""
        return [self.clip_of(product) for product in self.meant(reference, MOVING)]

    def clip_of(self, product: Product) -> Product:
        """Return the product, or for a picture the clip that was made of it, if there is one."""
        if product.kind != "picture":
            return product
        numbers, grown = {product.number}, True
        while grown:
            more = {each.number for each in self.brief.things if numbers & set(each.of) and each.kind != "film"}
            grown = not more <= numbers
            numbers |= more
        made = [each for each in self.brief.things if each.number in numbers and each.kind == "clip" and each.board]
        live = [each for each in made if each.stands or each.waits]
        return (live or made or [product])[-1]

    # Moves before others

    def chosen_first(self, product: Product) -> list[AnyMove]:
        """Return the choice of a product that a move is about to use, if it does not stand yet."""
        return [Choose(call=product.call, take=product.take)] if product.board and not product.stands else []

    def settled(self) -> tuple[AnyMove, ...]:
        """Return the acceptance of a clip that waits, before a film is made."""
        it = self.candidates.it
        return (GoOn(),) if it and it[0].waits and it[0].kind == "clip" else ()


def distinct(products: Sequence[Product]) -> list[Product]:
    """Return the products in order, each once."""
    return list({product.number: product for product in products}.values())


def require_moving(product: Product) -> Product:
    """Return a clip or film. Raises Nothing for a picture."""
    if product.kind == "picture":
        raise Nothing(
            f"Number {product.number} is a picture, and this takes clips or films; say `go on` to animate it."
        )
    return product
