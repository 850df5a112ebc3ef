"""Requests that choose among takes or make more of them: use, again, animate, raise the limit."""

from dataclasses import replace

from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.products.appearance import sceneries
from graph.dialogue.products.candidates import UNSEEN, Nothing, Which
from graph.dialogue.products.product_changes import ChangeRequest, moves_for
from graph.dialogue.products.references import Reference
from graph.dialogue.requests.line import RequestLine
from graph.planning.turn import Heard
from graph.state.moves import MOST_AT_ONCE, Again, Animate, AnyMove, Choose, RaiseLimit, Undo
from graph.state.products import Product, inline_list

_BEST = phrases("best, nicest, prettiest, best one")
_CHOOSING = phrases(
    "use, take, choose, pick, select, keep, prefer, love, like, want, go with, better, best, nicer, "
    "nicest, good, great, "
    "back to, back, return, accept, approve, winner, wins, stick, stay, continue, go, favourite, "
    "favorite, perfect, fine, "
    "ok, more, rather, nice, mean, prettiest, prettier, right one, liked, lovely, cool, works"
)
"""Words that say of a named product that it is chosen."""
_NOT_CHOSEN = phrases("instead of, rather than, over, than")
"""Words before what is not chosen."""
_SEEING = phrases("see, show, show me, watch, play, view, look, display, let me see")
_MAKING = phrases("another, new, more, different, make, draw, variants, versions, variations, options, alternatives")
_REPEATING = phrases("redo, repeat, retry, do over, rerun")
_LIMIT = phrases("limit, raise, tries, retries")
_RAISING = phrases("raise, lift, increase, allow, higher, up to, more, limit")


def read_limit(line: RequestLine) -> Heard | None:
    """Read `raise the limit to 6`. Raises Which."""
    if not line.has(*_LIMIT) or not line.has(*_RAISING):
        return None
    number = next((int(item.amount) for item in line.items if "number" in item.kinds), None)
    product = line.candidates.one(list({product.call: product for product in line.candidates.it}.values()))
    return Heard(moves=(RaiseLimit(call=product.call, most=number or 6),))


# Again


def read_again(line: RequestLine) -> Heard | None:
    """Read `again`, `another three`, `redo the second one`. Raises Which, Nothing."""
    references = _repeated(line)
    if line.has(*MOTION) and not references:
        return None
    if references and line.has(*_SEEING) and not line.has(*_MAKING):
        return None
    films = references and all(reference.noun == "film" and not reference.place for reference in references)
    if films and not line.has(*_REPEATING):
        return None
    count = 1 if line.count is None else line.count
    if not 1 <= count <= MOST_AT_ONCE:
        raise Nothing(f"At most {MOST_AT_ONCE} are made at a time; ask for fewer.")
    products = [product for reference in references for product in _takes_of(line, reference) if product.board]
    products = products or list(line.given) or [_near(line)]
    calls = dict.fromkeys(_repeatable(line, product).call for product in products)
    return Heard(moves=tuple(Again(call=call, count=count) for call in calls))


def _repeated(line: RequestLine) -> list[Reference]:
    """Return what is made again: products, or what is named by its scene or its motion alone."""
    references = line.references(but=line.count)
    if not references:
        scenes = [item.value for item in line.items if "scene" in item.kinds]
        references = [Reference(noun="one", looks={"scene": scene}) for scene in scenes]
    if len(line.motions) == 1:
        return [Reference(noun="one", looks={"motion": line.motions[0]})]
    return references


def _takes_of(line: RequestLine, reference: Reference) -> list[Product]:
    """Return the products of a reference; of several takes of one call, one is enough to make it again."""
    try:
        return line.meant(reference)
    except Which as several:
        if len({product.call for product in several.among}) > 1:
            raise
        return several.among[-1:]


def _near(line: RequestLine) -> Product:
    """Return what "again" means without a name: `it`, whichever of its takes."""
    by_call = {product.call: product for product in line.candidates.it}
    if len(by_call) > 1 and line.forced is None:
        raise Which(list(by_call.values()))
    return line.candidates.one(list(by_call.values()))


def _repeatable(line: RequestLine, product: Product) -> Product:
    """Return the product, or the new part of a film that was joined around it: only that can be made again."""
    parts = [each for each in line.brief.things if each.shot == product.shot and each.kind == "clip" and each.stands]
    return parts[-1] if product.kind == "film" and parts else product


# Animate


def read_animate(line: RequestLine) -> Heard | None:
    """Set pictures in motion as their words say; a picture that waits is accepted. Raises Which, Nothing."""
    if line.has(*MOTION, "seconds"):
        return None
    near = line.candidates.it
    if line.has("again") and near and near[-1].kind == "clip":
        return None
    moves: list[AnyMove] = []
    for product in line.target(frozenset(("picture",))):
        if product.kind != "picture":
            return None
        moves += _animated(line, product)
    return Heard(moves=tuple(moves))


def _animated(line: RequestLine, product: Product) -> list[AnyMove]:
    if product.waits and not product.stands:
        return [Choose(call=product.call, take=product.take)]
    shown = sceneries(product)
    if not shown:
        raise Nothing("Say how it moves, too, like `it moves right for 3 seconds`.")
    if any(each.kind == "picture" and product.number in each.of for each in line.brief.things):
        return [Animate(image=product.id, prompt=shown[-1].sentence)]  # its clip shows a change of it
    return moves_for(line.candidates, product, ChangeRequest(None, shown[-1].motion, None, None))


# Choose


def read_choose(line: RequestLine) -> Heard | None:
    """Read `use the second one`, `number 3`. Raises Which, Nothing."""
    waiting = [product for product in line.candidates.it if product.waits]
    if line.has(*_BEST) and not line.named() and len(waiting) > 1:
        raise Nothing(UNSEEN)
    if all(reference.pronoun for reference in line.named()):
        return None
    if len(line.named()) > 1 and any(each.place in _BEST for each in line.named()):
        line = replace(line, items=[item for item in line.items if item.meant is None or item.meant.place not in _BEST])
    led = line.has(*_CHOOSING)
    products = _chosen(line, waiting, led=led)
    if len({product.call for product in products}) != len(products):
        raise Which(products)
    if not led:
        if all(product.stands for product in products):
            return Heard(reply=f"That is {inline_list(products)}, and it is chosen already. Say what to do with it.")
        if line.has("too", "also", "and"):
            return None
        if not all(product.waits or (product.board and product.take) for product in products):
            example = f"`use number {products[0].number}`"
            return Heard(reply=f"That is {inline_list(products)}. Say what to do with it, like {example}.")
    return Heard(moves=tuple(move for product in products for move in choose(line, product)))


def _chosen(line: RequestLine, waiting: list[Product], *, led: bool) -> list[Product]:
    """Return the products that the line names; of several, the one that can still be chosen. Raises Which, Nothing."""
    try:
        return _before_instead(line).products()
    except Which as several:
        others = [product for product in several.among if not product.stands]
        offered = [product for product in several.among if product in waiting]
        only = next((among for among in (others, offered) if len(among) == 1), None)
        if not led or only is None:
            raise
        return only


def _before_instead(line: RequestLine) -> RequestLine:
    """Return the line without what is not chosen: `3 instead of 1`."""
    at = next((at for at, item in enumerate(line.items) if item.kinds & _NOT_CHOSEN), len(line.items))
    return replace(line, items=line.items[:at]) if at else line


def choose(line: RequestLine, product: Product) -> list[AnyMove]:
    """Return the moves that choose a product. Raises Nothing.

    If the last turn edited it, that edit is undone first, since the original is wanted.
    """
    if not product.board:
        raise Nothing(
            f"Number {product.number} is not on the board any more; it can still be animated, changed or connected."
        )
    changes = [call for call in line.brief.calls if call.id in line.brief.new and product.call in call.needs]
    undone: list[AnyMove] = [Undo()] if any(call.tool.startswith("edit_") for call in changes) else []
    return [*undone, Choose(call=product.call, take=product.take)]
