"""Resolve references to products: `it`, `the second one`, `that frame`, `the first film`, `number 3`.

Knows the products of a turn and the vocabulary of the embedded world. An ambiguous reference is not guessed: it raises
the question to ask.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from graph.dialogue.appearance import sceneries
from graph.english.tagger import hear
from graph.english.vocabulary import function_words
from graph.planning.turn import ORDINALS, TalkBrief
from graph.state.products import PRODUCT_ID, Product, kind_of, lines_of
from models.embedded.language import COLOURS, OBJECTS, SCENES, Scenery

WHICH = "Which one do you mean"
"""Start of the question which of several products is meant. Stored turns begin with it: do not change it."""

MOST_ASKED = 9
"""Largest number of products that such a question lists, the latest ones."""
LAST = {"last": -1, "latest": -1, "newest": -1, "final": -1, "previous": -2}
OTHER = ("other", "others")
PICTURES = ("picture", "image", "frame", "photo", "still", "drawing")
CLIPS = ("clip", "animation", "gif")
FILMS = ("film", "movie")
VIDEOS = ("video",)
TAKES = ("one", "take", "version", "candidate", "try", "attempt", "variant", "result", "product")
NOUNS = (*PICTURES, *CLIPS, *FILMS, *VIDEOS, *TAKES, "shot")
PLURALS = {f"{noun}s": noun for noun in NOUNS} | {"tries": "try"}
PRONOUNS = ("it", "this", "that")
ALL = ("them", "these", "those", "both", "all", "everything", "all of them", "both of them", "all of these", "them all")
_DEFINITE = ("the", "that", "this", "my", "your", "these", "those")
_AFTER_IT = ("and", ",", "then", "instead", "please", "with", "to", "again", ".", "!", "?", "for")
_SUFFIXES = {"1st": "first", "2nd": "second", "3rd": "third", **{f"{n}th": name for name, n in (
    (name, place + 1) for name, place in ORDINALS.items() if place > 2)}}  # fmt: skip
_COUNTS = {"two": 2, "three": 3, "four": 4}


class Which(Exception):
    """A reference is ambiguous. among: the products that it may mean."""

    def __init__(self, among: Sequence[Product]) -> None:
        self.among = list(among)
        super().__init__(f"{WHICH}? Say its number:\n{lines_of(self.among[-MOST_ASKED:])}")


class Nothing(Exception):
    """A reference or request fits no product; the text is a sentence for the person."""


@dataclass(frozen=True)
class Meant:
    """Products that the words from `start` to `end` of a text name. many: the words are a plural."""

    things: tuple[Product, ...]
    start: int
    end: int
    many: bool = False
    pronoun: bool = False


@dataclass(frozen=True)
class References:
    """Resolves references in a text of lower-case words. forced: the product that an ambiguous one means."""

    brief: TalkBrief
    forced: Product | None = None
    strangers: list[Product] = field(default_factory=list)

    @property
    def things(self) -> list[Product]:
        """All products that can be meant."""
        return [*self.brief.things, *self.strangers]

    @property
    def it(self) -> list[Product]:
        """The products that `it` may mean."""
        return [thing for thing in self.brief.things if thing.number in self.brief.it]

    def with_ids(self, text: str) -> str:
        """Replace artifact ids and `#N` by `number N`, and `2nd` by `second`; a foreign product gets a number, too."""

        def number(found: re.Match[str]) -> str:
            known = next((thing for thing in self.things if thing.id == found[0]), None)
            if known is None:
                known = Product(
                    number=90_000 + len(self.strangers), id=found[0], kind=kind_of(found[0]), call="", shot=0, take=0,
                    board=False,
                )  # fmt: skip
                self.strangers.append(known)
            return f" number {known.number} "

        text = PRODUCT_ID.sub(number, text.lower())
        text = re.sub(r"(?:#|\bno\.|\bnr\.?)\s*(\d+)", r" number \1", text)
        return re.sub(r"\b\d+(?:st|nd|rd|th)\b", lambda found: _SUFFIXES.get(found[0], found[0]), text)

    def read(self, text: str, *, bare: bool = False) -> list[Meant]:
        """Return all references of a text in order. bare: a number alone counts as one. Raises Which, Nothing."""
        said, found, at = text.split(" "), list[Meant](), 0
        starts = [sum(len(word) + 1 for word in said[:index]) for index in range(len(said))]
        while at < len(said):
            length, meant = self._at(said, at, bare=bare)
            if meant is not None:
                end = starts[at + length - 1] + len(said[at + length - 1])
                found.append(replace(meant, start=starts[at], end=end))
            at += max(1, length)
        return found

    def one(self, among: Sequence[Product]) -> Product:
        """Return the only product of several. Raises Which, Nothing."""
        if not among:
            raise Nothing("There is nothing yet that you could mean; wish for something first.")
        if len(among) > 1 and self.forced in among:
            return cast(Product, self.forced)
        if len(among) > 1:
            raise Which(among)
        return among[0]

    def only(self) -> Product:
        """Return the product that `it` means. Raises Which, Nothing."""
        if self.forced is not None and self.forced in self.it:
            return self.forced
        return self.one(self.it)

    def _at(self, said: list[str], at: int, *, bare: bool) -> tuple[int, Meant | None]:
        for reader in (self._number, self._every, self._noun, self._ordinal, self._pronoun):
            if (read := reader(said, at)) is not None:
                return read
        if bare and re.fullmatch(r"\d+", said[at]):
            return 1, self._meant(self.by_number(int(said[at])))
        return 1, None

    def _meant(self, *things: Product, many: bool = False, pronoun: bool = False) -> Meant:
        return Meant(things, 0, 0, many=many, pronoun=pronoun)

    def by_number(self, number: int) -> Product:
        """Return the product with a number. Raises Nothing."""
        found = next((thing for thing in self.things if thing.number == number), None)
        if found is None:
            raise Nothing(f"There is no number {number}; say `what do I have?`, or /board, to see what there is.")
        return found

    def _number(self, said: list[str], at: int) -> tuple[int, Meant] | None:
        """Read `number 3`, `clip 3`, `shot 2`, `take 2`."""
        skip = said[at] in _DEFINITE
        noun, number = [*said[at + skip : at + skip + 2], "", ""][:2]
        count = function_words.NUMBERS.get(number, int(number) if number.isdigit() else None)
        if count is None or noun not in ("number", "numbers", *NOUNS) or noun == "one":
            return None
        length = 2 + skip
        if noun in ("number", "numbers"):
            return length, self._meant(self.by_number(count))
        if noun == "shot":
            return length, self._meant(self._of_shot(count))
        scope = self._scope(noun)
        if noun in TAKES:
            return length, self._meant(self._nth(scope, count - 1, noun))
        named = [thing for thing in scope if thing.number == count]
        return length, self._meant(named[0] if named else self._nth(scope, count - 1, noun))

    def _of_shot(self, shot: int) -> Product:
        here = [thing for thing in self.things if thing.shot == shot and thing.board]
        live = [thing for thing in here if thing.stands or thing.waits]
        if not here:
            raise Nothing(f"There is no shot {shot}.")
        return (live or here)[-1]

    def _every(self, said: list[str], at: int) -> tuple[int, Meant] | None:
        """Read `them`, `both`, `the two films`, `the last two clips`, `all clips`."""
        rest = said[at : at + 5]
        for phrase in sorted(ALL, key=len, reverse=True):
            length = phrase.count(" ") + 1
            if " ".join(rest[:length]) != phrase:
                continue
            if phrase in ("these", "those", "all", "both") and " ".join(rest[length : length + 2]) and rest[1:2]:
                more = self._plural(said, at + length, rest[0])
                if more is not None:
                    return length + more[0], more[1]
            return length, Meant(tuple(self._many()), 0, 0, many=True)
        if rest[0] in _DEFINITE or rest[0] in _COUNTS:
            more = self._plural(said, at + (rest[0] in _DEFINITE), rest[0])
            if more is not None:
                return more[0] + (rest[0] in _DEFINITE), more[1]
        return None

    def _plural(self, said: list[str], at: int, lead: str) -> tuple[int, Meant] | None:
        """Read `(last) (two) films` from an index on."""
        rest, length, place, count = said[at : at + 4], 0, "", None
        if rest[:1] and rest[0] in _DEFINITE:
            rest, length = rest[1:], 1
        if rest[:1] and (rest[0] in ORDINALS or rest[0] in LAST):
            place, rest, length = rest[0], rest[1:], length + 1
        if rest[:1] and rest[0] in _COUNTS:
            count, rest, length = _COUNTS[rest[0]], rest[1:], length + 1
        if rest[:1] and rest[0] in PLURALS:
            scope, length = self._scope(PLURALS[rest[0]]), length + 1
        elif place and count:
            scope = self._scope("one")
        else:
            return None
        count = 2 if lead == "both" else count
        if count is not None and len(scope) > count and not place:
            raise Which(scope)
        if count is not None and len(scope) < count:
            have = "1" if len(scope) == 1 else str(len(scope) or "none")
            raise Nothing(f"There are not {count} of them, there is {have}; say `what do I have?` to see them.")
        taken = scope[-count:] if place in LAST and count else scope[:count]
        return length, Meant(tuple(taken), 0, 0, many=True)

    def _many(self) -> list[Product]:
        """Return the products of `it` if there are several, else every clip and film that is chosen or waits."""
        if len(self.it) > 1:
            return self.it
        live = [thing for thing in self.things if thing.stands or thing in self.it]
        return [thing for thing in live if thing.kind != "picture"] or live

    def _noun(self, said: list[str], at: int) -> tuple[int, Meant] | None:
        """Read `the second one`, `that frame`, `the blue clip`, `last film`, `the red ball`, `the one in the snow`."""
        definite = said[at] in _DEFINITE
        begin = at + definite
        for end in range(begin + 1, min(len(said), begin + 4) + 1):
            noun = said[end - 1]
            middle = said[begin : end - 1]
            if noun in NOUNS and (definite or middle) and (found := self._described(middle, noun)) is not None:
                if noun == "one" and not definite and not set(middle) & (set(ORDINALS) | set(LAST) | _looks()):
                    return None
                tail = self._tail(said, end, found)
                if tail is not None:
                    return end + tail[0] - at, self._meant(tail[1])
                return end - at, self._meant(self._single(found, said[at]))
        return None

    def _tail(self, said: list[str], at: int, among: list[Product]) -> tuple[int, Product] | None:
        """Read `... with the star`, `... in the snow`."""
        rest = said[at : at + 4]
        if len(rest) < 2 or rest[0] not in ("with", "in", "at", "on", "of"):
            return None
        for length in range(len(rest), 1, -1):
            looks = [_look(word) for word in rest[1:length] if word not in ("the", "a", "an", "of")]
            if looks and all(looks):
                matching = [thing for thing in among if _shows(thing, [look for look in looks if look])]
                return (length, self.one(matching)) if matching else None
        return None

    def _described(self, middle: list[str], noun: str) -> list[Product] | None:
        """Return what a noun and the words before it may mean; None if they describe no product."""
        places = [word for word in middle if word in ORDINALS or word in LAST or word in OTHER]
        looks = [_look(word) for word in middle if word not in places]
        if not all(looks) or len(places) > 1:
            return None
        scope = self._scope(noun) if not looks else self._alike(noun, cast(Any, looks))
        if not places:
            return scope
        place = places[0]
        if place in OTHER:
            return [thing for thing in scope if thing not in self.it]
        if not looks and noun in TAKES and (thing := self._bare(place, noun)) is not None:
            return [thing]
        index = ORDINALS.get(place, LAST.get(place, 0))
        if noun == "shot":
            return [self._of_shot(index + 1 if index >= 0 else max((thing.shot for thing in self.things), default=0))]
        return self._placed(scope, index, noun)

    def _bare(self, place: str, noun: str) -> Product | None:
        """Resolve `the second one`, `the previous take`; return None if the words are to be read as with a kind."""
        if place in ORDINALS and noun in ("one", "product"):
            return self._counted(ORDINALS[place], noun)
        return self._before() if place == "previous" else None

    def _counted(self, index: int, noun: str) -> Product:
        """Resolve `the second one`: of the offered products, or with at most one offered the product of that number.

        Raises Which if it may be either, Nothing.
        """
        numbered = next((thing for thing in self.things if thing.number == index + 1), None)
        offered = self._offered()
        if len(offered) > 1 and (numbered is None or index < len(offered)):
            return self._nth(offered, index, noun)
        if len(offered) > 1:
            return self.one(offered)
        calls = {thing.call for thing in self.it}
        takes = [thing for thing in self.things if len(calls) == 1 and thing.call in calls]
        of_takes = takes[index : index + 1] if len(takes) > 1 else []
        if numbered is None and not of_takes:
            return self.by_number(index + 1)
        return self.one(list({thing.number: thing for thing in (numbered, *of_takes) if thing}.values()))

    def _offered(self) -> list[Product]:
        """Return what waits, or only the candidates of a call if it has several. Raises Which if several calls have."""
        waiting = [thing for thing in self.it if thing.waits]
        calls = [thing.call for thing in waiting]
        several = list(dict.fromkeys(call for call in calls if calls.count(call) > 1))
        if len(several) > 1:
            return [self.one(waiting)]
        return [thing for thing in waiting if not several or thing.call in several]

    def _before(self) -> Product:
        """Resolve `the previous one`: the take before the current one, or what it was edited from. Raises Nothing."""
        if not self.it:
            raise Nothing("There is nothing yet that you could mean; wish for something first.")
        here = self.it[0]
        earlier = [thing for thing in self.things if thing.call == here.call and thing.take < here.take]
        if not earlier and ".edit_" in here.call:
            earlier = [thing for thing in self.things if thing.number in here.of]
        if not earlier:
            raise Nothing(
                f"Number {here.number} is the first of its takes; say a number, `what do I have?` tells what there is."
            )
        return earlier[-1]

    def _placed(self, scope: list[Product], index: int, noun: str) -> list[Product]:
        """Return the n-th of the scope, and the n-th of all that was made if that is another product."""
        kinds = {thing.kind for thing in scope}
        every = [thing for thing in self.things if thing.kind in kinds and thing.board]
        takes = len({thing.call for thing in scope}) == 1 and len(scope) > 1
        if index < 0 or takes or set(scope) == set(every):
            return [self._nth(scope, index, noun)]
        if index >= len(scope):
            return [self._nth(every, index, noun)]
        return sorted({scope[index], every[index]}, key=lambda thing: thing.number)

    def _alike(self, noun: str, looks: list[tuple[str, str]]) -> list[Product]:
        kinds = _kinds(noun)
        among = [thing for thing in self.things if not kinds or thing.kind in kinds]
        live = [thing for thing in among if (thing.stands or thing.waits) and _shows(thing, looks)]
        found = live or [thing for thing in among if _shows(thing, looks)]
        if not found:
            raise Nothing(f"Nothing there is {' '.join(value for _, value in looks)}; say `what do I have?` to see it.")
        # A clip shows the same as the picture it was made from: of several products of a shot the last one is meant.
        last = {thing.shot: thing for thing in found}
        return list(last.values()) if noun == "one" and not any(thing.waits for thing in found) else found

    def _ordinal(self, said: list[str], at: int) -> tuple[int, Meant] | None:
        """Read `the second` that no noun follows."""
        if said[at] != "the" or said[at + 1 : at + 2] == []:
            return None
        word, ahead = said[at + 1], (said[at + 2 : at + 3] or [""])[0]
        if word not in ORDINALS and word not in LAST and word not in OTHER:
            return None
        if ahead and ahead not in (
            "and",
            ",",
            "then",
            "instead",
            "please",
            "with",
            "to",
            "again",
            ".",
            "!",
            "?",
            "for",
        ):
            return None
        found = self._described([word], "one")
        return 2, self._meant(self._single(found or [], "the"))

    def _pronoun(self, said: list[str], at: int) -> tuple[int, Meant] | None:
        if said[at] not in PRONOUNS:
            return None
        ahead = (said[at + 1 : at + 2] or [""])[0]
        if said[at] != "it" and ahead in ("time", "way"):
            return None
        return 1, Meant(tuple(self.it), 0, 0, pronoun=True)

    def _single(self, among: list[Product], lead: str) -> Product:
        near = [thing for thing in among if thing in self.it]
        if len(among) > 1 and near:
            among = near
        if len(among) > 1 and lead in ("that", "this"):
            among = among[-1:]
        return self.one(among)

    def _nth(self, scope: list[Product], place: int, noun: str) -> Product:
        if not -len(scope) <= place < len(scope):
            have = "there is 1" if len(scope) == 1 else f"there are {len(scope)}" if scope else "there is none"
            raise Nothing(f"I find no such {noun}: {have}; say `what do I have?` to see what there is.")
        return scope[place]

    def _scope(self, noun: str) -> list[Product]:
        """Return what a noun may mean: the takes in question, else what is chosen or waits."""
        kinds = _kinds(noun)
        calls = {thing.call for thing in self.it}
        takes = [thing for thing in self.things if thing.call in calls and thing.call]
        if len(takes) > 1 and (not kinds or takes[0].kind in kinds) and (noun in TAKES or any(t.waits for t in takes)):
            if len(calls) > 1 and noun in TAKES and self.forced is None:
                return [thing for thing in takes if thing.waits]
            return takes
        if noun in TAKES and self.it:
            kinds = {self.it[0].kind}
        among = [thing for thing in self.things if not kinds or thing.kind in kinds]
        if noun in FILMS and not among:
            among = [thing for thing in self.things if thing.kind == "clip"]
        return [thing for thing in among if thing.stands or thing.waits] or among


def _kinds(noun: str) -> set[str]:
    if noun in PICTURES:
        return {"picture"}
    if noun in CLIPS:
        return {"clip"}
    if noun in FILMS:
        return {"film"}
    return {"clip", "film"} if noun in VIDEOS else set()


Look = tuple[str, str]
"""Kind and value: (colour, blue)."""


def _look(word: str) -> Look | None:
    heard = hear(word)
    if len(heard) == 1 and heard[0].kind in ("colour", "object", "scene"):
        return heard[0].kind, heard[0].value
    return ("digital", "digital") if len(heard) == 1 and heard[0].kind == "style" else None


def _looks() -> set[str]:
    return {*COLOURS, *OBJECTS, *SCENES, "digital", "pixelated"}


def _shows(thing: Product, looks: Sequence[Look]) -> bool:
    return any(all(_has(scenery, look) for look in looks) for scenery in sceneries(thing))


def _has(scenery: Scenery, look: Look) -> bool:
    kind, value = look
    return scenery.digital if kind == "digital" else bool(getattr(scenery, kind) == value)


def iterate(meant: Sequence[Meant]) -> Iterator[Product]:
    """Yield all products of the references, each once."""
    seen = set[int]()
    for each in meant:
        for thing in each.things:
            if thing.number not in seen:
                seen.add(thing.number)
                yield thing


def without(text: str, meant: Sequence[Meant], by: Callable[[Meant], str]) -> str:
    """Return the text with each reference replaced by `by(reference)`."""
    for each in sorted(meant, key=lambda one: one.start, reverse=True):
        text = f"{text[: each.start]}{by(each)}{text[each.end :]}"
    return " ".join(text.split())
