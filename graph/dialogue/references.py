"""Parse references to products in a text: `it`, `the second one`, `that frame`, `the first film`, `number 3`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from graph.dialogue.candidates import (
    LAST,
    LOOK_WORDS,
    NOUNS,
    OTHER,
    PLURALS,
    TAKES,
    Candidates,
    Nothing,
    Which,
    look_of,
    shows,
)
from graph.english.vocabulary import function_words
from graph.planning.turn import ORDINALS
from graph.state.products import Product

PRONOUNS = ("it", "this", "that")
ALL = ("them", "these", "those", "both", "all", "everything", "all of them", "both of them", "all of these", "them all")
_DEFINITE = ("the", "that", "this", "my", "your", "these", "those")
_AFTER_IT = ("and", ",", "then", "instead", "please", "with", "to", "again", ".", "!", "?", "for")
_COUNTS = {"two": 2, "three": 3, "four": 4}


@dataclass(frozen=True)
class Reference:
    """Products that the words from `start` to `end` of a text name. many: the words are a plural."""

    products: tuple[Product, ...]
    start: int
    end: int
    many: bool = False
    pronoun: bool = False


@dataclass(frozen=True)
class ReferenceResolver:
    """Finds references in a text of lower-case words and resolves them to candidates."""

    candidates: Candidates

    def read(self, text: str, *, bare: bool = False) -> list[Reference]:
        """Return all references of a text in order. bare: a number alone counts as one. Raises Which, Nothing."""
        words, found, at = text.split(" "), list[Reference](), 0
        starts = [sum(len(word) + 1 for word in words[:index]) for index in range(len(words))]
        while at < len(words):
            length, reference = self._at(words, at, bare=bare)
            if reference is not None:
                end = starts[at + length - 1] + len(words[at + length - 1])
                found.append(replace(reference, start=starts[at], end=end))
            at += max(1, length)
        return found

    def _at(self, words: list[str], at: int, *, bare: bool) -> tuple[int, Reference | None]:
        for reader in (self._number, self._every, self._noun, self._ordinal, self._pronoun):
            if (read := reader(words, at)) is not None:
                return read
        if bare and re.fullmatch(r"\d+", words[at]):
            return 1, self._reference(self.candidates.by_number(int(words[at])))
        return 1, None

    def _reference(self, *products: Product, many: bool = False, pronoun: bool = False) -> Reference:
        return Reference(products, 0, 0, many=many, pronoun=pronoun)

    def _number(self, words: list[str], at: int) -> tuple[int, Reference] | None:
        """Read `number 3`, `clip 3`, `shot 2`, `take 2`."""
        skip = words[at] in _DEFINITE
        noun, number = [*words[at + skip : at + skip + 2], "", ""][:2]
        count = function_words.NUMBERS.get(number, int(number) if number.isdigit() else None)
        if count is None or noun not in ("number", "numbers", *NOUNS) or noun == "one":
            return None
        length = 2 + skip
        if noun in ("number", "numbers"):
            return length, self._reference(self.candidates.by_number(count))
        if noun == "shot":
            return length, self._reference(self.candidates.of_shot(count))
        scope = self.candidates.scope(noun)
        if noun in TAKES:
            return length, self._reference(self.candidates.nth(scope, count - 1, noun))
        named = [product for product in scope if product.number == count]
        return length, self._reference(named[0] if named else self.candidates.nth(scope, count - 1, noun))

    def _every(self, words: list[str], at: int) -> tuple[int, Reference] | None:
        """Read `them`, `both`, `the two films`, `the last two clips`, `all clips`."""
        rest = words[at : at + 5]
        for phrase in sorted(ALL, key=len, reverse=True):
            length = phrase.count(" ") + 1
            if " ".join(rest[:length]) != phrase:
                continue
            if phrase in ("these", "those", "all", "both") and " ".join(rest[length : length + 2]) and rest[1:2]:
                more = self._plural(words, at + length, rest[0])
                if more is not None:
                    return length + more[0], more[1]
            return length, Reference(tuple(self.candidates.several()), 0, 0, many=True)
        if rest[0] in _DEFINITE or rest[0] in _COUNTS:
            more = self._plural(words, at + (rest[0] in _DEFINITE), rest[0])
            if more is not None:
                return more[0] + (rest[0] in _DEFINITE), more[1]
        return None

    def _plural(self, words: list[str], at: int, lead: str) -> tuple[int, Reference] | None:
        """Read `(last) (two) films` from an index on."""
        rest, length, place, count = words[at : at + 4], 0, "", None
        if rest[:1] and rest[0] in _DEFINITE:
            rest, length = rest[1:], 1
        if rest[:1] and (rest[0] in ORDINALS or rest[0] in LAST):
            place, rest, length = rest[0], rest[1:], length + 1
        if rest[:1] and rest[0] in _COUNTS:
            count, rest, length = _COUNTS[rest[0]], rest[1:], length + 1
        if rest[:1] and rest[0] in PLURALS:
            scope, length = self.candidates.scope(PLURALS[rest[0]]), length + 1
        elif place and count:
            scope = self.candidates.scope("one")
        else:
            return None
        count = 2 if lead == "both" else count
        if count is not None and len(scope) > count and not place:
            raise Which(scope)
        if count is not None and len(scope) < count:
            have = "1" if len(scope) == 1 else str(len(scope) or "none")
            raise Nothing(f"There are not {count} of them, there is {have}; say `what do I have?` to see them.")
        taken = scope[-count:] if place in LAST and count else scope[:count]
        return length, Reference(tuple(taken), 0, 0, many=True)

    def _noun(self, words: list[str], at: int) -> tuple[int, Reference] | None:
        """Read `the second one`, `that frame`, `the blue clip`, `last film`, `the red ball`, `the one in the snow`."""
        definite = words[at] in _DEFINITE
        begin = at + definite
        for end in range(begin + 1, min(len(words), begin + 4) + 1):
            noun = words[end - 1]
            middle = words[begin : end - 1]
            if noun not in NOUNS or not (definite or middle):
                continue
            if (found := self.candidates.described(middle, noun)) is None:
                continue
            if noun == "one" and not definite and not set(middle) & (set(ORDINALS) | set(LAST) | LOOK_WORDS):
                return None
            tail = self._tail(words, end, found)
            if tail is not None:
                return end + tail[0] - at, self._reference(tail[1])
            return end - at, self._reference(self.candidates.single(found, words[at]))
        return None

    def _tail(self, words: list[str], at: int, among: list[Product]) -> tuple[int, Product] | None:
        """Read `... with the star`, `... in the snow`."""
        rest = words[at : at + 4]
        if len(rest) < 2 or rest[0] not in ("with", "in", "at", "on", "of"):
            return None
        for length in range(len(rest), 1, -1):
            looks = [look_of(word) for word in rest[1:length] if word not in ("the", "a", "an", "of")]
            if looks and all(looks):
                matching = [product for product in among if shows(product, [look for look in looks if look])]
                return (length, self.candidates.one(matching)) if matching else None
        return None

    def _ordinal(self, words: list[str], at: int) -> tuple[int, Reference] | None:
        """Read `the second` that no noun follows."""
        if words[at] != "the" or words[at + 1 : at + 2] == []:
            return None
        word, ahead = words[at + 1], (words[at + 2 : at + 3] or [""])[0]
        if word not in ORDINALS and word not in LAST and word not in OTHER:
            return None
        if ahead and ahead not in _AFTER_IT:
            return None
        found = self.candidates.described([word], "one")
        return 2, self._reference(self.candidates.single(found or [], "the"))

    def _pronoun(self, words: list[str], at: int) -> tuple[int, Reference] | None:
        if words[at] not in PRONOUNS:
            return None
        ahead = (words[at + 1 : at + 2] or [""])[0]
        if words[at] != "it" and ahead in ("time", "way"):
            return None
        return 1, Reference(tuple(self.candidates.it), 0, 0, pronoun=True)


def iterate(references: Sequence[Reference]) -> Iterator[Product]:
    """Yield all products of the references, each once."""
    seen = set[int]()
    for each in references:
        for product in each.products:
            if product.number not in seen:
                seen.add(product.number)
                yield product


def without(text: str, references: Sequence[Reference], by: Callable[[Reference], str]) -> str:
    """Return the text with each reference replaced by `by(reference)`."""
    for each in sorted(references, key=lambda one: one.start, reverse=True):
        text = f"{text[: each.start]}{by(each)}{text[each.end :]}"
    return " ".join(text.split())
