"""Tells a new wish from a request about products, and finds the words of a wish that nobody understands."""

from collections.abc import Sequence

from graph.dialogue.lines.forms import GLUE
from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import LOOKS, Item
from graph.dialogue.lines.typed import spelled
from graph.dialogue.products.appearance import sceneries
from graph.dialogue.products.references import Reference
from graph.english.tagger import tag_words
from graph.planning.turn import TalkBrief

_INDEFINITE = phrases("a, an, some, another, one, another one, new, a new one")
_TO = phrases("into, to, as, become, turn, change, instead, instead of, with, by, for")
"""Words after which an object is what something turns into."""
_WISHING = phrases(
    "draw, create, generate, produce, show, show me, make, want, give, like, need, see, let, imagine, get, have, new, "
    "i, how, next, paint, do, add"
)
_DESCRIBING = phrases("adjective, colour, unknown, count, style, other colour, number, filler")
"""Kinds of words before an object."""
_EDITING = phrases("longer, speed, faster, slower, reverse, trim, film, first, order, clip")
_LEADING = _WISHING | phrases(
    "also, clip, clips, shot, with, second, third, another, one more, something, start, last, but, not, least, "
    "besides, that, leave, forget, thing, more, then, film, picture, filler, number, do, new, add, and, again, "
    "last but not least, once more"
)
"""Words that may stand before a description of something new."""
_OBJECTS = frozenset(("object", "objects", "thing", "other thing"))
_KNOWN = frozenset((*LOOKS, *MOTION, "objects", "other thing"))


_OF_DESCRIPTION = _KNOWN | _OBJECTS | GLUE | _DESCRIBING | phrases("pronoun, position, edge, seconds, speed, tail")
"""Kinds of words in the description of something new."""


def is_wish(brief: TalkBrief, items: Sequence[Item]) -> bool:
    """Return whether a line wishes for something new: it names an object that is not one of the products."""
    if not any(item.kinds & _KNOWN for item in items):
        return False
    about = [item for item in items if item.meant is not None and not item.kinds & {"object", "objects"}]
    if not brief.things:
        return _is_first_wish(items, about)
    at = next((index for index, item in enumerate(items) if item.kinds & _OBJECTS), None)
    if at is None or any(item.kinds & {"file", "there"} for item in items):
        return False
    if about and about[0].start < items[at].start:
        return False
    begin = _begin(items, at)
    if begin and items[begin - 1].kinds & _INDEFINITE:
        instead = any(item.kinds & {"instead of", "rather than", "instead"} for item in items)
        return not about and not instead and not _is_led(items, begin - 1)
    return not about and not any(item.kinds & _EDITING for item in items) and _is_new_look(brief, items, items[at])


def _is_first_wish(items: Sequence[Item], about: Sequence[Item]) -> bool:
    """Return whether a line is a wish where there is nothing yet: it names no product, or an object besides `it`."""
    pronoun = any(item.meant is not None and item.meant.pronoun for item in items)
    numbered = any(item.meant is not None and item.meant.number is not None for item in about)
    return not numbered and (not pronoun or _names_object(items))


def _begin(items: Sequence[Item], at: int) -> int:
    """Return the index of the first word that describes the object at an index."""
    while at > 0 and items[at - 1].kinds & _DESCRIBING and not items[at - 1].kinds & _WISHING:
        at -= 1
    return at


def _is_led(items: Sequence[Item], at: int) -> bool:
    """Return whether the word before an index says that something turns into what follows."""
    return at > 0 and bool(items[at - 1].kinds & _TO) and not items[at - 1].kinds & _WISHING


def _is_new_look(brief: TalkBrief, items: Sequence[Item], item: Item) -> bool:
    """Return whether the line says more than its object, which no product shows."""
    said = [each for each in items if each.kinds & (_KNOWN | _OBJECTS)]
    return len(said) > 1 and _is_new(brief, item)


def _names_object(items: Sequence[Item]) -> bool:
    return any(item.kinds & _OBJECTS or (item.meant and "object" in item.meant.looks) for item in items)


def _is_new(brief: TalkBrief, item: Item) -> bool:
    """Return whether no product shows what an item says."""
    meant = item.meant or Reference()
    return not any(
        all(getattr(scenery, kind, None) == value for kind, value in meant.looks.items() if kind != "style")
        for product in brief.things
        for scenery in sceneries(product)
    )


def described_wish(items: Sequence[Item]) -> str | None:
    """Return the description of something new in a line that says little else: `add a green box in the snow`."""
    at = next((index for index, item in enumerate(items) if item.kinds & {"object", "objects"}), None)
    if at is None or not (begin := _begin(items, at)) or not items[begin - 1].kinds & {"a", "an"}:
        return None
    if _is_led(items, begin - 1) and not items[begin - 2].kinds & {"with"}:
        return None
    span = [item for item in items[begin - 1 :] if not item.kinds & {"instead", "filler"}]
    places = any(item.kinds & {"scene", *MOTION} or (item.meant and item.meant.tail) for item in span)
    if not places or any(not item.kinds & _OF_DESCRIPTION for item in span):
        return None
    return " ".join(item.text for item in span) if _only_leads(items[: begin - 1]) else None


def _only_leads(items: Sequence[Item]) -> bool:
    """Return whether words only lead to a wish; a product may be named behind `leave` and `forget`."""
    left = any(item.kinds & {"leave", "forget", "forget it", "forget that", "besides"} for item in items)
    return all(item.kinds & (_LEADING | GLUE) or (left and item.meant is not None) for item in items)


def unread_of_wish(words: str) -> tuple[str | None, list[str]] | None:
    """Return the words of a wish that are neither understood nor adjectives, with the wish without them.

    None if there are none: adjectives that cannot be drawn are told when the wish is made. The wish is None if nothing
    is left of it.
    """
    tagged = tag_words(" ".join(spelled(words)))
    unread = []
    for at, word in enumerate(tagged):
        if word.kind != "unknown":
            continue
        ahead = next(
            (each for each in tagged[at + 1 :] if each.kind not in ("unknown", "adjective", "count", "style")), None
        )
        if ahead is None or ahead.kind not in ("object", "objects", "colour", "thing", "other thing"):
            unread.append(word)
    if not unread:
        return None
    left = " ".join(word.text for word in tagged if word not in unread)
    known = any(word.kind in (*LOOKS, *MOTION) for word in tagged)
    return (left if known else None), [word.text for word in unread]
