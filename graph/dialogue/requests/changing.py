"""Requests that change what products look like, how they move, or how long they are."""

from collections.abc import Sequence
from dataclasses import replace

from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import ELSEWHERE, LOOKS, Item
from graph.dialogue.products.candidates import Which
from graph.dialogue.products.product_changes import moves_for, request_of
from graph.dialogue.products.references import Reference
from graph.dialogue.requests.film_edits import FilmEditor
from graph.dialogue.requests.line import RequestLine, distinct
from graph.planning.turn import Heard
from graph.state.products import Product

_SHOWN = frozenset((*LOOKS, *MOTION))
_VALUES = _SHOWN | {"seconds", "other colour", "other scene", "other thing", "other motion", "other style"}
"""Kinds of words for what becomes of a product."""
_WANTED = frozenset((*LOOKS, *ELSEWHERE, "motion", "direction", "other motion", "seconds", "objects", "tail"))
_LASTING = phrases("last, long, length, lasts, last for, only, length of")
_GOING = phrases("go, come, back, back to, bring, going")
_BETWEEN = phrases("to, into, become, becomes, for, with, by, be")
"""Words between what a product shows and what it is to show."""
_INSTEAD = phrases("instead of, rather than")


def read_change(line: RequestLine) -> Heard | None:
    """Read `make the second one blue`, `let it fly`, `it should last 3 seconds`. Raises Which, Nothing, Refusal."""
    if line.has("seconds") and not line.has(*_SHOWN) and line.has(*_LASTING):
        return FilmEditor(line).read("length")
    if line.has("become", "turn") and any(each.place == "other" for each in line.named()):
        return None  # `become the other`
    if not line.has(*_WANTED) and line.has(*_GOING):
        return None
    named, plain = _subject_and_rest(line)
    request = request_of(plain)  # an impossible request is refused before asking which product is meant
    targets = _targets(line, named)
    if any(reference.noun == "film" for reference in line.named()) and len(line.named()) > 1:
        targets = [line.clip_of(target) for target in targets]
    moves = [move for product in targets for move in moves_for(line.candidates, product, request)]
    return Heard(moves=tuple(moves), reply=request.reply)


def _targets(line: RequestLine, named: Sequence[Reference]) -> list[Product]:
    if line.given:
        return list(line.given)
    if line.forced is not None and not named:
        return [line.forced]
    found = distinct([product for reference in named for product in line.meant(reference)])
    together = any(reference.many for reference in named) or line.has("and", "both")
    if len(found) > 1 and len(named) > 1 and not together:
        raise Which(found)
    return found or [line.resolver.it()]


def _subject_and_rest(line: RequestLine) -> tuple[list[Reference], str]:
    """Return what the request is about, and its words with `it` in the place of the products."""
    items = list(line.items)
    values = [item for item in items if item.kinds & _VALUES]
    subjects, replaced = _subjects(line, values), dict[str, str]()
    if not subjects and (now := _said_first(items)) is not None:
        index, reference = now
        items[index] = replace(items[index], meant=reference, kinds=frozenset(("product",)))
        subjects, replaced = [items[index]], reference.looks
        values = [item for item in values if item.start != items[index].start]
    films = [item for item in subjects if item.meant is not None and item.meant.noun == "film"]
    if len(subjects) > len(films):
        subjects = [item for item in subjects if item not in films]
        items = [item for item in items if item not in films]
    told = any(item not in subjects for item in values)
    references, words = _without(items, subjects, replaced, told=told)
    at = next((index for index, item in enumerate(items) if item.kinds & _INSTEAD), len(items))
    references += [item.meant for item in items[at:] if item.meant is not None and item.meant not in references]
    return references, " ".join(words)


def _subjects(line: RequestLine, values: Sequence[Item]) -> list[Item]:
    """Return the items that name what the request is about.

    A bare `star` is a new look after another subject, and the subject before another look.
    """
    meaning = [(item, item.meant) for item in line.items if item.meant is not None]
    named = [item for item, meant in meaning if not meant.pronoun or meant.many]
    bare = [item for item in named if item.kinds & {"object", "objects"}]
    subjects = [item for item in named if item not in bare]
    if not bare or subjects or any(meant.pronoun for _, meant in meaning):
        return subjects
    others = [item for item in values if item not in bare]
    leads = bool(others) and bare[0].start < others[0].start and not _turned(line, bare[0])
    return bare[:1] if leads else []


def _without(
    items: Sequence[Item], subjects: Sequence[Item], replaced: dict[str, str], *, told: bool
) -> tuple[list[Reference], list[str]]:
    """Return the references of the subjects, and the words with `it` in their place.

    replaced: what a subject shows now. told: the words say what becomes of it; if not, that is the tail of the subject.
    """
    words, references = list[str](), list[Reference]()
    for item in items:
        meant = item.meant
        if item in subjects and meant is not None:
            words += ["it"] if told or not meant.tail else ["it", "in", *meant.tail.values()]
            references.append(meant if told or not meant.tail else meant.without_tail)
        elif replaced and meant is not None and meant.looks:
            words += [value for kind, value in meant.looks.items() if replaced.get(kind) != value]
        elif item.kinds & _INSTEAD:
            break  # what follows is what there is now
        elif "filler" not in item.kinds or item.kinds & _SHOWN:
            words.append(item.text)
    return references, words


def _said_first(items: Sequence[Item]) -> tuple[int, Reference] | None:
    """Return the first of two values of a kind with `to` or `becomes` between them: what the product shows now."""
    for kind in ("colour", "object", "scene"):
        found = [index for index, item in enumerate(items) if kind in item.kinds]
        if len(found) == 2:
            between = {word for item in items[found[0] + 1 : found[1]] for word in item.kinds}
            if between & _BETWEEN:
                item = items[found[0]]
                return found[0], item.meant or Reference(looks={kind: item.value})
    return None


def _turned(line: RequestLine, item: Item) -> bool:
    """Return whether a bare noun is what something turns into: `into a star`, `a star`."""
    before = [each for each in line.items if each.end == item.start]
    return bool(before) and before[0].text in ("a", "an", "into", "to", "as")
