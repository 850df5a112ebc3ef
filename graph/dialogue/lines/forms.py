"""The forms of requests about products, as data: what a line needs to be one, and all that it may hold besides."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.dialogue.lines.form_words import FORM_WORDS, FormWords
from graph.dialogue.lines.naming import MOTION
from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.sentence import ELSEWHERE, LOOKS, Item

GLUE = phrases(
    "to, into, in, with, at, on, as, of, from, for, by, the, a, an, some, that, which, i, we, it, "
    "is, are, was, would, be, "
    "does, do, will, one, ones, make, let, have, get, want, give, see, try, put, set, here, there, "
    "this, these, those, us, "
    "me, you, your, my, our, its, am, need, wanted, like, should, must, could, can, may, and, but, "
    "so, then, though, part, "
    "thing, bit, whole, please, it is, in the film, of the film, this is, that is, filler"
)
"""Words that hold any request together."""
NAMED = ("product", "pronoun", "number")
"""Kinds of items that name products."""


@dataclass(frozen=True)
class Form:
    """needs: at least one item of each group, by word or kind; may: words and kinds that it may hold besides."""

    name: str
    needs: tuple[frozenset[str], ...]
    may: frozenset[str]

    def unread(self, items: Sequence[Item]) -> list[Item]:
        """Return the items that this form does not account for."""
        known = self.may | GLUE
        return [item for item in items if not item.kinds & known and not _made_of(item, known)]

    def has_needs(self, items: Sequence[Item]) -> bool:
        """Return whether every group that the form needs is there."""
        return all(any(item.kinds & group for item in items) for group in self.needs)

    def fits(self, items: Sequence[Item]) -> bool:
        """Return whether the whole line is of this form."""
        return self.has_needs(items) and not self.unread(items)


def _made_of(item: Item, known: frozenset[str]) -> bool:
    """Return whether an item is a phrase of words that are all known."""
    words = item.text.split(" ")
    return len(words) > 1 and item.meant is None and set(words) <= known


_OBJECTS = (*NAMED, "object", "objects")
_KINDS: dict[str, tuple[str, ...]] = {
    "animate": _OBJECTS,
    "limit": NAMED,
    "speed": (*_OBJECTS, "decimal"),
    "reverse": _OBJECTS,
    "loop": _OBJECTS,
    "trim": (*_OBJECTS, "seconds", "decimal"),
    "order": _OBJECTS,
    "drop": _OBJECTS,
    "connect": (*_OBJECTS, "seconds"),
    "film": (*_OBJECTS, "colour"),
    "refresh": NAMED,
    "extend": (*_OBJECTS, *MOTION, "seconds", "speed", "position", "edge", "scene", "decimal"),
    "again": (*NAMED, "object", "colour", "count", *MOTION),
    "request": (
        *NAMED,
        *LOOKS,
        *MOTION,
        *ELSEWHERE,
        "seconds",
        "objects",
        "speed",
        "position",
        "edge",
        "become",
        "thing",
    ),
    "choose": NAMED,
    "show": _OBJECTS,
}
"""Form -> kinds of items that it may hold."""
_NEEDED_KINDS: dict[str, tuple[str, ...]] = {
    "request": (*LOOKS, *MOTION, *ELSEWHERE, "seconds", "objects", "tail"),
    "trim": ("seconds", "decimal"),
}
"""Form -> kinds of which it needs one, in its last group."""


def _form(name: str, words: FormWords) -> Form:
    needs = words.needs
    if name in _NEEDED_KINDS:
        last = needs[-1] if needs else frozenset[str]()
        needs = (*needs[:-1], last | frozenset(_NEEDED_KINDS[name]))
    return Form(name, needs, words.may.union(*needs, _KINDS[name]))


FORMS: tuple[Form, ...] = tuple(_form(name, words) for name, words in FORM_WORDS.items())


def form_of(items: Sequence[Item], *but: str) -> Form | None:
    """Return the first form that the whole line fits, except those named; None if there is none."""
    return next((form for form in FORMS if form.name not in but and form.fits(items)), None)


def near_forms(items: Sequence[Item]) -> list[list[Item]]:
    """Return what each form whose needs are there leaves unread, the least first."""
    return sorted((form.unread(items) for form in FORMS if form.has_needs(items)), key=len)
