"""Finds what names a product in the words of a line: `it`, `number 3`, `the second one`, `the red ball`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graph.dialogue.lines.phrases import phrases
from graph.dialogue.lines.typed import vocabulary
from graph.dialogue.products.candidates import LAST, NOUNS, PLURALS
from graph.dialogue.products.references import Reference, is_noun
from graph.english.lexicon import Word
from graph.english.tagger import tag_words
from graph.english.vocabulary import function_words
from graph.planning.turn import ORDINALS

MOTION = ("motion", "verb", "direction", "from", "other motion")
"""Kinds of words that say how something moves."""
DEFINITE = ("the", "that", "this", "my", "your", "these", "those", "its", "our")
_PLACES = phrases(
    "older, oldest, earlier, former, latter, best, nicest, prettiest, better, nicer, penultimate, last, latest, "
    "newest, final, previous, other, others, middle, new, old, original, left, right, rightmost, leftmost"
)
_PLACE_OF = {
    "leftmost": "left", "rightmost": "right", "new": "last", "latest": "last", "newest": "last", "final": "last",
    "others": "other", "old": "previous", "older": "first", "oldest": "first", "earlier": "first", "former": "first",
    "latter": "last",
}  # fmt: skip
"""Place as said -> as it is read."""
_SIZES = {
    "short": "short",
    "shorter": "short",
    "shortest": "short",
    "long": "long",
    "longer": "long",
    "longest": "long",
}
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5}
_PRONOUNS = {"it": False, "this": False, "that": False, "them": True, "these": True, "those": True, "both": True,
             "all of them": True, "both of them": True, "all of these": True, "them all": True, "all of it": True,
             "this one": False, "that one": False, "this thing": False, "that thing": False, "these ones": True,
             "the two": True, "all of those": True, "both of these": True, "everything": True, "all three": True,
             "these two": True, "those two": True, "all": True, "the whole thing": False, "whole thing": False,
             "these new ones": True, "the new ones": True, "all ones": True}  # fmt: skip
_LEADING = ("this", "that", "these", "those", "all", "both", "two", "three")
_TAIL = ("in", "at", "on", "with", "of", "under", "over")


@dataclass
class _Begun:
    """A noun phrase as far as it was read. plural: its object is a plural."""

    start: int
    definite: bool
    here: int
    place: str | None = None
    size: str | None = None
    count: int | None = None
    looks: dict[str, str] = field(default_factory=dict)
    plural: bool = False

    def read(self, noun: str | None, *, many: bool = False, count: int | None = None) -> tuple[int, Reference]:
        """Return the length of the phrase and what it means."""
        meant = Reference(
            None, noun, self.place, self.looks, many=many, size=self.size, count=self.count if count is None else count
        )
        return self.here - self.start, meant


@dataclass(frozen=True)
class Naming:
    """Reads what names a product. tags: the tagged words by their index, with their length in words."""

    words: list[str]
    tags: dict[int, tuple[Word, int]]

    def reference(self, at: int) -> tuple[int, Reference] | None:
        """Return the length in words, and the meaning, of what names a product at a word; None if nothing does."""
        for reader in (self._number, self._pronoun, self._described):
            if (read := reader(at)) is not None:
                return read
        return None

    def _number(self, at: int) -> tuple[int, Reference] | None:
        """Read `number 3`, `clip 3`, `the shot 2`, `take 2`."""
        skip = self.words[at] in DEFINITE
        noun, number = [*self.words[at + skip : at + skip + 2], "", ""][:2]
        count = whole_number(number)
        if count is None or (number == "one" and noun != "number") or noun == "one":
            return None
        if noun not in ("number", "numbers", *NOUNS) or (
            (at + skip + 1) in self.tags and self._measured(at + skip + 1)
        ):
            return None
        return 2 + skip, Reference(number=count, noun="number" if noun == "numbers" else noun)

    def _measured(self, at: int) -> bool:
        return at in self.tags and self.tags[at][0].kind == "seconds"

    def _pronoun(self, at: int) -> tuple[int, Reference] | None:
        for length in (3, 2, 1):
            text = " ".join(self.words[at : at + length])
            if text in _PRONOUNS and at + length <= len(self.words):
                ahead = (self.words[at + length : at + length + 1] or [""])[0]
                if text.split(" ")[-1] in _LEADING and self._continues(at + length):
                    return None
                if length == 1 and text == "that" and at and self._kind(at - 1) in ("object", "objects", "thing"):
                    return None  # `a box that shrinks`
                if length == 1 and text in ("that", "this", "those", "these") and self._describes(at + 1):
                    return None  # `that in the snow`
                if length == 1 and text in ("that", "this") and ahead in ("time", "way", "is"):
                    return (1, Reference(pronoun=True)) if ahead == "is" else None
                return length, Reference(pronoun=True, many=_PRONOUNS[text])
        return None

    def _describes(self, at: int) -> bool:
        """Return whether words like `in the snow` say which product is meant; `in orange` says what becomes of it."""
        tail = self._tail(at)
        return tail is not None and not set(tail[1]) <= {"colour"}

    def _continues(self, at: int) -> bool:
        """Return whether a noun phrase continues at a word."""
        return at < len(self.words) and self._phrase(at, definite=True) is not None

    def _described(self, at: int) -> tuple[int, Reference] | None:
        """Read `the second one`, `that frame`, `last film`, `the red ball`, `the one in the snow`, `blue star clip`."""
        if (
            self.words[at : at + 2] == ["what", "is"]
            and (tail := self._tail(at + 2)) is not None
            and "scene" in tail[1]
        ):
            return 2 + tail[0], Reference(noun="one", tail=tail[1])  # `what is in the desert`
        every = self.words[at] in ("all", "both", "every", "each")
        begin = at + every
        definite = begin < len(self.words) and self.words[begin] in DEFINITE
        begin += definite
        if begin >= len(self.words):
            return None
        read = self._phrase(begin, definite=definite or every)
        if read is None and definite and self.words[begin - 1] in ("that", "this", "those", "these"):
            tail = self._tail(begin)
            return None if tail is None else (begin - at + tail[0], Reference(noun="one", tail=tail[1]))
        if read is None or (not definite and not every and at and self.words[at - 1] in ("a", "an")):
            return read if read is not None and "object" in read[1].looks and read[1].noun is None else None
        if set(read[1].looks) == {"style"} and read[1].noun is None:
            return None  # `the digital look`
        length, meant = read
        many = meant.many or every
        tail = self._tail(begin + length)
        if tail is not None and (meant.noun is not None or definite):
            only = "only" in self.words[begin + length : begin + length + tail[0]]
            length, meant = length + tail[0], replace(meant, tail=tail[1], only=only)
        return length + begin - at, replace(meant, many=many)

    def _phrase(self, at: int, *, definite: bool) -> tuple[int, Reference] | None:
        """Read the adjectives and the noun of a phrase. definite: a word like `the` stands before it."""
        begun = _Begun(at, definite, at)
        while begun.here < len(self.words):
            word = self.words[begun.here]
            if _is_noun(word):
                return self._with_noun(begun)
            if word in ORDINALS or word in LAST or word in _PLACES:
                if not self._take_place(begun):
                    return None
            elif self._counts_alone(begun):
                begun.here += 1
                return begun.read("clip", many=True, count=_COUNTS[word])
            elif not (self._take_measure(begun) or self._take_look(begun)):
                break
            elif "object" in begun.looks and not self._single_noun(begun.here):
                return begun.read(None, many=begun.plural)
        return self._without_noun(begun)

    def _with_noun(self, begun: "_Begun") -> tuple[int, Reference] | None:
        word = self.words[begun.here]
        if begun.here == begun.start and not begun.definite and word != "transition":
            return None
        many = _is_plural(word)
        begun.here += 1
        return begun.read(PLURALS.get(word, word.removesuffix("s") if many else word), many=many)

    def _take_place(self, begun: "_Begun") -> bool:
        """Take a word like `second`, `last`; return False if it is no place of a product here."""
        word, ahead = self.words[begun.here], self._word(begun.here + 1)
        if begun.place is not None or (word in ("left", "right", "new", "old") and not begun.definite):
            return False
        noun_follows = is_noun(ahead) or ahead in PLURALS or ahead in ("ones", "things")
        aimed = begun.start > 1 and self.words[begun.start - 2] in ("to", "towards", "toward", "on", "from", "at")
        if word in ("left", "right") and aimed and not noun_follows:
            return False  # `to the left`
        begun.place = _PLACE_OF.get(word, word)
        begun.here += 1
        return True

    def _counts_alone(self, begun: "_Begun") -> bool:
        """Return whether a number counts clips that are not named: `the first two`."""
        ahead = self._word(begun.here + 1)
        counted = _is_plural(ahead) or ahead in ("second", "seconds")
        placed = begun.definite and begun.place in ("first", "last")
        return self.words[begun.here] in _COUNTS and placed and not counted

    def _take_measure(self, begun: "_Begun") -> bool:
        """Take a number, a size, or a word like `whole` after `the`; return False if none is there."""
        word, ahead = self.words[begun.here], self._word(begun.here + 1)
        if not begun.definite:
            return False
        if word in _COUNTS and (_is_plural(ahead) or ahead in ("last", "first") or self._look(begun.here + 1)):
            begun.count = _COUNTS[word]
        elif word in _SIZES:
            begun.size = _SIZES[word]
        elif word not in ("whole", "entire", "complete", "same", "current"):
            return False
        begun.here += 1
        return True

    def _take_look(self, begun: "_Begun") -> bool:
        """Take a word for what something shows; return False if none is there."""
        look = self._look(begun.here)
        if look is None or look[1][0] in begun.looks:
            return False
        length, (kind, value) = look
        begun.looks[kind] = value
        begun.plural = "objects" in self._kind(begun.here)
        begun.here += length
        return True

    def _without_noun(self, begun: "_Begun") -> tuple[int, Reference] | None:
        """Return the reference of adjectives alone; None if they name no product."""
        here, after, before = begun.here, self._word(begun.here), self.words[begun.start - 1]
        bare = begun.place is None and begun.size is None
        if not begun.definite or (bare and not begun.looks):
            return None
        if bare and set(begun.looks) <= {"scene"}:
            return None  # `the night` is a place
        if bare and set(begun.looks) <= {"colour", "scene"} and before in ("that", "this"):
            return None  # `make that yellow`
        timed = self._measured(here) or after in ("second", "seconds", "half")
        if timed and begun.place in ("first", "last", *ORDINALS):
            return None  # `the first two seconds`
        if self._kind(here) in ("unknown", "other thing", "thing") and after not in vocabulary():
            return None  # `the blue dragon`
        return begun.read(None if begun.looks else "one", many=begun.place == "others")

    def _word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def _single_noun(self, at: int) -> bool:
        return is_noun(self._word(at)) and self._word(at) != "one"

    def _kind(self, at: int) -> str:
        return self.tags[at][0].kind if at in self.tags else ""

    def _look(self, at: int) -> tuple[int, tuple[str, str]] | None:
        """Return the length and the meaning of a word for what something shows; a motion as `falling` does."""
        tag = self.tags.get(at)
        if tag is None or tag[0].soft:
            return None
        word, length = tag
        if word.kind in ("colour", "object", "scene"):
            return length, (word.kind, word.value)
        if word.kind == "objects":
            return length, ("object", word.value)
        if word.kind == "style" and word.value == "digital":
            return length, ("style", "digital")
        if word.kind == "motion" and word.text.endswith("ing") and not word.text.startswith(("mov", "go")):
            return length, ("motion", word.value)
        return None

    def _tail(self, at: int) -> tuple[int, dict[str, str]] | None:
        """Read `... with the star`, `... in the snow`, `... that flies left`, `... to the right`, as what is shown."""
        words = self.words
        if at < len(words) and words[at] in ("that", "which"):
            for length in range(5, 1, -1):
                motion = _motion_of(words[at + 1 : at + length]) if at + length <= len(words) else None
                if motion is not None:
                    return length, {"motion": motion}
        if words[at : at + 2] == ["to", "the"] and words[at + 2 : at + 3] and words[at + 2] in ("left", "right"):
            return 3, {"motion": f"moves {words[at + 2]}"}
        if at >= len(words) or words[at] not in _TAIL:
            return None
        if words[at] == "with" and words[at + 1 : at + 2] == ["it"]:
            return None
        begin = at + 1 + (words[at + 1 : at + 2] in (["the"], ["a"], ["an"], ["only"]))
        begin += words[begin : begin + 1] == ["only"]
        begin += words[begin : begin + 1] == ["the"]
        looks: dict[str, str] = {}
        while (look := self._look(begin)) is not None and look[1][0] not in looks:
            looks[look[1][0]] = look[1][1]
            begin += look[0]
        return (begin - at, looks) if looks and "motion" not in looks else None


def _is_noun(word: str) -> bool:
    return is_noun(word) or _is_plural(word)


def _is_plural(word: str) -> bool:
    return word in PLURALS or word in ("ones", "parts", "things")


def whole_number(word: str) -> int | None:
    """Return the whole number that a word is, in digits or in letters; None for another word."""
    if word.isdigit() and len(word) < 6:
        return int(word)
    return function_words.NUMBERS.get(word)


def _motion_of(words: Sequence[str]) -> str | None:
    """Return the motion that words like `flies left` mean, if they mean one."""
    tagged = tag_words(" ".join(words))
    known = (*MOTION, "preposition", "article", "is")
    if not tagged or tagged[-1].kind not in MOTION or not all(word.kind in known for word in tagged):
        return None
    side = next((word.value for word in tagged if word.kind == "direction"), None)
    fixed = next((word.value for word in tagged if word.kind == "motion"), None)
    if side is not None and tagged[0].kind in ("verb", "motion", "is"):
        return f"moves {side}"
    return fixed


def tags_of(words: Sequence[str]) -> dict[int, tuple[Word, int]]:
    """Return the tagged words by their index, with their length in words."""
    text, starts, at = " ".join(words), dict[int, int](), 0
    for index, word in enumerate(words):
        starts[at] = index
        at += len(word) + 1
    return {starts[word.start]: (word, len(word.text.split())) for word in tag_words(text) if word.start in starts}
