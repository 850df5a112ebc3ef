"""Parse one run of words between two boundaries: its attributes, negations, lengths, and what the world lacks."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from graph.english.lexicon import Word
from graph.english.meaning import Part
from graph.english.refusals import (
    Refusal,
    listed,
    refuse_colour,
    refuse_motion,
    refuse_place,
    refuse_thing,
    refuse_two,
    unknown_word_note,
)
from graph.english.vocabulary import objects, scenes
from models.embedded.language import MOTIONS, OBJECTS, SCENES

_SPEED_NOTE = "Every motion has its own speed; I cannot make it slower or faster."
_SOUND_NOTE = "The film has no sound."
_CAMERA_NOTE = "The camera of the embedded world stands still."
_ASPECTS = ("adjective", "unknown", "colour", "other colour", "speed", "count")
_THROUGH = (*_ASPECTS, "article", "filler")
_WANTING = ("i", "we", "you", "would", "id")
_DIRECTED = {"left": "moves left", "right": "moves right", "up": "moves up", "down": "moves down"}
_UNDIRECTED = {"along": ("moves right", "moves left"), "anywhere": MOTIONS[:4]}


@dataclass
class _ParserState:
    """The state of parsing from left to right. given: there is an input picture, so unknown objects are accepted."""

    run: Sequence[Word]
    given: bool
    join: Word
    found: dict[str, list[str]] = field(default_factory=dict)
    soft: dict[str, list[str]] = field(default_factory=dict)
    left_open: set[str] = field(default_factory=set)
    excluded: set[str] = field(default_factory=set)
    directions: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    verb: str = ""
    digital: bool | None = None
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)
    negated: bool = False
    still: bool = False
    own_verb: bool = False
    new_subject: bool = False
    at_once: bool = False
    unknown_verb: str = ""

    def word(self, at: int) -> Word | None:
        """Return the word at an index, or None outside the run."""
        return self.run[at] if 0 <= at < len(self.run) else None

    def beyond(self, at: int, step: int, over: Sequence[str] = _THROUGH) -> Word | None:
        """Return the nearest word before (-1) or after (1) whose kind is not in `over`."""
        at += step
        while (word := self.word(at)) is not None and word.kind in over:
            at += step
        return word

    def add(self, word: Word, at: int) -> None:
        """Add a value of the world: named, excluded, or one of several left open with `or`."""
        if self.negated:
            self.excluded.add(word.value)
            self.negated = self._negation_continues(at)
            return
        values = (self.soft if word.soft else self.found).setdefault(word.kind, [])
        near = self.beyond(at, -1, ("article", "filler", "preposition", "verb", "edge"))
        if values and near is not None and near.kind == "or":
            self.left_open.add(word.kind)
        if word.value not in values:
            values.append(word.value)

    def _negation_continues(self, at: int) -> bool:
        ahead = self.word(at + 1)
        return ahead is not None and (ahead.kind == "or" or (self.run[at].kind == "colour" and ahead.kind == "object"))


def read_part(run: Sequence[Word], join: Word, *, given: bool) -> Part:
    """Parse the run that follows the boundary `join`. Raises Refusal for what the embedded world does not have."""
    state = _ParserState(run, given, join)
    if any(word.kind == "camera" for word in run):
        state.run = [word for word in run if word.kind in ("object", "colour", "scene", "article", "adjective")]
        state.notes.append(_CAMERA_NOTE)
    for at, word in enumerate(state.run):
        if (read := _READERS.get(word.kind)) is not None:
            read(state, word, at)
    _settle_motion(state)
    for at, word in enumerate(state.run):
        if word.kind == "unknown":
            _unknown(state, word, at)
    return _part(state, run)


def _object(state: _ParserState, word: Word, at: int) -> None:
    ahead = state.word(at + 1)
    if ahead is not None and ahead.kind in ("object", "objects", "other thing"):
        return
    before = state.beyond(at, -1, _ASPECTS)
    state.new_subject |= before is not None and before.kind == "article" and before.text != "the" and not state.negated
    state.add(word, at)


def _objects(state: _ParserState, word: Word, _at: int) -> None:
    if not state.negated and not state.given:
        raise Refusal(
            "wish-of-two-things", f"One shot shows one thing; wish for one {word.value}, or say `first ..., then ...`."
        )


def _colour(state: _ParserState, word: Word, at: int) -> None:
    if _of_the_scene(state, word, at):
        return
    ahead = state.beyond(at, 1, ("adjective",))
    if word.text in objects.FRUITS.split() and (ahead is None or ahead.kind in ("verb", "motion", "is", "preposition")):
        before = state.word(at - 1)
        if before is not None and before.kind == "article":
            refuse_thing(word.text, "ball")
    if word.soft:
        state.notes.append(f"I read {word.text} as {word.value}, the nearest colour there is.")
    state.add(replace(word, soft=False), at)


def _of_the_scene(state: _ParserState, word: Word, at: int) -> bool:
    """Return True if a colour describes the scene or the sky. Raises Refusal if the scene has another colour."""
    ahead = _described(state, at)
    if ahead is not None and ahead.text in _SKY:
        return True
    scene = ahead if ahead is not None and _is_place(ahead) else _subject_scene(state, at)
    if scene is None:
        return False
    natural = scenes.SCENE_COLOURS[next(each for each in SCENES if each == scene.value)].split()
    if word.value not in natural and word.text not in natural and not state.negated:
        raise Refusal(
            "scene-has-own-colours",
            f"A scene keeps its own colours, so the {scene.value} is not {word.text}; "
            f"leave the colour out, or give it to the {listed(OBJECTS, 'or')}.",
        )
    return True


_SKY = ("sky", "skies", "background", "backdrop", "ground", "horizon", "surroundings")


def _is_place(word: Word) -> bool:
    """Return True for a scene that a colour or motion can describe: not for `after sunset`."""
    return word.kind == "scene" and word.text.split()[0] not in _TELLS_WHEN_OR_WHERE


_TELLS_WHEN_OR_WHERE = ("after", "before", "late", *scenes.PLACE_PREPOSITIONS)


def _described(state: _ParserState, at: int) -> Word | None:
    """Return the word that a colour describes: `white SNOW`, `a white plain of ICE`."""
    kinds = ("adjective", "colour", "other colour", "filler", "unknown")
    at += 1
    while (word := state.word(at)) is not None and word.text not in _SKY and (word.kind in kinds or word.text == "of"):
        at += 1
    return word


def _subject_scene(state: _ParserState, at: int) -> Word | None:
    """Return the scene of `the sea is blue`, unless an object was named before it."""
    before = state.word(at - 1)
    if before is None or before.kind != "is" or "object" in state.found:
        return None
    subject = state.word(at - 2)
    return subject if subject is not None and subject.kind == "scene" else None


def _scene(state: _ParserState, word: Word, at: int) -> None:
    ahead = state.word(at + 1)
    if word.soft and ahead is not None and ahead.kind in ("colour", "object", "other colour", "thing"):
        return
    state.add(word, at)


def _motion(state: _ParserState, word: Word, at: int) -> None:
    if _describes_scene(state, at):
        return
    if not state.negated and not word.soft:
        state.own_verb = True
    if state.negated and word.value == "stays still":
        state.excluded.add(word.value)
        state.negated = False
        return
    state.add(word, at)


def _describes_scene(state: _ParserState, at: int) -> bool:
    """Return True for `amid falling snow`, where the motion belongs to the weather."""
    before, ahead = state.word(at - 1), state.word(at + 1)
    placed = before is None or before.kind in ("preposition", "article", "adjective", "filler")
    return placed and state.run[at].text.endswith("ing") and ahead is not None and _is_place(ahead)


def _verb(state: _ParserState, word: Word, at: int) -> None:
    ahead = state.word(at + 1)
    if _describes_scene(state, at):
        return
    if state.negated:
        state.negated = ahead is not None and ahead.kind in ("direction", "motion")
        state.still |= not state.negated and not word.soft
        return
    if not word.soft:
        state.verb = state.verb or word.value
        state.own_verb = True
    elif any(each.kind in ("direction", "from") for each in state.run[at + 1 :]):
        state.own_verb = True


def _direction(state: _ParserState, word: Word, at: int) -> None:
    before = state.word(at - 1)
    particles = {("grows", "up"), ("shrinks", "down"), ("stays still", "up"), ("stays still", "down")}
    if before is not None and before.kind == "motion" and (before.value, word.text) in particles:
        return
    if state.negated:
        state.excluded.add(_DIRECTED[word.value])
        ahead = state.word(at + 1)
        state.negated = ahead is not None and ahead.kind == "or"
        return
    near = state.beyond(at, -1, ("article", "filler", "preposition", "edge"))
    if state.directions and near is not None and near.kind == "or":
        state.left_open.add("motion")
    if word.value not in state.directions:
        state.directions.append(word.value)


def _style(state: _ParserState, word: Word, _at: int) -> None:
    state.digital = (word.value == "digital") != state.negated
    state.negated = False


def _seconds(state: _ParserState, word: Word, _at: int) -> None:
    state.seconds = word.amount


def _not(state: _ParserState, _word: Word, _at: int) -> None:
    state.negated = True


def _other(state: _ParserState, word: Word, at: int) -> None:
    """Handle a thing, colour, place or motion that the world does not have."""
    if state.negated:
        return
    if _is_simile(state, at):
        state.notes.append(f"I did not paint the comparison with {word.text}.")
    elif word.kind == "other colour":
        if not _of_the_scene(state, word, at) and not state.given:
            refuse_colour(word)
    elif word.kind == "other motion" and _is_wishing(state, at):
        return
    elif word.kind == "other motion":
        refuse_motion(word.text, word.value)
    elif not state.given:
        _other_noun(state, word, at)


def _other_noun(state: _ParserState, word: Word, at: int) -> None:
    ahead = state.word(at + 1)
    if ahead is not None and ahead.text in _WISHES:
        return
    if ahead is not None and ahead.kind == "object":
        state.notes.append(f"I left out {word.text}: the {ahead.text} is a plain one.")
        return
    before = state.beyond(at, -1, ("article", "adjective", "colour", "other colour", "unknown"))
    if word.kind == "other scene" or (before is not None and before.text in _INTO_PLACES):
        refuse_place(word.text)
    refuse_thing(word.text, word.value)


_INTO_PLACES = scenes.PLACE_PREPOSITIONS


_WISHES = ("want", "wants", "wanted", "asks", "asked", "likes", "loves", "says", "said", "needs", "wishes", "requested")
"""Verbs of people around the person (`my kid wants a ball`), not of the picture."""


def _is_purpose(state: _ParserState, at: int) -> bool:
    """Return True for `for my daughter`, which does not say what to show."""
    before = state.beyond(at, -1, ("article", "adjective", "unknown", "filler"))
    return before is not None and before.text == "for"


def _adjective(state: _ParserState, word: Word, at: int) -> None:
    """Read `something that is round and blue`: `round` after `is` means a ball if no other object is named."""
    before = state.word(at - 1)
    if word.text in objects.ROUND and before is not None and before.kind == "is":
        state.add(Word("object", "ball", soft=True, text=word.text), at)


def _is_simile(state: _ParserState, at: int) -> bool:
    """Return True for `flies like a bird`, `red as blood`, but not for `I would like a bird`."""
    while (word := state.word(at - 1)) is not None and word.kind in ("article", "adjective", "unknown"):
        at -= 1
    if word is None and state.join.text == "as":
        return not any(each.kind in ("verb", "motion", "object") for each in state.run)
    wanting = state.word(at - 2)
    return word is not None and word.text == "like" and not (wanting is not None and wanting.text in _WANTING)


def _note(text: str) -> Callable[[_ParserState, Word, int], None]:
    def note(state: _ParserState, _word: Word, _at: int) -> None:
        if not state.negated:
            state.notes.append(text)

    return note


def _other_style(state: _ParserState, word: Word, _at: int) -> None:
    if not state.negated:
        state.notes.append(f"There is no {word.text} style; the picture is natural, or in digital world style.")


def _from(state: _ParserState, word: Word, _at: int) -> None:
    state.origins.append(word.value)


def _position(state: _ParserState, word: Word, _at: int) -> None:
    state.positions.append(word.value)


def _both(state: _ParserState, _word: Word, _at: int) -> None:
    state.at_once = True


_READERS: dict[str, Callable[[_ParserState, Word, int], None]] = {
    "object": _object, "objects": _objects, "colour": _colour, "scene": _scene, "motion": _motion, "verb": _verb,
    "direction": _direction, "from": _from, "position": _position, "style": _style, "seconds": _seconds, "not": _not,
    "both": _both, "other thing": _other, "other colour": _other, "other scene": _other, "other motion": _other,
    "speed": _note(_SPEED_NOTE), "adjective": _adjective, "sound": _note(_SOUND_NOTE), "other style": _other_style,
}  # fmt: skip


def _settle_motion(state: _ParserState) -> None:
    """Combine verbs, directions and sides into one motion, or into several left open."""
    if not state.directions:
        state.directions.extend(state.origins[:1])
    motions = state.found.setdefault("motion", [])
    if len(state.run) == 1 and state.directions == ["right"]:
        # "There is this star, right, and it climbs": a question tag, unless no other motion is named.
        state.soft["motion"], state.directions = ["moves right"], []
    motions.extend(_DIRECTED[side] for side in state.directions if _DIRECTED[side] not in motions)
    if state.still and not motions:
        motions.append("stays still")
    if not motions and state.verb:
        state.soft["motion"] = list(_UNDIRECTED[state.verb])
        state.left_open.add("motion")
    if not motions:
        del state.found["motion"]


def _unknown(state: _ParserState, word: Word, at: int) -> None:
    """Handle a word in no list: an attribute to ignore, or a thing, place or motion that the world does not have."""
    ahead = state.beyond(at, 1, ("adjective", "unknown", "colour", "other colour"))
    before = state.word(at - 1)
    if (
        word.text.endswith("ly")
        or _denied(state, at)
        or (ahead is not None and ahead.kind in _HEADS and _close(state, at))
    ):
        return
    if _is_simile(state, at) or _is_wishing(state, at) or _is_purpose(state, at):
        return
    follows = state.word(at + 1)
    if follows is not None and follows.text in _WISHES:
        return
    if (before is not None and before.kind in ("object", "thing", "pronoun")) or _is_participle(state, at):
        state.unknown_verb = word.text
    elif before is None or before.kind in _BEFORE_NOUNS or before.text in _INTO_PLACES:
        if not state.given:
            _refuse_noun(state, word, at)
        return
    state.notes.append(unknown_word_note(word.text))


_ADJECTIVAL = ("ful", "ous", "less", "ive", "able", "ible", "ish", "esque", "ing", "ed")


def _is_participle(state: _ParserState, at: int) -> bool:
    """Return True for an attribute that stands alone: `dwarfed by the dunes`, `a breathtaking, ...`."""
    before, ahead = state.word(at - 1), state.word(at + 1)
    opens = before is None or before.kind in ("article", "adjective", "unknown", "is")
    closes = ahead is None or ahead.kind in ("preposition", "filler")
    return opens and closes and state.run[at].text.endswith(_ADJECTIVAL)


_HEADS = ("object", "objects", "thing", "scene", "style")
_BEFORE_NOUNS = ("article", "adjective", "unknown", "colour", "speed", "count", "or")


def _close(state: _ParserState, at: int) -> bool:
    """Return True if only attributes stand between this word and its noun."""
    while (word := state.word(at + 1)) is not None and word.kind in ("adjective", "unknown", "colour", "other colour"):
        at += 1
    return word is not None and word.kind in _HEADS


def _denied(state: _ParserState, at: int) -> bool:
    return any(word.kind == "not" for word in state.run[max(0, at - 4) : at])


def _is_wishing(state: _ParserState, at: int) -> bool:
    """Return True for a verb of the person and not of the picture: `Conjure a ball`, `I desire a ball`."""
    before, ahead = state.word(at - 1), state.word(at + 1)
    opens = before is None or before.text in ("to", "i", "we", "you", "please", "me")
    return opens and ahead is not None and (ahead.kind in ("article", "pronoun", "count") or ahead.text == "me")


def _refuse_noun(state: _ParserState, word: Word, at: int) -> NoReturn:
    before = state.beyond(at, -1, ("article", "adjective", "colour", "other colour", "unknown"))
    if before is not None and before.text in _INTO_PLACES:
        refuse_place(word.text)
    refuse_thing(word.text, "")


def _part(state: _ParserState, run: Sequence[Word]) -> Part:
    values: dict[str, tuple[str, ...]] = {}
    soft: set[str] = set()
    for kind in ("object", "colour", "scene", "motion"):
        found = state.found.get(kind) or state.soft.get(kind, [])
        if not found:
            continue
        if len(found) > 1 and kind not in state.left_open:
            refuse_two(kind, found)
        values[kind] = tuple(found)
        if not state.found.get(kind):
            soft.add(kind)
    named = {value for among in values.values() for value in among}
    return Part(
        values=values,
        soft=frozenset(soft),
        excluded=frozenset(state.excluded - named),
        digital=state.digital,
        seconds=state.seconds,
        words=_words(run),
        notes=tuple(state.notes),
        own_verb=state.own_verb,
        new_subject=state.new_subject,
        at_once=state.at_once,
        positions=tuple(state.positions),
        unknown_verb=state.unknown_verb,
    )


def _words(run: Sequence[Word]) -> str:
    return re.sub(r"\s+", " ", " ".join(word.text for word in run)).strip()
