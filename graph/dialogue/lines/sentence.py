"""A line as a list of items, each with all that it may be: a word, a product, a number, a colour, a way of moving.

Nothing is interpreted here and nothing is dropped: whoever reads the items has to account for every one of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.dialogue.lines.form_words import PHRASES
from graph.dialogue.lines.naming import DEFINITE, MOTION, Naming, tags_of, whole_number
from graph.dialogue.lines.spelling import FILE_ENDINGS, FILLERS
from graph.dialogue.lines.typed import spelled, vocabulary
from graph.dialogue.products.candidates import Candidates
from graph.dialogue.products.references import Reference

MARKS = frozenset(".,!?;:()\n")
LOOKS = ("colour", "object", "scene", "style")
"""Kinds of words that say what something looks like."""
ELSEWHERE = ("other style", "other thing", "other colour", "other scene")
"""Kinds of words for what the embedded world does not have."""
_KINDS = frozenset((*LOOKS, *MOTION, *ELSEWHERE, "objects", "seconds", "speed", "camera", "sound", "position", "edge",
                    "adjective", "thing", "become", "not", "weak verb"))  # fmt: skip
_PARTIAL = frozenset(
    f"{some} of {those}"
    for some in ("one", "two", "three", "some", "any", "few", "a few", "either", "part", "most", "half")
    for those in (
        "them",
        "these",
        "those",
        "the clips",
        "the pictures",
        "the three",
        "the two",
        "the outer ones",
        "the four",
    )
)
"""Phrases for some of several products: which ones has to be asked."""
_FILE = re.compile(
    rf"\"(?P<quoted>[^\"]+)\"|'(?P<single>[^']*[./\\~][^']*)'|(?P<url>file://\S+)|(?P<path>(?:~|\.{{1,2}})?/[^\s,;]+)|"
    rf"(?P<name>[\w\-./\\ ]*?[\w\-]+\.(?:{'|'.join(FILE_ENDINGS)}))\b|(?P<folder>[\w\-.]+/)(?=\s|$)",
    re.IGNORECASE,
)
PLACEHOLDER = "zzfile"
"""The word that stands for a file in a sentence."""


@dataclass(frozen=True)
class Item:
    """A word or phrase. kinds: everything that it may be; amount: of a number, of seconds; start, end: its words.

    value: what a word of the embedded world stands for. meant: what it says of a product, if it may name one.
    """

    text: str
    kinds: frozenset[str]
    start: int
    end: int
    amount: float = 0.0
    value: str = ""
    meant: Reference | None = None


@dataclass(frozen=True)
class Sentence:
    """A line in lower-case words, with what may name products."""

    candidates: Candidates
    said: str

    @cached_property
    def files(self) -> list[str]:
        """The names of files, as written."""
        return [name for name, _ in _files(self.said)]

    @cached_property
    def words(self) -> list[str]:
        """The words and marks, in today's spelling; a placeholder stands for each file."""
        text = self.said
        for _, written in reversed(_files(self.said)):
            at = text.rindex(written)
            text = f"{text[:at]} {PLACEHOLDER} {text[at + len(written) :]}"
        return spelled(self.candidates.with_ids(text))

    @cached_property
    def text(self) -> str:
        """The words with a space between them, without marks at the ends."""
        words = list(self.words)
        while words and words[-1] in MARKS:
            words.pop()
        while words and words[0] in MARKS:
            words.pop(0)
        return " ".join(words)

    @cached_property
    def items(self) -> list[Item]:
        """All items but marks."""
        return items_of(self.words)


def items_of(words: Sequence[str]) -> list[Item]:
    """Return the items of some words, without marks."""
    found, at = list[Item](), 0
    scanner = _Scanner(list(words))
    while at < len(words):
        if words[at] in MARKS:
            at += 1
            continue
        item = scanner.item(at)
        found.append(item)
        at = item.end
    return found


class _Scanner:
    """Reads the item that begins at a word."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.tags = tags_of(words)
        self.naming = Naming(words, self.tags)

    def item(self, at: int) -> Item:
        """Return the item that begins at a word."""
        special = self._special(at)
        if special is not None:
            return special
        phrase = _longest(self.words, at, PHRASES)
        named = self.naming.reference(at)
        if named is not None and named[0] >= phrase:
            return self._named(at, *named)
        filler = _longest(self.words, at, FILLERS)
        if filler > max(phrase, 1):
            return Item(self._text(at, at + filler), frozenset(("filler",)), at, at + filler)
        return self._plain(at, at + max(1, phrase, self.tags[at][1] if at in self.tags else 1))

    def _special(self, at: int) -> Item | None:
        """Return an item that is nothing else: some of several, the rest, a file, seconds; None for another."""
        if partial := _longest(self.words, at, _PARTIAL):
            return Item(self._text(at, at + partial), frozenset(("some of several",)), at, at + partial)
        if self.words[at] == "rest" and at and self.words[at - 1] == "the":
            return Item("rest", frozenset(("rest",)), at, at + 1)
        if self.words[at] == PLACEHOLDER:
            return Item(PLACEHOLDER, frozenset(("file",)), at, at + 1)
        if at in self.tags and self.tags[at][0].kind == "seconds":
            word, length = self.tags[at]
            return Item(self._text(at, at + length), frozenset(("seconds",)), at, at + length, word.amount)
        return None

    def _text(self, start: int, end: int) -> str:
        return " ".join(self.words[start:end])

    def _plain(self, at: int, end: int) -> Item:
        text, tag, amount, value = self._text(at, end), self.tags.get(at), 0.0, ""
        kinds = {text}
        if tag is not None and at + tag[1] == end:
            value = tag[0].value
            kinds |= {"weak verb" if tag[0].soft and tag[0].kind == "verb" else tag[0].kind} & _KINDS
            if tag[0].kind == "unknown" and text not in vocabulary():
                kinds.add("unknown")
        if text in FILLERS:
            kinds.add("filler")
        number = whole_number(text)
        if number is not None and text != "one":
            kinds.add("number")
            amount = float(number)
        elif re.fullmatch(r"\d+[.,]\d+", text):
            kinds.add("decimal")
            amount = float(text.replace(",", "."))
        meant = Reference(number=number) if "number" in kinds and text.isdigit() else None
        return Item(text, frozenset(kinds), at, end, amount, value, meant)

    def _named(self, at: int, length: int, meant: Reference) -> Item:
        kinds = {"product"} | ({self.words[at]} if length == 1 else set())
        if meant.pronoun:
            kinds.add("pronoun")
        if meant.tail:
            kinds.add("tail")
        if meant.noun in ("film", "movie", "video") and not meant.place and meant.number is None:
            kinds.add("film")
        bare = self.words[at] not in DEFINITE and meant.noun is None and meant.looks and not meant.place
        value = ""
        if bare:
            kinds |= set(meant.looks)
            value = meant.looks.get("object", next(iter(meant.looks.values())))
            if set(meant.looks) <= {"colour"}:
                kinds.discard("product")
        return Item(self._text(at, at + length), frozenset(kinds), at, at + length, 0.0, value, meant)


def _files(text: str) -> list[tuple[str, str]]:
    """Return the names of files in a text, each with how it is written there."""
    found: list[tuple[str, str]] = []
    for match in _FILE.finditer(text):
        name = next(value for value in match.groups() if value)
        written = match[0]
        if match["name"]:  # the words before a name are not part of it
            name = name.strip().split(" ")[-1]
            written = name
        if re.fullmatch(r"[\d.,]+", name):
            continue
        found.append((name, written))
    return found


def _longest(words: Sequence[str], at: int, among: frozenset[str]) -> int:
    """Return how many words the longest phrase at an index has; 0 if none is there."""
    for length in range(min(9, len(words) - at), 0, -1):
        if " ".join(words[at : at + length]) in among:
            return length
    return 0
