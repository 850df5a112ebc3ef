"""Derive what products of the embedded world show from the prompts they were made with; pixels are not examined."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from graph.state.products import Product
from models.embedded.language import COLOURS, DIGITAL_STYLE, MOTIONS, OBJECTS, SCENES, Edit, Scenery


def sceneries(product: Product) -> list[Scenery]:
    """Return what a product shows according to its prompts; a film or a transition shows several sceneries."""
    shown = sceneries_in(product.words)
    several = product.kind == "film" or product.call.split(".")[1:2] == ["connect_videos"]
    return shown if several else shown[-1:]


def sceneries_in(words: Sequence[str]) -> list[Scenery]:
    """Return every scenery that the prompts name, each with the edits that follow it applied."""
    shown: list[Scenery] = []
    for prompt in words:
        if (scenery := scenery_of(prompt)) is not None:
            shown.append(scenery)
        elif shown:
            shown[-1] = _after(shown[-1], prompt)
    return shown


def scenery_of(sentence: str) -> Scenery | None:
    """Parse a sentence of the embedded world; return None for any other sentence."""
    found = _SENTENCE.fullmatch(sentence)
    if found is None:
        return None
    colour, object_, motion, scene, style = found.groups()
    return Scenery(cast(Any, object_), cast(Any, colour), cast(Any, scene), cast(Any, motion), bool(style))


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


def _after(scenery: Scenery, prompt: str) -> Scenery:
    """Return the scenery with an edit instruction or a motion sentence applied."""
    if (moved := _MOTION.fullmatch(prompt)) is not None:
        return replace(scenery, motion=cast(Any, moved[1]))
    changed = {name: found[1] for name, pattern in _CHANGES if (found := pattern.search(prompt)) is not None}
    return Edit(**cast(Any, changed), digital=DIGITAL_STYLE in prompt).applied(scenery)
