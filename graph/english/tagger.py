"""Split a sentence into tokens and tag them: known phrases, numbers and measures, typos."""

import re
import unicodedata
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from graph.english.lexicon import Word, lexicon
from graph.english.vocabulary import function_words

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


@dataclass(frozen=True)
class Token:
    """A lower-case word or punctuation mark, and where it starts in the text."""

    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """Split a text into words, numbers and marks; contractions are expanded (`doesn't` -> does not), hyphens split."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    plain = re.sub(r"(?i)\b(can)(?:'t|not)\b", r"\1 not", plain)
    plain = re.sub(r"(?i)n't\b", " not", plain)
    plain = re.sub(r"(?i)\b(?:e\.\s?g|i\.\s?e)\.", " ", plain)
    plain = re.sub(r"(?i)'(s|re|ve|ll|d|m)\b", "", plain)
    # The numbers of a list ("1. a ball", "2) a box") separate shots like full stops.
    plain = re.sub(r"(?m)(^|\s)\(?(\d)[.)](?=\s)", r"\1; then ", plain)
    return [Token(match[0].lower(), match.start()) for match in _TOKEN.finditer(plain)]


def tag_words(text: str) -> list[Word]:
    """Return the tagged words of a text, in order."""
    stream = tokens(text)
    tagged: list[Word] = []
    at = 0
    while at < len(stream):
        word, length = _measure(stream, at) or _phrase(stream, at) or (_guess(stream[at].text), 1)
        written = " ".join(token.text for token in stream[at : at + length])
        tagged.append(replace(word, text=written, start=stream[at].start))
        at += length
    return tagged


def _phrase(stream: list[Token], at: int) -> tuple[Word, int] | None:
    if (mark := stream[at].text) in ".!?;\n":
        return Word("stop"), 1
    if mark in _MARKS:
        return Word(_MARKS[mark]), 1  # type: ignore[arg-type]
    for length in range(min(_longest(), len(stream) - at), 0, -1):
        phrase = tuple(token.text for token in stream[at : at + length])
        if (word := lexicon().get(phrase)) is not None:
            return word, length
    return None


@cache
def _longest() -> int:
    return max(map(len, lexicon()))


def _number(text: str) -> float | None:
    if text in function_words.NUMBERS:
        return float(function_words.NUMBERS[text])
    return float(text.replace(",", ".")) if text[0].isdigit() else None


def _measure(stream: list[Token], at: int) -> tuple[Word, int] | None:
    """Read `4 seconds`, `half a second`, `two shots`, `two` (a count); return None for anything else."""
    ahead = [token.text for token in stream[at : at + 6]] + [""] * 6
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
    ones = _number(ahead[1]) if ahead[0] in function_words.TENS and ahead[1] in function_words.NUMBERS else None
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
    """Tag a word outside the lexicon: as a typo of a known word, or as unknown."""
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
    """Return English words that resemble a known one (dessert, glow, greet) and are never taken for a typo of it."""
    return frozenset((Path(__file__).parent / "real_words.txt").read_text(encoding="utf-8").split())
