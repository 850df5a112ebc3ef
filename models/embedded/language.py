"""The vocabulary of the embedded world: names only. Imports neither numpy nor torch, so that planners can use it."""

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
"""Side of a frame in pixels; all lengths of the world are fractions of it."""
NUM_FRAMES = 16
FPS = 8

HELD_OUT_SHARE = 5
"""One combination in five is held out of all training (see `Scenery.held_out`)."""


@dataclass(frozen=True, order=True)
class Scenery:
    """What one clip of the embedded world shows: four attributes and the style."""

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
        """True if no training may use this (object, colour, scene, motion), in either style.

        The rule is a digest and not a random draw, so that it is the same in every version and language.
        """
        key = f"{self.object}|{self.colour}|{self.scene}|{self.motion}"
        return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT_SHARE == 0


def combinations(*, held_out: bool | None = None, digital: bool = False) -> Iterator[Scenery]:
    """Yield every (object, colour, scene, motion) in a fixed order; `held_out` selects one side of the split."""
    for object_, colour, scene, motion in product(OBJECTS, COLOURS, SCENES, MOTIONS):
        scenery = Scenery(object_, colour, scene, motion, digital)
        if held_out is None or scenery.held_out == held_out:
            yield scenery


def motion_sentence(motion: Motion) -> str:
    """Return the prompt of A4 if only a motion is given for a picture: `it moves right`."""
    return f"it {motion}"


@dataclass(frozen=True)
class Edit:
    """What A3 changes in a picture; None leaves the attribute as it is."""

    colour: Colour | None = None
    object: Object | None = None
    scene: Scene | None = None
    digital: bool = False

    @property
    def instruction(self) -> str:
        """The prompt of A3: `make it blue and turn it into a star`, `in digital world style`."""
        named = [
            f"make it {self.colour}" if self.colour else "",
            f"turn it into a {self.object}" if self.object else "",
            f"change the scene to {self.scene}" if self.scene else "",
            DIGITAL_STYLE if self.digital else "",
        ]
        return " and ".join(part for part in named if part)

    def applied(self, scenery: Scenery) -> Scenery:
        """Return the scenery after the edit."""
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
"""Every word that a prompt or an edit instruction of the world may contain."""
