"""The lexicon: every known phrase with its kind and value, verbs in all their forms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from graph.english.vocabulary import function_words, motions, objects, scenes, style_words

Kind = Literal[
    "object", "objects", "thing", "colour", "scene", "motion", "verb", "direction", "from", "position", "edge", "style",
    "become", "correction", "pronoun", "not", "then", "first", "while", "both", "or", "but", "and", "mark", "stop",
    "filler", "preposition", "article", "adjective", "is", "seconds", "shots", "count", "speed", "camera", "sound",
    "other style", "other thing", "other colour", "other scene", "other motion", "unknown",
]  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A tagged phrase. soft: it gives way to a clearer word; text: as written; start: its position in the text."""

    kind: Kind
    value: str = ""
    soft: bool = False
    text: str = ""
    amount: float = 0.0
    start: int = 0


Phrase = tuple[str, ...]


Lexicon = dict[Phrase, Word]


_ARTICLES = ("a", "an", "the", "some", "this", "one", "my", "any", "every")


_PREPOSITIONS = (*scenes.PLACE_PREPOSITIONS, "of", "for", "per", "via", "amid", "with")


_IS = ["is", "are", "was", "be", "looks", "seems", "appears", "being", "looking"]


def split_phrases(text: str) -> Iterator[tuple[Phrase, bool]]:
    """The phrases of a list in `vocabulary`, and whether each gives way."""
    for item in text.split(","):
        phrase = item.strip()
        if phrase:
            yield tuple(phrase.rstrip("~").split()), phrase.endswith("~")


def verb_forms(verb: str) -> set[str]:
    """Return all forms of a verb, including its base form: `slide` -> slide, slides, sliding, slided, slid."""
    forms = {verb, *motions.IRREGULAR.get(verb, "").split()}
    if verb.endswith("e"):
        return forms | {verb + "s", verb + "d", verb[:-1] + "ing"}
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return forms | {verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"}
    ends = "es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s"
    forms |= {verb + ends, verb + "ed", verb + "ing"}
    if re.fullmatch(r"[a-z]*[^aeiou][aeiou][^aeiouwxy]", verb):
        forms |= {verb + verb[-1] + "ed", verb + verb[-1] + "ing"}
    return forms


def plural(noun: str) -> str:
    """Return the regular plural: box -> boxes."""
    return noun + ("es" if noun.endswith(("x", "s", "ch", "sh")) else "s")


@cache
def lexicon() -> Lexicon:
    """Return every known phrase. If two lists contain the same phrase, the earlier one below wins."""
    known: Lexicon = {}
    for entries in (_marks(), _world(), _moves(), _elsewhere(), _rest()):
        for phrase, word in entries:
            known.setdefault(phrase, word)
    return known


def _listed(kind: Kind, text: str, value: str = "") -> Iterator[tuple[Phrase, Word]]:
    for phrase, soft in split_phrases(text):
        yield phrase, Word(kind, value, soft)


def _verbs(kind: Kind, text: str, value: str) -> Iterator[tuple[Phrase, Word]]:
    for phrase, soft in split_phrases(text):
        for form in sorted(verb_forms(phrase[0])):
            yield (form, *phrase[1:]), Word(kind, value, soft)


def _events(text: str, value: str) -> Iterator[tuple[Phrase, Word]]:
    """Yield phrases whose verb may be at any position: each word is inflected in turn."""
    for phrase, soft in split_phrases(text):
        for at, verb in enumerate(phrase):
            for form in sorted(verb_forms(verb)):
                yield (*phrase[:at], form, *phrase[at + 1 :]), Word("scene", value, soft)


def _marks() -> Iterator[tuple[Phrase, Word]]:
    yield from _listed("then", function_words.THEN)
    yield from _listed("first", function_words.FIRST)
    for phrase, _ in split_phrases(function_words.CORRECTIONS):
        yield phrase, Word("correction")
        if len(phrase) == 2 and {"no", "oh"} & set(phrase):
            yield (phrase[0], ",", phrase[1]), Word("correction")
    yield from _listed("both", function_words.AT_ONCE)
    yield from _listed("while", function_words.WHILE)
    yield from _listed("not", function_words.NOT)
    yield from _listed("or", "or, either")
    yield from _listed("but", "but")
    yield from _listed("and", "and, plus")
    yield from _listed("is", ", ".join(_IS))
    yield from _listed("article", ", ".join(_ARTICLES))


def _world() -> Iterator[tuple[Phrase, Word]]:
    for scene, text in scenes.SCENE_EVENTS.items():
        yield from _events(text, scene)
    for motion, text in motions.MOTION_VERBS.items():
        yield from _verbs("motion", text, motion)
    for motion, text in motions.SIZE_WORDS.items():
        yield from _listed("motion", text, motion)
    yield from _listed("motion", motions.STILL_WORDS, "stays still")
    for colour, text in objects.COLOUR_WORDS.items():
        yield from _listed("colour", text, colour)
    for noun, colour in objects.COLOURS_OF.items():
        for start in (("colour", "of"), ("color", "of"), ("colour", "of", "the"), ("color", "of", "the")):
            yield (*start, noun), Word("colour", colour)
    for scene, text in scenes.SCENE_WORDS.items():
        yield from _listed("scene", text, scene)
    for object_, text in objects.OBJECT_NOUNS.items():
        yield from _listed("object", text, object_)
        for phrase, _ in split_phrases(text):
            yield (*phrase[:-1], plural(phrase[-1])), Word("objects", object_)
    yield from _listed("style", style_words.DIGITAL, "digital")
    yield from _listed("style", style_words.NATURAL, "natural")
    yield from _listed("thing", objects.THINGS)


def _moves() -> Iterator[tuple[Phrase, Word]]:
    yield from _verbs("become", function_words.BECOME, "")
    yield from _verbs("verb", motions.WALKS, "along")
    weak = motions.WEAK_MOVES.split()
    for phrase, _ in split_phrases(motions.MOVES):
        for form in sorted(verb_forms(phrase[0])):
            yield (form, *phrase[1:]), Word("verb", "anywhere", phrase[0] in weak)
    for side, text in {"left": motions.LEFT, "right": motions.RIGHT, "up": motions.UP, "down": motions.DOWN}.items():
        yield from _listed("direction", text, side)
    for start, side in motions.FROM.items():
        yield ("from", start), Word("from", side)
        yield ("from", "the", start), Word("from", side)
        yield (start, "to", motions.FROM[start]), Word("direction", motions.FROM[start] if start == "left" else side)
    yield from _across()
    yield from _listed("position", "on the left, at left, on left, at the left, in the left", "left")
    yield from _listed("position", "on the right, at right, on right, at the right, in the right", "right")
    yield from _listed("position", "at the top, on the top, in the upper", "top")
    yield from _listed("position", "at the bottom, on the bottom, in the lower", "bottom")
    yield from _listed("edge", motions.EDGES)
    for motion, text in motions.RISING_WORDS.items():
        yield from _listed("motion", text, motion)


def _across() -> Iterator[tuple[Phrase, Word]]:
    sides = {"left": "right", "right": "left", "top": "down", "bottom": "up", "above": "down", "below": "up",
             "west": "right", "east": "left"}  # fmt: skip
    far = {"left": "right", "right": "left", "top": "bottom", "bottom": "top", "above": "below", "below": "above",
           "west": "east", "east": "west"}  # fmt: skip
    for start, side in sides.items():
        for article in ((), ("the",)):
            yield ("from", *article, start, "to", *article, far[start]), Word("direction", side)
            yield ("from", *article, start, "side", "to", *article, far[start], "side"), Word("direction", side)
        yield (start, "to", far[start]), Word("direction", side)
    yield from _listed("direction", "downhill, down hill", "down")
    yield from _listed("direction", "uphill, up hill", "up")


def _elsewhere() -> Iterator[tuple[Phrase, Word]]:
    for phrase, nearest in motions.OTHER_MOTIONS.items():
        yield from _verbs("other motion", phrase, nearest)
    for phrase, near in objects.OTHER_COLOURS.items():
        yield tuple(phrase.split()), Word("other colour", near)
    for noun, thing in objects.OTHER_THINGS.items():
        yield (noun,), Word("other thing", thing)
        yield (plural(noun),), Word("other thing", thing)
    for phrase, place in scenes.OTHER_PLACES.items():
        yield tuple(phrase.split()), Word("other scene", place)


def _rest() -> Iterator[tuple[Phrase, Word]]:
    yield from _listed("pronoun", function_words.PRONOUNS)
    yield from _listed("speed", style_words.SPEED)
    yield from _listed("camera", style_words.CAMERA)
    yield from _listed("sound", style_words.UNHEARD)
    yield from _listed("other style", style_words.OTHER_STYLES)
    yield from _listed("preposition", ", ".join(_PREPOSITIONS))
    yield from _listed("adjective", style_words.ADJECTIVES)
    yield from _listed("filler", function_words.FILLERS)
