"""Metrics of the oracle: whether a clip of the embedded world shows what its prompt says, attribute by attribute.

They need no weights, since the oracle is not a network. They know four shapes and six colours only.
"""

from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image

from evals.metrics.base import CannotScore, Chunk, Metric, Score, Video
from evals.networks.weights.loader import NetworkLoader
from evals.world.prompt import FOLLOWING, STYLE, WORLD, PromptAttributes, parse_prompt, reason_to_skip
from models.agent import UInt8Array
from models.embedded.language import SIDE
from models.embedded.oracle import DIGITAL, Observation, look

SOURCE: Final = "the oracle of the embedded world (models/embedded/oracle.py)"
MOST_FRAMES: Final = 64
"""Frames that are used, evenly spread, so that memory does not grow with the length of the video."""

LIGHT: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""BT.709 luma coefficients."""


class WorldFrames:
    """Collects the frames for the oracle. Shared by its metrics, so chunks may arrive more than once."""

    def __init__(self, num_frames: int) -> None:
        self._wanted = set(np.linspace(0, num_frames - 1, min(num_frames, MOST_FRAMES)).round().astype(int).tolist())
        self._kept: dict[int, tuple[UInt8Array, UInt8Array]] = {}

    def update(self, chunk: Chunk) -> None:
        """Collect the wanted ones of the next frames."""
        for at in range(len(chunk.frames)):
            place = chunk.first + at
            if place in self._wanted and place not in self._kept:
                self._kept[place] = centre_square(chunk.frames[at]), centre_square(chunk.exactly(at))

    def look(self) -> Observation:
        """Return the oracle's observation, after the last frame.

        A film's chroma has half the resolution of its luma. VBench's readers repeat chroma pixels, which suits pictures
        in blocks but turns all others into blocks; so the luma decides which decode is used.
        """
        repeated, exact = (np.stack(each) for each in zip(*(self._kept[at] for at in sorted(self._kept)), strict=True))
        return look(repeated if in_blocks(repeated) else exact)


def in_blocks(frames: UInt8Array) -> bool:
    """Return whether the luma of uint8 (T, S, S, 3) steps at every second column only.

    In films of the world, the squared steps inside blocks over those across are at most 0.13 in the digital style and
    at least 0.43 in the natural one.
    """
    step = np.diff(frames @ LIGHT, axis=2) ** 2
    inside, across = float(step[:, :, 0::2].sum()), float(step[:, :, 1::2].sum())
    return inside < DIGITAL * across


def centre_square(frame: UInt8Array) -> UInt8Array:
    """Crop the centre square of uint8 (H, W, 3) and resize it to the world's side."""
    height, width = frame.shape[:2]
    if (height, width) == (SIDE, SIDE):
        return frame.copy()
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BOX, box))


class AttributeMatch:
    """No values; 1 if the attribute is as requested, 0 if not."""

    def __init__(self, name: str, video: Video, _: NetworkLoader) -> None:
        assert video.prompt is not None, "a metric is begun when the video has what it needs"
        self._aspect, requested = name.removeprefix(WORLD), parse_prompt(video.prompt)
        if (why := reason_to_skip(name, video.prompt)) is not None:
            raise CannotScore("not-of-the-embedded-world", why)
        assert requested is not None, "a prompt of another world has a reason"
        self._requested: PromptAttributes = requested
        self._video = video
        self._frames: WorldFrames = video.memo.once("the oracle's frames", lambda: WorldFrames(video.num_frames))

    def update(self, chunk: Chunk) -> None:
        """Process the next frames."""
        self._frames.update(chunk)

    def result(self) -> Score:
        """Return whether the attribute, or every one in the prompt, is seen. details: what was requested and seen."""
        saw: dict[str, Any] = self._video.memo.once(
            "what the oracle saw", lambda: observed_attributes(self._frames.look())
        )
        aspects = self._requested.aspects if self._aspect == FOLLOWING else (self._aspect,)
        right = all(self._requested.right(aspect, saw[aspect]) for aspect in aspects)
        requested = {
            aspect: self._requested.digital if aspect == STYLE else [*self._requested.values[aspect]]
            for aspect in aspects
        }
        return Score(float(right), details={"asked": requested, "saw": {aspect: saw[aspect] for aspect in aspects}})


def observed_attributes(saw: Observation) -> dict[str, Any]:
    """Return the observed attributes by aspect; style: whether it is digital."""
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
        begin=partial(AttributeMatch, name),
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
