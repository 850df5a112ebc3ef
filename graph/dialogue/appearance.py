"""What the products of the embedded world show, by the words they were made of: looks are read off, not looked at."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from graph.state.products import Product
from models.embedded.language import COLOURS, DIGITAL_STYLE, MOTIONS, OBJECTS, SCENES, Edit, Scenery


def sceneries(thing: Product) -> list[Scenery]:
    """What a product shows, by the words it was made of; a film, or a way between clips, shows several things."""
    shown = folded(thing.words)
    several = thing.kind == "film" or thing.call.split(".")[1:2] == ["connect_videos"]
    return shown if several else shown[-1:]


def folded(words: Sequence[str]) -> list[Scenery]:
    """Every scenery that the words tell, each after the changes that follow it."""
    shown: list[Scenery] = []
    for said in words:
        if (scenery := scenery_of(said)) is not None:
            shown.append(scenery)
        elif shown:
            shown[-1] = _after(shown[-1], said)
    return shown


def scenery_of(sentence: str) -> Scenery | None:
    """The scenery of a sentence of the embedded world; None if it is another one."""
    found = _SENTENCE.fullmatch(sentence)
    if found is None:
        return None
    colour, thing, motion, scene, style = found.groups()
    return Scenery(cast(Any, thing), cast(Any, colour), cast(Any, scene), cast(Any, motion), bool(style))


_SENTENCE = re.compile(
    f"a ({'|'.join(COLOURS)}) ({'|'.join(OBJECTS)}) ({'|'.join(MOTIONS)}) in the ({'|'.join(SCENES)})"
    f"( {DIGITAL_STYLE})?"
)
_MOTION = re.compile(f"it ({'|'.join(MOTIONS)})")
_CHANGES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("colour", re.compile(f"make it ({'|'.join(COLOURS)})")),
    ("object", re.compile(f"turn it into a ({'|'.join(OBJECTS)})")),
    ("scene", re.compile(f"change the scene to ({'|'.join(SCENES)})")),
)


def _after(scenery: Scenery, said: str) -> Scenery:
    """The scenery after an instruction, or in another motion."""
    if (moved := _MOTION.fullmatch(said)) is not None:
        return replace(scenery, motion=cast(Any, moved[1]))
    changed = {name: found[1] for name, pattern in _CHANGES if (found := pattern.search(said)) is not None}
    return Edit(**cast(Any, changed), digital=DIGITAL_STYLE in said).applied(scenery)
