"""Requests that make longer films of clips: extend, connect, make a film."""

import re
from dataclasses import replace

from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.products.appearance import sceneries
from graph.dialogue.products.candidates import MOVING, Nothing, Which
from graph.dialogue.products.references import Reference
from graph.dialogue.requests.choosing import choose
from graph.dialogue.requests.line import RequestLine, distinct, require_moving
from graph.english.refusals import Refusal
from graph.planning.turn import Heard
from graph.state.moves import Connect, Extend, Film
from graph.state.products import Product, inline_list
from models.embedded.language import MOTIONS, Motion, motion_sentence

_BEFORE = phrases(
    "before that, before, beforehand, at the start, at the beginning, prepend, what happened before, what was before, "
    "went before, happens before, comes before, happened earlier, came before, in front, in front "
    "of, before it, front, "
    "earlier, start, beginning"
)
_LONGER = phrases("longer, extend, continue, keep going, go on, more, add, keeps")
_AFTERWARDS = phrases("next, then, after that, afterwards")
_WHEN = phrases("and then, then, after that, afterwards, next, keep, after, before")
"""Words after which a motion is an extension."""
_WEAK = phrases(
    "another, more, next, and then, then, after, before, keep, long, extra, add, after that, afterwards, stretch"
)
"""Words that mean an extension only beside a strong one."""
_STRONG = phrases(
    "seconds, what, extend, append, continuation, extended, intro, outro, longer, prolong, lengthen, "
    "continue, keep going, "
    "go on, goes on, carry on, what happens next, what happened before, what happens then, what happens after, "
    "what happens after that, what was before"
)
_JOINING = phrases("join, merge, combine, glue")
_FILM = _JOINING | phrases(
    "film, films, together, assemble, stitch, splice, compile, edit together, into one, one video, "
    "video of it, whole film"
)
_MAKING = phrases(
    "make, create, build, cut, assemble, put, now, is, done, all, finish, finished, go, want, "
    "produce, need, give, again, "
    "render, get, have, let us make, film, that is all, ready, complete"
)
"""Words with which `the film` is one to be made."""
_FILM_NOUNS = ("film", "movie", "video")

# Extend


def read_extend(line: RequestLine) -> Heard | None:
    """Read `extend it by two seconds, it keeps moving right`, `then it moves up`. Raises Which, Nothing, Refusal."""
    if not line.candidates.products or not _is_extension(line):
        return None
    if line.has(*MOTION) and not line.motions and not line.has("verb"):
        return None
    if len(line.motions) > 1:
        raise Refusal(
            "wish-of-two-motions",
            "What is added has one motion; wish for one, then extend the film that comes out by the other.",
        )
    seconds = line.seconds
    if seconds is None and line.has("longer", "extend", "by"):
        seconds = _bare_amount(line)
    to = re.search(r"\bto (?:\S+) seconds?\b", line.text) and not line.has("add", "more", "longer")
    if seconds is not None and to:
        raise Nothing("Say by how much it is made longer, like `extend it by two seconds`.")
    return _extension(line, _extended(line), seconds)


def _is_extension(line: RequestLine) -> bool:
    """Return whether words that may mean something else mean an extension here."""
    if line.has("colour", "scene") and not line.named():
        return False
    if line.has("go on", "continue", "carry on") and line.has("with") and not line.has("seconds", *MOTION):
        return False
    if line.has("keep") and line.has(*MOTION) and all(product.kind != "picture" for product in line.candidates.it):
        return True  # `keep it growing`
    if line.has("first", "last", "keep") and not line.has(*_LONGER, *_BEFORE, *_AFTERWARDS):
        return False
    if line.has("use", "take", "choose", "pick"):
        return False  # `take 1 and continue`
    moving_on = line.has(*_WHEN) and line.has(*MOTION)
    return moving_on or not line.has(*_WEAK) or line.has(*_STRONG)


def _bare_amount(line: RequestLine) -> float | None:
    """Return the number in `longer by two`: seconds that are not called so."""
    for at, item in enumerate(line.items):
        if item.kinds & {"number", "decimal"} and (item.meant is None or line.items[at - 1].kinds & {"by"}) and at:
            return item.amount
    return None


def _extended(line: RequestLine) -> Product:
    references = line.references(but=_bare_amount(line) if line.seconds is None else None)
    named = [reference for reference in references if not reference.pronoun]
    if references and references[0].pronoun and len(references) > 1:
        named = []  # `make the whole thing longer, the box keeps going left`
    if references and references[0].many and not line.given:
        raise Which(line.meant(references[0], MOVING))  # one is extended at a time
    found = [product for reference in named[:1] for product in line.meant(reference, MOVING)] or list(line.given)
    return line.candidates.one(found) if found else line.resolver.it()


def _extension(line: RequestLine, product: Product, seconds: float | None) -> Heard:
    if product.kind == "picture":
        raise Nothing(
            f"Number {product.number} is a picture; a clip or film can be extended. Say `go on` to animate it first."
        )
    before, reply = line.has(*_BEFORE), None
    if line.motions:
        motion = next(each for each in MOTIONS if each == line.motions[0])
    else:
        motion = _own_motion(product, before=before)
        reply = f"You did not say how it moves {'before that' if before else 'on'}; I kept its own motion: it {motion}."
    move = Extend(clip=product.id, prompt=motion_sentence(motion), seconds=seconds, before=before)
    return Heard(moves=(*line.chosen_first(product), move), reply=reply)


def _own_motion(product: Product, *, before: bool) -> Motion:
    shown = sceneries(product)
    if not shown:
        how = "before (`before that it moved right`)" if before else "on (`it keeps moving right`)"
        raise Nothing(f"I cannot see how it moves; say how it goes {how}.")
    return shown[0 if before else -1].motion


# Connect


def read_connect(line: RequestLine) -> Heard | None:
    """Read `connect it with the first film`. Raises Which, Nothing."""
    if line.has(*_JOINING, "couple", "chain") and line.has("all", "film", "everything", "three", "together"):
        return None
    references = [each for each in _clips_by_look(line) if each.noun != "transition"]
    if line.given:
        references = [reference for reference in references if not reference.pronoun]
    if line.has("another", "another one") and not references:
        return None
    products = distinct([*(product for each in references for product in line.moving(each)), *line.given])
    if len(products) == 1 and not (references and references[0].pronoun) and line.candidates.it:
        products = distinct([line.resolver.it(MOVING), *products])
    if len(products) == 1 and len(references) == 2:
        raise Nothing(f"Both are {inline_list(products)}; name another one, like `connect it with number 3`.")
    if len(products) != 2 and line.has(*_JOINING):
        return None
    first, second = (require_moving(product) for product in _two(line, products))
    # Of two takes of one call, the one named first is chosen.
    waiting = {product.call: product for product in (second, first) if product.waits and not product.stands}
    chosen = [move for product in reversed(waiting.values()) for move in choose(line, product)]
    return Heard(moves=(*chosen, Connect(first=first.id, second=second.id, seconds=line.seconds)))


def _clips_by_look(line: RequestLine) -> list[Reference]:
    """Return what names products; a bare colour names the clip that shows it."""
    return [
        _clip_at_place(item.meant) or Reference(noun="clip", looks={"colour": item.value})
        for item in line.items
        if item.meant is not None or "colour" in item.kinds
    ]


def _clip_at_place(meant: Reference | None) -> Reference | None:
    """Return a reference like `the first` as one to a clip: only clips and films are joined."""
    return replace(meant, noun="clip") if meant is not None and meant.place and meant.noun in (None, "one") else meant


def _two(line: RequestLine, products: list[Product]) -> list[Product]:
    """Return two products, or without a name the only two clips. Raises Nothing."""
    if len(products) == 2:
        return products
    moving = [product for product in line.brief.things if product.kind != "picture" and product.board]
    if len(moving) < 2:
        raise Nothing("Connecting takes two clips or films, and there are not two yet; make another one first.")
    clips = [product for product in moving if product.kind == "clip" and (product.stands or product.waits)]
    if products or len(clips) != 2:
        raise Nothing("Connecting takes two clips or films: say which, like `connect number 2 with number 5`.")
    return clips


# Make a film


def read_film(line: RequestLine) -> Heard | None:
    """Read `make a film`, `put number 3 and the blue clip together`. Raises Which, Nothing."""
    if not _is_film(line):
        return None
    references = [each for each in _clips_by_look(line) if each.noun not in _FILM_NOUNS or each.place]
    if not references and not line.given:
        named = any(reference.noun for reference in line.named())
        return None if named and not line.has(*_MAKING) else _film_of(line, ())
    pronouns = [reference for reference in references if reference.pronoun]
    several = any(reference.many for reference in references) or len(line.candidates.it) < 2
    if len(pronouns) == len(references) and several:
        return _film_of(line, ())
    products = [product for reference in references for product in line.moving(reference)]
    if pronouns and not line.has("only", "just"):
        return _film_of(line, ())
    return _film_of(line, tuple(dict.fromkeys(require_moving(product).id for product in products)))


def _is_film(line: RequestLine) -> bool:
    named = any(reference.noun in _FILM_NOUNS for reference in line.named() if not reference.pronoun)
    bare = any("colour" in item.kinds and not item.kinds & {"product", "object"} for item in line.items)
    return (line.has(*_FILM) or named) and not (bare and not line.has("first", "then", "only", "just", "order"))


def _film_of(line: RequestLine, clips: tuple[str, ...]) -> Heard:
    return Heard(moves=(*line.settled(), Film(clips=clips)))
