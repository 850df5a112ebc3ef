"""Define metrics: the interface that turns the decoded frames of a video into a score. Knows no file and no network.

All metrics share one decode of a video: every `Reading` receives every `Chunk` in order and keeps only numbers, so that
memory does not grow with the length of the video.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

import numpy as np

from evals.networks.weights.network import CHUNK_FRAMES
from models.agent import UInt8Array
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.networks.weights.loader import NetworkLoader
    from evals.networks.weights.network import Network


T = TypeVar("T")


Frame = tuple[UInt8Array, UInt8Array | None] | tuple[UInt8Array, UInt8Array | None, Callable[[], UInt8Array]]
"""A frame: as VBench decodes it, untagged (see `Chunk`) or None, and, if the exact decode differs, its function."""

Need = Literal["prompt", "style", "image", "before", "after"]
"""An input of a metric besides the frames: the prompt, the words of the style, the picture that the video was made
from, the clip that it continues, the clip that it leads to."""


class CannotScore(BadInput):
    """A metric cannot score this video, and another try would not help. One sentence."""


class Memo:
    """A cache of results that several metrics share."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Return the cached `compute()`. `name` must identify everything that the result depends on."""
        if name not in self._known:
            self._known[name] = compute()
        known: T = self._known[name]
        return known


@dataclass(frozen=True)
class Video:
    """What is known of a video before its first frame is decoded. num_frames is exact; fps is frames per second."""

    num_frames: int
    fps: Fraction
    width: int
    height: int
    prompt: str | None = None
    style: str | None = None
    """The words of the style, such as "Van Gogh style"."""
    image: UInt8Array | None = None
    """The picture that the video was made from, RGB uint8 (H, W, 3)."""
    before: UInt8Array | None = None
    """Of the clip that it continues (that was extended, edited or joined by a transition): the eight middle frames, or
    all frames, RGB uint8 (N, H, W, 3)."""
    after: UInt8Array | None = None
    """Of the clip that a transition leads to, the same."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """Caches what several metrics need of the whole video: a text's features, a clip's embedding."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive frames of one video: RGB uint8 (N, H, W, 3), N >= 1. first: the index of the first one."""

    frames: UInt8Array
    first: int
    untagged: UInt8Array | None = None
    """The same converted with the BT.601 matrix, if the file's tag names another; None if it makes no difference."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """Caches what several metrics need of these frames: the input of a network, its features."""
    exact: tuple[Callable[[], UInt8Array], ...] = field(default=(), compare=False, repr=False)
    """Functions that return each frame as Mora decodes it elsewhere; () if `frames` are that already."""

    @property
    def as_opencv(self) -> UInt8Array:
        """The frames as OpenCV decodes them, which ignores the tag, for the metrics that VBench decodes so. RGB."""
        return self.frames if self.untagged is None else self.untagged

    def exactly(self, place: int) -> UInt8Array:
        """Return one frame (H, W, 3) by exact arithmetic; VBench's readers repeat chroma in blocks of two pixels."""
        return self.exact[place]() if self.exact else self.frames[place]


@dataclass(frozen=True)
class Score:
    """A metric's score of a video. value: the number that the official code gives for one video; NaN if it has none.

    values: by frame or by pair of frames in order, as the metric documents; value is not always their mean.
    note: a sentence for the user if the value is NaN or means less than it seems.
    details: what else the value depends on, plain JSON (thresholds, sampled frames).
    """

    value: float
    values: tuple[float, ...] = ()
    note: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Reading(Protocol):
    """The computation of one metric on one video."""

    def update(self, chunk: Chunk) -> None:
        """Process the next frames. Called in order, without gaps, with every frame of the video."""

    def result(self) -> Score:
        """Return the score after the last frame. Raises CannotScore."""


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics.

    name: as in VBench's result files, and of the module. low, high: the bounds of a value, None if unbounded.
    better: "higher", or "neither" if more is not better. scale: the value that is 1 in tables and aggregates.
    pooled: how VBench averages a set: over videos, or over all their frames or pairs.
    source: the definition, and its networks. begin: starts a reading; the loader lends the networks of `networks`.
    """

    name: str
    title: str
    of: Literal["frames", "pairs", "video"]
    low: float | None
    high: float | None
    better: Literal["higher", "neither"]
    source: str
    begin: Callable[[Video, "NetworkLoader"], Reading]
    networks: tuple["Network[Any]", ...] = ()
    needs: tuple[Need, ...] = ()
    scale: float = 1.0
    pooled: Literal["videos", "frames"] = "videos"

    def lacks(self, video: Video) -> str | None:
        """Return a sentence on the inputs that the video lacks; None if it lacks none."""
        return lacking(self.title, self.needs, video)


def lacking(title: str, needs: Sequence[Need], known: object) -> str | None:
    """Return a sentence on the inputs that a metric lacks; None if it lacks none. known: has `Video`'s attributes."""
    missing = [need for need in needs if getattr(known, need) is None]
    if not missing:
        return None
    return f"{title} needs {' and '.join(_NEEDED[need] for need in missing)}; give it with the video."


_NEEDED: Final[dict[Need, str]] = {
    "prompt": "the video's prompt",
    "style": "the words of its style",
    "image": "the picture it was made from",
    "before": "the clip it goes on from",
    "after": "the clip it leads to",
}


def chunks(frames: Iterable[Frame], size: int = CHUNK_FRAMES) -> Iterator[Chunk]:
    """Group frames, RGB uint8 (H, W, 3), into chunks of at most `size`."""
    first, coming = 0, iter(frames)
    while held := list(islice(coming, size)):
        twins = [frame[1] for frame in held if frame[1] is not None]
        exact = tuple(frame[2] for frame in held if len(frame) == 3)
        assert len(twins) in (0, len(held)), "a video's tag holds for all of its frames or for none"
        assert len(exact) in (0, len(held)), "all frames of a video are decoded in one way"
        yield Chunk(np.stack([frame[0] for frame in held]), first, np.stack(twins) if twins else None, exact=exact)
        first += len(held)


def read(readings: Sequence[Reading], shown: Iterable[Chunk]) -> list[Score]:
    """Pass every chunk to every reading and return their scores."""
    for chunk in shown:
        for reading in readings:
            reading.update(chunk)
    return [reading.result() for reading in readings]


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean; NaN if a value is NaN or there are none."""
    return math.fsum(values) / len(values) if values and not any(map(math.isnan, values)) else math.nan


def positive(value: float) -> float:
    """Return max(0, value) but keep NaN: Python's `max(0.0, nan)` is 0.0, which would hide a broken network."""
    return value if math.isnan(value) else max(0.0, value)


def undefined(note: str) -> Score:
    """Return a score of NaN with the reason."""
    return Score(math.nan, note=note)


class Undefined:
    """The reading of a video whose size or length rules out a score. Runs no network."""

    def __init__(self, note: str) -> None:
        self._note = note

    def update(self, _: Chunk) -> None:
        """Ignore the frames."""

    def result(self) -> Score:
        """Return NaN with the reason."""
        return undefined(self._note)
