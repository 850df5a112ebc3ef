"""Find the requested edits of a given picture or clip in a wish, and return the other words for further parsing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import get_args

from graph.english.lexicon import Word, split_phrases, verb_forms
from graph.english.refusals import Refusal, listed, refuse_colour, refuse_place, refuse_thing, refuse_two
from graph.english.vocabulary import change_words, scenes
from models.embedded.language import DIGITAL_STYLE, Colour, Edit, Object, Scene

CHANGEABLE = f"`make it blue`, `turn it into a star`, `change the scene to night` or `{DIGITAL_STYLE}`"
MOST_AT_ONCE = 2
"""Largest number of kinds of change that A3 was trained to make at once."""

_BOUNDARIES = ("and", "mark", "but", "stop", "then", "first", "correction")
_ASPECTS = ("adjective", "colour", "other colour", "unknown", "count", "filler", "speed")
_HEADS = ("object", "objects", "thing", "other thing")
_MOTION_KINDS = ("motion", "verb", "direction", "from", "other motion")
_KEPT = (*_BOUNDARIES, *_MOTION_KINDS, "edge", "position", "speed", "seconds", "not", "or", "while", "sound", "camera")
"""Kinds of words that are kept from a stretch with a change, since they say something else."""
_POINTING = ("this", "that")
_SETTING = ("background", "backdrop", "scene", "setting", "scenery", "surroundings", "place", "ground")
_DEFINITE = ("the", "this", "my", "that", "your", "its", "any", "every")


@dataclass
class Changes:
    """The requested changes. found: kind -> new values; digital: the style; rest: the words about something else."""

    found: dict[str, list[str]] = field(default_factory=dict)
    digital: bool = False
    rest: list[Word] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """True if any change is requested."""
        return bool(self.found) or self.digital

    def edit(self, *, digital: bool = False) -> Edit:
        """Return the change as an instruction of A3. Raises Refusal for two values of a kind or too many changes."""
        for kind, values in self.found.items():
            if len(values) > 1:
                refuse_two(kind, values)
        said = [values[0] for values in self.found.values()]
        styled = self.digital or digital
        if len(said) + styled > MOST_AT_ONCE:
            raise Refusal(
                "too-many-changes",
                f"At most two things are changed at once, not {listed([*said, *['the style'] * styled])}; "
                "wish for two of them, then for the rest on the film that comes out.",
            )
        one = {kind: values[0] for kind, values in self.found.items()}
        return Edit(
            colour=next((colour for colour in get_args(Colour) if colour == one.get("colour")), None),
            object=next((object_ for object_ in get_args(Object) if object_ == one.get("object")), None),
            scene=next((scene for scene in get_args(Scene) if scene == one.get("scene")), None),
            digital=styled,
        )


def changes_in(tagged: Sequence[Word], *, bare: bool) -> Changes:
    """Return the changes that a wish requests. bare: a value alone is a request, too (`blue`, `at night`).

    Raises Refusal for an impossible change.
    """
    changes, asked = Changes(), False
    for boundary, stretch in _stretches(tagged):
        asked = _asks(stretch) or (asked and (boundary is None or boundary.kind in ("and", "mark", "but")))
        parser = _EditParser(stretch, changes)
        if boundary is not None:
            changes.rest.append(boundary)
        if parser.parse(asked=asked or bare):
            relocated = _relocates(stretch)
            changes.rest += [
                word
                for word in stretch
                if word.kind in _KEPT and not word.soft and not (relocated and word.kind == "verb")
            ]
        else:
            changes.rest += stretch
            asked = asked and not parser.motions
    return changes


def _stretches(tagged: Sequence[Word]) -> Iterator[tuple[Word | None, list[Word]]]:
    boundary: Word | None = None
    stretch: list[Word] = []
    for word in tagged:
        if word.kind in _BOUNDARIES or (word.kind == "while" and word.text not in _pivots()):
            yield boundary, stretch
            boundary, stretch = word, []
        else:
            stretch.append(word)
    yield boundary, stretch


def _asks(stretch: Sequence[Word]) -> bool:
    return any(word.kind == "become" or word.text in _changing() for word in stretch) or _relocates(stretch)


def _relocates(stretch: Sequence[Word]) -> bool:
    """Return True for `move it to the sea`, which is a change of scene and not a motion."""
    verbs = {" ".join(phrase) for phrase, _ in split_phrases(change_words.RELOCATIONS)}
    at = next((at for at, word in enumerate(stretch) if word.text in verbs), len(stretch))
    return any(word.kind in ("pronoun", "article") for word in stretch[at + 1 : at + 2])


@cache
def _changing() -> frozenset[str]:
    verbs = (" ".join(phrase) for phrase, _ in split_phrases(change_words.CHANGES))
    states = {" ".join(phrase) for phrase, _ in split_phrases(change_words.STATES)}
    return frozenset(form for verb in verbs for form in verb_forms(verb) if form not in states)


@cache
def _pivots() -> frozenset[str]:
    return frozenset(" ".join(phrase) for phrase, _ in split_phrases(change_words.TO_CHANGE))


@dataclass
class _EditParser:
    """Parses one stretch: which of its nouns are new values, and which only name what changes."""

    stretch: Sequence[Word]
    changes: Changes
    target_named: bool = False
    """The stretch has named what is to change: by a pronoun, or a definite noun."""

    @property
    def motions(self) -> list[int]:
        """Indices of motions that are not attributes, as in `the rolling ball`, `the ball that rolls`."""
        return [
            at
            for at, word in enumerate(self.stretch)
            if word.kind in _MOTION_KINDS and not word.soft and word.text not in _changing() and not self._describes(at)
        ]

    def parse(self, *, asked: bool) -> bool:
        """Collect every change; return True if there is one."""
        before, motions = self.changes.asked, self.motions
        counted = sum(map(len, self.changes.found.values())) + self.changes.digital
        last = motions[0] if motions else len(self.stretch)
        at = 0
        while at < len(self.stretch):
            at = self._parse_at(at, still=not motions, asked=asked, last=last)
        now = sum(map(len, self.changes.found.values())) + self.changes.digital
        return now > counted or (before and not motions and not self._names_anything())

    def _names_anything(self) -> bool:
        return any(word.kind in (*_HEADS, "colour", "scene", "seconds", "unknown") for word in self.stretch)

    def _parse_at(self, at: int, *, still: bool, asked: bool, last: int) -> int:
        """Parse what starts at an index and return the index after it."""
        word = self.stretch[at]
        if word.kind == "style":
            self._style(word, at)
        elif word.kind == "pronoun" or self._stands_alone(at):
            self.target_named = True
        elif word.kind in ("scene", "other scene"):
            if asked:
                self._scene(at, still=still)
        elif word.kind in (*_HEADS, *_ASPECTS, "article") and word.kind != "filler":
            end = self._end_of_noun(at)
            governed = still or self.target_named or self._pivoted(at)
            if governed and asked and at < last:
                self._noun(at, end)
            return end
        return at + 1

    def _stands_alone(self, at: int) -> bool:
        """Return True for `make THIS a star`."""
        ahead = self.stretch[at + 1] if at + 1 < len(self.stretch) else None
        return self.stretch[at].text in _POINTING and ahead is not None and ahead.kind == "article"

    def _end_of_noun(self, at: int) -> int:
        end = at
        while end < len(self.stretch) and self.stretch[end].kind in ("article", *_ASPECTS):
            end += 1
        return end + (end < len(self.stretch) and self.stretch[end].kind in _HEADS) or at + 1

    def _noun(self, at: int, end: int) -> None:
        """Parse a noun phrase: `the red ball` is what changes; `a blue star`, `into the star` and `blue` are values."""
        phrase = self.stretch[at:end]
        head = phrase[-1] if phrase[-1].kind in _HEADS else None
        if self._denied(at):
            return
        definite = any(word.kind == "article" and word.text in _DEFINITE for word in phrase)
        first = head is not None and not any(word.kind == "article" for word in phrase) and self._another_head(end)
        scenery = end < len(self.stretch) and self.stretch[end].kind == "scene"
        placed = head is not None and head.text in scenes.OTHER_PLACES and self._placed(at)
        if (head is not None and (definite or first) and not self._pivoted(at) and not placed) or scenery:
            self.target_named = True
            return
        if head is None and not self._pivoted(at) and self._another_colour(end):
            return
        if head is not None and placed:
            refuse_place(head.text)
        for word in phrase:
            self._add_value(word, at)

    def _add_value(self, word: Word, at: int) -> None:
        if word.kind in ("object", "colour", "objects"):
            values = self.changes.found.setdefault("object" if word.kind == "objects" else word.kind, [])
            if word.value not in values:
                values.append(word.value)
        elif word.kind == "other colour":
            refuse_colour(word)
        elif word.kind == "other thing":
            refuse_thing(word.text, word.value)
        elif word.kind == "unknown" and word is self.stretch[-1] and self._is_noun(at):
            refuse_thing(word.text, "")

    def _is_noun(self, at: int) -> bool:
        """Return True if a phrase that ends in an unknown word is in the position of a noun: `into a zebra`."""
        return self.stretch[at].kind == "article" and (self._pivoted(at) or self.target_named)

    def _scene(self, at: int, *, still: bool) -> None:
        word = self.stretch[at]
        start = at
        while start > 0 and self.stretch[start - 1].kind in ("article", "adjective", "colour"):
            start -= 1
        led = self._pivoted(start)
        definite = any(each.text in _DEFINITE for each in self.stretch[start:at])
        another = any(each.kind in ("scene", "other scene") for each in self.stretch[at + 1 :])
        into = start > 0 and self.stretch[start - 1].text in ("into", "to", "with", "by", "for")
        if self._denied(start) or (another and not into) or (not still and not into):
            return
        before = self.stretch[start - 1] if start else None
        if definite and before is not None and not led and before.kind != "preposition" and before.text not in _SETTING:
            return
        if self._of_a_thing(start):
            return
        if word.kind == "other scene":
            refuse_place(word.text)
        values = self.changes.found.setdefault("scene", [])
        if word.value not in values:
            values.append(word.value)

    def _of_a_thing(self, at: int) -> bool:
        """Return True for `make the ball in the snow blue`, where the scene only says which ball is meant."""
        before = self.stretch[at - 2] if at > 1 else None
        later = any(word.kind in ("object", "colour", "scene") for word in self.stretch[at + 1 :][1:])
        return before is not None and before.kind in ("object", "thing") and later

    def _style(self, word: Word, at: int) -> None:
        if self._denied(at) or word.value != "digital":
            raise Refusal(
                "style-not-removable", f"A style cannot be taken away; what can be asked for is {CHANGEABLE}."
            )
        self.changes.digital = True

    def _pivoted(self, at: int) -> bool:
        """Return True after `into` or `to`, or after `with`, `as` and the like once the thing to change was named."""
        before = self.stretch[at - 1].text if at else ""
        return before in ("into", "to") or (self.target_named and before in _pivots())

    def _placed(self, at: int) -> bool:
        return at > 0 and self.stretch[at - 1].text in scenes.PLACE_PREPOSITIONS and not self._pivoted(at)

    def _another_colour(self, at: int) -> bool:
        """Return True for `change red TO GREEN`."""
        ahead = self.stretch[at : at + 2]
        return len(ahead) > 1 and ahead[0].text in ("to", "into") and ahead[1].kind == "colour"

    def _another_head(self, at: int) -> bool:
        return any(word.kind in (*_HEADS, "colour") for word in self.stretch[at:])

    def _denied(self, at: int) -> bool:
        """Return True after `not`, `instead of`, `from`."""
        while at > 0 and self.stretch[at - 1].kind in ("article", *_ASPECTS):
            at -= 1
        before = self.stretch[at - 1] if at > 0 else None
        return before is not None and (before.kind == "not" or before.text == "from")

    def _describes(self, at: int) -> bool:
        word = self.stretch[at]
        before = self.stretch[at - 1] if at else None
        ahead = self.stretch[at + 1 :]
        if word.kind in ("direction", "from"):
            return at > 0 and (self.stretch[at - 1].kind in ("motion", "verb") and self._describes(at - 1))
        named_later = any(each.kind in ("colour", "object", "scene") for each in ahead)
        relative = before is not None and before.text in ("that", "which") and named_later
        return relative or (word.text.split()[0].endswith("ing") and named_later)
