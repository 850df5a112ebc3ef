"""Refuse what the embedded world does not have, in sentences that name what it has and what comes nearest."""

import re
from collections.abc import Sequence
from typing import Literal, NoReturn

from graph.english.lexicon import Word
from graph.english.meaning import Part
from graph.english.vocabulary import scenes
from memory.errors import CodedError
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES


class Refusal(CodedError):
    """The embedded world cannot show a wish; the text is one sentence for the person, with the nearest choices."""


def listed(values: Sequence[str], last: str = "and") -> str:
    """Join values as `a, b and c`."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {last} {values[-1]}"


UNKNOWN_WORD = re.compile(r"I did not understand `(.+)`\.")


def unknown_word_note(word: str) -> str:
    """Return the note about an unknown word."""
    return f"I did not understand `{word}`."


def merge_unknown_words(notes: Sequence[str]) -> list[str]:
    """Merge the notes about unknown words into one, at the position of the first; drop duplicate notes."""
    found = [match[1] for note in notes if (match := UNKNOWN_WORD.fullmatch(note))]
    joint_sentence = f"I did not understand {listed([f'`{word}`' for word in dict.fromkeys(found)])}." if found else ""
    return list(dict.fromkeys(joint_sentence if UNKNOWN_WORD.fullmatch(note) else note for note in notes))


def refuse_clash(first: Part, second: Part, clash: set[str]) -> NoReturn:
    """Raise Refusal for two conflicting values in one shot."""
    kind = next(kind for kind in ("object", "colour", "motion", "scene") if kind in clash)
    refuse_two(kind, [*first.values[kind], *second.values[kind]])


def refuse_two(kind: str, values: Sequence[str]) -> NoReturn:
    """Raise Refusal for several values of a kind: one shot has one of each."""
    both = listed(list(dict.fromkeys(values)))
    raise Refusal("wish-contradicts-itself", {
        "object": f"One shot shows one thing, not {both} at once; choose one, or say `first ..., then ...`.",
        "colour": f"One thing has one colour, not {both} at once; choose one, or say `first ..., then ...`.",
        "motion": f"One shot has one motion, not `{both}` at once; choose one, or say `first ..., then ...`.",
        "scene": f"One shot has one scene, not {both} at once; choose one, or say `first ..., then ...`.",
    }[kind])  # fmt: skip


Lack = Literal["thing", "colour", "place", "motion"]


_NAMED: dict[Lack, str] = {"thing": "a {}", "colour": "{}", "place": "the {}", "motion": "`{}`"}


_STAND_INS: dict[Lack, str] = {"thing": "ball", "colour": "red", "place": "meadow", "motion": "stays still"}


_AVAILABLE: dict[Lack, str] = {
    "thing": f"it has {listed([f'a {thing}' for thing in OBJECTS])}",
    "colour": f"its colours are {listed(COLOURS)}",
    "place": f"its scenes are {listed([f'the {scene}' for scene in SCENES], 'or')}",
    "motion": f"a thing there {listed(MOTIONS, 'or')}",
}


class Missing(Refusal):
    """A word for something that the world does not have. nearest: what comes nearest to it, or ""."""

    def __init__(self, kind: Lack, word: str, nearest: str) -> None:
        named = {"thing": word, "colour": word, "place": f"place called {word}"}
        lacks = f"The embedded world has no {named[kind]}" if kind in named else _no_motion([word])
        ending = f", and {_NAMED[kind].format(nearest)} comes nearest" if nearest else ""
        sentence = f"{lacks}; {_AVAILABLE[kind]}{ending}."
        super().__init__("not-in-the-world", sentence, kind=kind, word=word, nearest=nearest)
        self.kind, self.word, self.nearest = kind, word, nearest

    @property
    def stand_in(self) -> str:
        """A word that can replace it, so that the rest of the wish can be parsed."""
        return self.nearest or _STAND_INS[self.kind]


def _no_motion(verbs: Sequence[str]) -> str:
    return f"Nothing in the embedded world does {listed([f'`{verb}`' for verb in verbs], 'or')}"


def joint_sentence(found: Sequence[Missing]) -> str:
    """Return one sentence about all missing things."""
    if len(found) == 1:
        return str(found[0])
    nouns = [each.word for each in found if each.kind != "motion"]
    verbs = [each.word for each in found if each.kind == "motion"]
    lacks = f"The embedded world has no {listed(nouns, 'or')}" if nouns else _no_motion(verbs)
    if nouns and verbs:
        lacks += f", and nothing in it does {listed([f'`{verb}`' for verb in verbs], 'or')}"
    there = [_AVAILABLE[kind] for kind in _AVAILABLE if any(each.kind == kind for each in found)]
    near = [f"{_NAMED[each.kind].format(each.nearest)} to {each.word}" for each in found if each.nearest]
    ending = f"; nearest come {listed(near)}" if len(near) > 1 else f"; nearest comes {near[0]}" if near else ""
    return f"{lacks}; {', '.join(there)}{ending}."


def refuse_thing(word: str, nearest: str) -> NoReturn:
    """Raise Missing for a thing that the world does not have; `nearest` may be empty."""
    raise Missing("thing", word, nearest)


def refuse_colour(word: Word) -> NoReturn:
    """Raise Missing for a colour that the world does not have."""
    raise Missing("colour", word.text, word.value)


def refuse_place(word: str) -> NoReturn:
    """Raise Missing for a place that the world does not have."""
    raise Missing("place", word, scenes.OTHER_PLACES.get(word, ""))


def refuse_motion(word: str, nearest: str) -> NoReturn:
    """Raise Missing for a motion that the world does not have; `nearest` may be empty."""
    raise Missing("motion", word, nearest)
