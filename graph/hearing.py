"""From a sentence to tagged words: phrases found, verbs recognised in every form, slips of the pen forgiven."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Literal

from graph import words

Kind = Literal[
    "object", "objects", "thing", "colour", "scene", "motion", "verb", "direction", "from", "position", "edge", "style",
    "become", "correction", "pronoun", "not", "then", "first", "while", "both", "or", "but", "and", "mark", "stop",
    "filler", "preposition", "article", "adjective", "is", "seconds", "shots", "count", "speed", "camera", "sound",
    "other style", "other thing", "other colour", "other scene", "other motion", "unknown",
]  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A phrase and what it is. `soft`: it gives way to a clearer word; `text`: as the person wrote it."""

    kind: Kind
    value: str = ""
    soft: bool = False
    text: str = ""
    amount: float = 0.0
    start: int = 0


Phrase = tuple[str, ...]
Lexicon = dict[Phrase, Word]

TYPO_LENGTH = 5
TYPO_LIKENESS = 0.8
_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[.!?;:,()\n&]")
_MARKS = {",": "mark", "(": "mark", ")": "mark", ":": "mark", "&": "and"}
_SECONDS = {"second", "seconds", "sec", "secs", "s"}
_MINUTES = {"minute", "minutes", "min", "mins"}
_SHARES = {
    ("half", "a"): 0.5, ("a", "quarter", "of", "a"): 0.25, ("three", "quarters", "of", "a"): 0.75,
    ("for", "a"): 1.0, ("for", "one"): 1.0, ("a", "couple", "of"): 2.0, ("couple", "of"): 2.0,
}  # fmt: skip
_SHOTS = {"shot", "shots", "clip", "clips", "scenes", "part", "parts", "takes"}
_ARTICLES = ("a", "an", "the", "some", "this", "one", "my", "any", "every")
_PREPOSITIONS = (*words.PLACE_PREPOSITIONS, "of", "for", "per", "via", "amid", "with")
_IS = ["is", "are", "was", "be", "looks", "seems", "appears", "being", "looking"]


def split_phrases(text: str) -> Iterator[tuple[Phrase, bool]]:
    """The phrases of a list of `graph.words`, and whether each gives way."""
    for item in text.split(","):
        phrase = item.strip()
        if phrase:
            yield tuple(phrase.rstrip("~").split()), phrase.endswith("~")


def verb_forms(verb: str) -> set[str]:
    """A verb in its base form and all others: `slide` -> slide, slides, sliding, slided, slid."""
    forms = {verb, *words.IRREGULAR.get(verb, "").split()}
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
    """The regular plural: box -> boxes."""
    return noun + ("es" if noun.endswith(("x", "s", "ch", "sh")) else "s")


@cache
def lexicon() -> Lexicon:
    """Every phrase the reader knows. Where two lists hold the same phrase, the earlier one below wins."""
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
    """Phrases whose verb may stand anywhere: every word of them is inflected in turn."""
    for phrase, soft in split_phrases(text):
        for at, verb in enumerate(phrase):
            for form in sorted(verb_forms(verb)):
                yield (*phrase[:at], form, *phrase[at + 1 :]), Word("scene", value, soft)


def _marks() -> Iterator[tuple[Phrase, Word]]:
    yield from _listed("then", words.THEN)
    yield from _listed("first", words.FIRST)
    for phrase, _ in split_phrases(words.CORRECTIONS):
        yield phrase, Word("correction")
        if len(phrase) == 2 and {"no", "oh"} & set(phrase):
            yield (phrase[0], ",", phrase[1]), Word("correction")
    yield from _listed("both", words.AT_ONCE)
    yield from _listed("while", words.WHILE)
    yield from _listed("not", words.NOT)
    yield from _listed("or", "or, either")
    yield from _listed("but", "but")
    yield from _listed("and", "and, plus")
    yield from _listed("is", ", ".join(_IS))
    yield from _listed("article", ", ".join(_ARTICLES))


def _world() -> Iterator[tuple[Phrase, Word]]:
    for scene, text in words.SCENE_EVENTS.items():
        yield from _events(text, scene)
    for motion, text in words.MOTION_VERBS.items():
        yield from _verbs("motion", text, motion)
    for motion, text in words.SIZE_WORDS.items():
        yield from _listed("motion", text, motion)
    yield from _listed("motion", words.STILL_WORDS, "stays still")
    for colour, text in words.COLOUR_WORDS.items():
        yield from _listed("colour", text, colour)
    for noun, colour in words.COLOURS_OF.items():
        for start in (("colour", "of"), ("color", "of"), ("colour", "of", "the"), ("color", "of", "the")):
            yield (*start, noun), Word("colour", colour)
    for scene, text in words.SCENE_WORDS.items():
        yield from _listed("scene", text, scene)
    for object_, text in words.OBJECT_NOUNS.items():
        yield from _listed("object", text, object_)
        for phrase, _ in split_phrases(text):
            yield (*phrase[:-1], plural(phrase[-1])), Word("objects", object_)
    yield from _listed("style", words.DIGITAL, "digital")
    yield from _listed("style", words.NATURAL, "natural")
    yield from _listed("thing", words.THINGS)


def _moves() -> Iterator[tuple[Phrase, Word]]:
    yield from _verbs("become", words.BECOME, "")
    yield from _verbs("verb", words.WALKS, "along")
    weak = words.WEAK_MOVES.split()
    for phrase, _ in split_phrases(words.MOVES):
        for form in sorted(verb_forms(phrase[0])):
            yield (form, *phrase[1:]), Word("verb", "anywhere", phrase[0] in weak)
    for side, text in {"left": words.LEFT, "right": words.RIGHT, "up": words.UP, "down": words.DOWN}.items():
        yield from _listed("direction", text, side)
    for start, side in words.FROM.items():
        yield ("from", start), Word("from", side)
        yield ("from", "the", start), Word("from", side)
        yield (start, "to", words.FROM[start]), Word("direction", words.FROM[start] if start == "left" else side)
    yield from _across()
    yield from _listed("position", "on the left, at left, on left, at the left, in the left", "left")
    yield from _listed("position", "on the right, at right, on right, at the right, in the right", "right")
    yield from _listed("position", "at the top, on the top, in the upper", "top")
    yield from _listed("position", "at the bottom, on the bottom, in the lower", "bottom")
    yield from _listed("edge", words.EDGES)
    for motion, text in words.RISING_WORDS.items():
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
    for phrase, nearest in words.OTHER_MOTIONS.items():
        yield from _verbs("other motion", phrase, nearest)
    for phrase, near in words.OTHER_COLOURS.items():
        yield tuple(phrase.split()), Word("other colour", near)
    for noun, thing in words.OTHER_THINGS.items():
        yield (noun,), Word("other thing", thing)
        yield (plural(noun),), Word("other thing", thing)
    for phrase, place in words.OTHER_PLACES.items():
        yield tuple(phrase.split()), Word("other scene", place)


def _rest() -> Iterator[tuple[Phrase, Word]]:
    yield from _listed("pronoun", words.PRONOUNS)
    yield from _listed("speed", words.SPEED)
    yield from _listed("camera", words.CAMERA)
    yield from _listed("sound", words.UNHEARD)
    yield from _listed("other style", words.OTHER_STYLES)
    yield from _listed("preposition", ", ".join(_PREPOSITIONS))
    yield from _listed("adjective", words.ADJECTIVES)
    yield from _listed("filler", words.FILLERS)


@dataclass(frozen=True)
class Token:
    """A word or mark in lower case, and where it starts in the person's text."""

    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """Words, numbers and marks. Contractions are opened (`doesn't` -> does not), hyphens part words."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    plain = re.sub(r"(?i)\b(can)(?:'t|not)\b", r"\1 not", plain)
    plain = re.sub(r"(?i)n't\b", " not", plain)
    plain = re.sub(r"(?i)\b(?:e\.\s?g|i\.\s?e)\.", " ", plain)
    plain = re.sub(r"(?i)'(s|re|ve|ll|d|m)\b", "", plain)
    # A list's own numbers ("1. a ball", "2) a box") part the shots like full stops.
    plain = re.sub(r"(?m)(^|\s)\(?(\d)[.)](?=\s)", r"\1; then ", plain)
    return [Token(match[0].lower(), match.start()) for match in _TOKEN.finditer(plain)]


def hear(text: str) -> list[Word]:
    """The tagged words of a text, in order."""
    heard = tokens(text)
    said: list[Word] = []
    at = 0
    while at < len(heard):
        word, length = _measure(heard, at) or _phrase(heard, at) or (_guess(heard[at].text), 1)
        written = " ".join(token.text for token in heard[at : at + length])
        said.append(replace(word, text=written, start=heard[at].start))
        at += length
    return said


def _phrase(heard: list[Token], at: int) -> tuple[Word, int] | None:
    if (mark := heard[at].text) in ".!?;\n":
        return Word("stop"), 1
    if mark in _MARKS:
        return Word(_MARKS[mark]), 1  # type: ignore[arg-type]
    for length in range(min(_longest(), len(heard) - at), 0, -1):
        phrase = tuple(token.text for token in heard[at : at + length])
        if (word := lexicon().get(phrase)) is not None:
            return word, length
    return None


@cache
def _longest() -> int:
    return max(map(len, lexicon()))


def _number(text: str) -> float | None:
    if text in words.NUMBERS:
        return float(words.NUMBERS[text])
    return float(text.replace(",", ".")) if text[0].isdigit() else None


def _measure(heard: list[Token], at: int) -> tuple[Word, int] | None:
    """`4 seconds`, `half a second`, `two shots`, `two` (a count), or None."""
    ahead = [token.text for token in heard[at : at + 6]] + [""] * 6
    for share, amount in _SHARES.items():
        count = len(share)
        if tuple(ahead[:count]) == share and ahead[count] in _SECONDS | _MINUTES:
            return Word("seconds", amount=amount * (60.0 if ahead[count] in _MINUTES else 1.0)), count + 1
    if ahead[0] == "couple":
        return Word("count", amount=2), 1
    if ahead[0] in ("a", "an") and ahead[1] in _MINUTES and ahead[2] == "long":
        return Word("seconds", amount=60.0), 3
    number = _number(ahead[0])
    if number is None:
        return None
    ones = _number(ahead[1]) if ahead[0] in words.TENS and ahead[1] in words.NUMBERS else None
    if ones is not None and 0 < ones < 10:  # twenty-five
        measured = _measured(number + ones, ahead[1:])
        return measured and (measured[0], measured[1] + 1)
    return _measured(number, ahead)


def _measured(number: float, ahead: list[str]) -> tuple[Word, int] | None:
    if ahead[1:4] == ["and", "a", "half"]:
        number, ahead = number + 0.5, [ahead[0], *ahead[4:], "", "", ""]
        return _unit(number, ahead, 3) or (Word("count", amount=number), 1)
    return _unit(number, ahead, 0) or _count(number, ahead)


def _unit(number: float, ahead: list[str], extra: int) -> tuple[Word, int] | None:
    unit = ahead[1]
    if unit in _SECONDS or unit in _MINUTES:
        amount = number * 60 if unit in _MINUTES else number
        return Word("seconds", amount=amount), 2 + extra
    if unit in _SHOTS and number >= 1:
        return Word("shots", amount=number), 2 + extra
    return None


def _count(number: float, ahead: list[str]) -> tuple[Word, int] | None:
    for length in range(4, 0, -1):
        if tuple(ahead[:length]) in lexicon() and length > 1:
            return None
    if ahead[0] == "one":
        return None
    return Word("count", amount=number), 1


def _guess(text: str) -> Word:
    """An unknown word: a slip of the pen for a known one, or really unknown."""
    if len(text) < TYPO_LENGTH or text in real_words():
        return Word("unknown")
    best = max(_typo_targets(), key=lambda known: _likeness(text, known))
    return lexicon()[(best,)] if _likeness(text, best) >= TYPO_LIKENESS else Word("unknown")


def _likeness(text: str, known: str) -> float:
    if text[0] != known[0] and text[0] != known[1]:
        return 0.0
    return SequenceMatcher(None, text, known, autojunk=False).ratio()


@cache
def _typo_targets() -> tuple[str, ...]:
    kinds = {"object", "colour", "scene", "motion", "verb", "direction", "style", "other colour", "other thing", "then"}
    single = (phrase[0] for phrase, word in lexicon().items() if len(phrase) == 1 and word.kind in kinds)
    return tuple(word for word in single if len(word) >= TYPO_LENGTH - 1)


@cache
def real_words() -> frozenset[str]:
    """English words that resemble one of ours and are none of it (dessert, glow, greet): never taken for a slip."""
    return frozenset((Path(__file__).parent / "real_words.txt").read_text(encoding="utf-8").split())
