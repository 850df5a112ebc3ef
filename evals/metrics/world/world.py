"""The oracle's metrics: whether a clip of the embedded world shows what its prompt says, attribute by attribute.

Rows of their own: they look for four shapes and six colours, and are compared with nothing but themselves. They need no
weights, since the oracle is no network.
"""

from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image

from evals.metrics.base import CannotScore, Chunk, Metric, Score, Video
from evals.networks.weights.loader import NetworkLoader
from evals.world.oracle import DIGITAL, Sighting, look
from evals.world.prompt import FOLLOWING, STYLE, WORLD, Asked, read_asked, unasked
from models.agent import UInt8Array
from models.embedded.language import SIDE

SOURCE: Final = "the oracle of the embedded world (evals/world_oracle.py)"
MOST_FRAMES: Final = 64
"""Frames that are looked at, evenly spread: memory does not grow with the length of the video."""

LIGHT: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""BT.709."""


class WorldFrames:
    """Gathers what the oracle looks at. Shared by its metrics: it may be shown a chunk more than once."""

    def __init__(self, num_frames: int) -> None:
        self._wanted = set(np.linspace(0, num_frames - 1, min(num_frames, MOST_FRAMES)).round().astype(int).tolist())
        self._kept: dict[int, tuple[UInt8Array, UInt8Array]] = {}

    def update(self, chunk: Chunk) -> None:
        """Takes what it wants of the next frames."""
        for at in range(len(chunk.frames)):
            place = chunk.first + at
            if place in self._wanted and place not in self._kept:
                self._kept[place] = squared(chunk.frames[at]), squared(chunk.exactly(at))

    def look(self) -> Sighting:
        """What they show, once every frame was shown.

        A film has half as many pixels of colour as of light. As VBench reads it each is repeated, which is right for a
        picture of blocks and makes blocks of any other; so the light decides how the colours are to be read.
        """
        repeated, exact = (np.stack(each) for each in zip(*(self._kept[at] for at in sorted(self._kept)), strict=True))
        return look(repeated if in_blocks(repeated) else exact)


def in_blocks(frames: UInt8Array) -> bool:
    """Whether the light of uint8 (T, S, S, 3) steps at every second column only: of films of the world it is at most
    0.13 inside blocks of what it is across in the digital style, and at least 0.43 in the natural one."""
    step = np.diff(frames @ LIGHT, axis=2) ** 2
    inside, across = float(step[:, :, 0::2].sum()), float(step[:, :, 1::2].sum())
    return inside < DIGITAL * across


def squared(frame: UInt8Array) -> UInt8Array:
    """The centre square of uint8 (H, W, 3), brought to the world's side; a frame of the world as it is."""
    height, width = frame.shape[:2]
    if (height, width) == (SIDE, SIDE):
        return frame.copy()
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BOX, box))


class Seen:
    """No values. 1: as asked, 0: not."""

    def __init__(self, name: str, video: Video, _: NetworkLoader) -> None:
        assert video.prompt is not None, "a metric is begun when the video has what it needs"
        self._aspect, asked = name.removeprefix(WORLD), read_asked(video.prompt)
        if (why := unasked(name, video.prompt)) is not None or asked is None:
            raise CannotScore(why)
        self._asked: Asked = asked
        self._video = video
        self._frames: WorldFrames = video.memo.once("the oracle's frames", lambda: WorldFrames(video.num_frames))

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """Whether the attribute, or all that the prompt says, is seen. details: what was asked and what was seen."""
        saw: dict[str, Any] = self._video.memo.once("what the oracle saw", lambda: named(self._frames.look()))
        aspects = self._asked.aspects if self._aspect == FOLLOWING else (self._aspect,)
        right = all(self._asked.right(aspect, saw[aspect]) for aspect in aspects)
        asked = {
            aspect: self._asked.digital if aspect == STYLE else [*self._asked.values[aspect]] for aspect in aspects
        }
        return Score(float(right), details={"asked": asked, "saw": {aspect: saw[aspect] for aspect in aspects}})


def named(saw: Sighting) -> dict[str, Any]:
    """The oracle's words by aspect; style: whether it is digital."""
    return {
        "object": saw.object, "colour": saw.colour, "scene": saw.scene, "motion": saw.motion, STYLE: saw.digital
    }  # fmt: skip


def _row(*, name: str, title: str) -> Metric:
    return Metric(
        name=name,
        title=f"{title}, by the oracle",
        of="video",
        low=0.0,
        high=1.0,
        better="higher",
        source=SOURCE,
        begin=partial(Seen, name),
        needs=("prompt",),
    )


METRICS: Final = (
    _row(name="world_object", title="Object"),
    _row(name="world_colour", title="Colour"),
    _row(name="world_scene", title="Scene"),
    _row(name="world_motion", title="Motion"),
    _row(name="world_style", title="Style"),
    _row(name="world_prompt_following", title="Prompt following"),
)
