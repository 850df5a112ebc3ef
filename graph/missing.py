"""What a wish names that the embedded world has not: told with what there is, and what comes nearest."""

from collections.abc import Sequence
from typing import Literal, NoReturn

from graph import words
from graph.hearing import Word
from graph.parts import Refusal, listed
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES

Lack = Literal["thing", "colour", "place", "motion"]

_NAMED: dict[Lack, str] = {"thing": "a {}", "colour": "{}", "place": "the {}", "motion": "`{}`"}
_STAND_INS: dict[Lack, str] = {"thing": "ball", "colour": "red", "place": "meadow", "motion": "stays still"}
_THERE: dict[Lack, str] = {
    "thing": f"it has {listed([f'a {thing}' for thing in OBJECTS])}",
    "colour": f"its colours are {listed(COLOURS)}",
    "place": f"its scenes are {listed([f'the {scene}' for scene in SCENES], 'or')}",
    "motion": f"a thing there {listed(MOTIONS, 'or')}",
}


class Missing(Refusal):
    """One word for something that the world has not. nearest: what comes nearest to it; "" if nothing does."""

    def __init__(self, kind: Lack, word: str, nearest: str) -> None:
        named = {"thing": word, "colour": word, "place": f"place called {word}"}
        lacks = f"The embedded world has no {named[kind]}" if kind in named else _undone([word], "The embedded world")
        ending = f", and {_NAMED[kind].format(nearest)} comes nearest" if nearest else ""
        super().__init__(f"{lacks}; {_THERE[kind]}{ending}.")
        self.kind, self.word, self.nearest = kind, word, nearest

    @property
    def stand_in(self) -> str:
        """What the wish may say in its place, so that the rest of it can be read."""
        return self.nearest or _STAND_INS[self.kind]


def _undone(deeds: Sequence[str], where: str) -> str:
    return f"Nothing in {where[0].lower()}{where[1:]} does {listed([f'`{deed}`' for deed in deeds], 'or')}"


def together(found: Sequence[Missing]) -> str:
    """All of them in one sentence."""
    if len(found) == 1:
        return str(found[0])
    nouns = [each.word for each in found if each.kind != "motion"]
    deeds = [each.word for each in found if each.kind == "motion"]
    lacks = f"The embedded world has no {listed(nouns, 'or')}" if nouns else _undone(deeds, "The embedded world")
    if nouns and deeds:
        lacks += f", and nothing in it does {listed([f'`{deed}`' for deed in deeds], 'or')}"
    there = [_THERE[kind] for kind in _THERE if any(each.kind == kind for each in found)]
    near = [f"{_NAMED[each.kind].format(each.nearest)} to {each.word}" for each in found if each.nearest]
    ending = f"; nearest come {listed(near)}" if len(near) > 1 else f"; nearest comes {near[0]}" if near else ""
    return f"{lacks}; {', '.join(there)}{ending}."


def refuse_thing(word: str, nearest: str) -> NoReturn:
    """Raises Missing for a thing that the world has not; `nearest` may be empty."""
    raise Missing("thing", word, nearest)


def refuse_colour(word: Word) -> NoReturn:
    """Raises Missing for a colour that the world has not."""
    raise Missing("colour", word.text, word.value)


def refuse_place(word: str) -> NoReturn:
    """Raises Missing for a place that the world has not."""
    raise Missing("place", word, words.OTHER_PLACES.get(word, ""))


def refuse_motion(word: str, nearest: str) -> NoReturn:
    """Raises Missing for a deed nobody in the world does; `nearest` may be empty."""
    raise Missing("motion", word, nearest)
