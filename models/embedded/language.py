"""The words of the embedded world. Knows names, not pixels: no numpy, no torch, so that a planner may read it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

Object = Literal["ball", "box", "triangle", "star"]
Colour = Literal["red", "green", "blue", "yellow", "purple", "orange"]
Scene = Literal["meadow", "sea", "desert", "snow", "night"]
Motion = Literal["moves right", "moves left", "moves up", "moves down", "stays still", "grows", "shrinks"]

OBJECTS: tuple[Object, ...] = get_args(Object)
COLOURS: tuple[Colour, ...] = get_args(Colour)
SCENES: tuple[Scene, ...] = get_args(Scene)
MOTIONS: tuple[Motion, ...] = get_args(Motion)
DIGITAL_STYLE = "in digital world style"

SIDE = 64
"""Side of a frame in pixels; every length of the world is a fraction of it."""
NUM_FRAMES = 16
FPS = 8

HELD_OUT_SHARE = 5
"""One combination in five is held out of all training (see `held_out`)."""


@dataclass(frozen=True, order=True)
class Scenery:
    """What one clip of the embedded world shows: the four attributes and the style."""

    object: Object
    colour: Colour
    scene: Scene
    motion: Motion
    digital: bool = False

    @property
    def sentence(self) -> str:
        """The model prompt: `a red ball moves right in the snow[ in digital world style]`."""
        style = f" {DIGITAL_STYLE}" if self.digital else ""
        return f"a {self.colour} {self.object} {self.motion} in the {self.scene}{style}"

    @property
    def held_out(self) -> bool:
        """True when no training may see this (object, colour, scene, motion), whatever its style.

        The rule is a digest, not a random draw, so that it is the same in every version and language.
        """
        key = f"{self.object}|{self.colour}|{self.scene}|{self.motion}"
        return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT_SHARE == 0


def combinations(*, held_out: bool | None = None, digital: bool = False) -> Iterator[Scenery]:
    """Every (object, colour, scene, motion) in a fixed order; `held_out` keeps one side of the split only."""
    for object_, colour, scene, motion in product(OBJECTS, COLOURS, SCENES, MOTIONS):
        scenery = Scenery(object_, colour, scene, motion, digital)
        if held_out is None or scenery.held_out == held_out:
            yield scenery


def motion_sentence(motion: Motion) -> str:
    """What A4 is told when only the motion of a given picture was asked for: `it moves right`."""
    return f"it {motion}"


@dataclass(frozen=True)
class Edit:
    """What A3 changes in a picture; None stays as it is."""

    colour: Colour | None = None
    object: Object | None = None
    scene: Scene | None = None
    digital: bool = False

    @property
    def instruction(self) -> str:
        """What A3 is told: `make it blue and turn it into a star`, `in digital world style`."""
        named = [
            f"make it {self.colour}" if self.colour else "",
            f"turn it into a {self.object}" if self.object else "",
            f"change the scene to {self.scene}" if self.scene else "",
            DIGITAL_STYLE if self.digital else "",
        ]
        return " and ".join(part for part in named if part)

    def applied(self, scenery: Scenery) -> Scenery:
        """The scenery afterwards."""
        return Scenery(
            self.object or scenery.object,
            self.colour or scenery.colour,
            self.scene or scenery.scene,
            scenery.motion,
            self.digital or scenery.digital,
        )


VOCABULARY: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            "a",
            "an",
            "the",
            "in",
            "it",
            "make",
            "turn",
            "into",
            "change",
            "scene",
            "to",
            "and",
            "digital",
            "world",
            "style",
        ]
        + [word for phrase in (*COLOURS, *OBJECTS, *MOTIONS, *SCENES) for word in phrase.split()]
    )
)
"""Every word a model prompt or an edit instruction of the world may contain."""
