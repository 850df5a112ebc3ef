"""What a metric is: fed a video's frames as they are decoded, it answers with a score. Knows no file and no network.

One decode serves all metrics of a video: every `Reading` is shown every `Chunk`, in order, and keeps only numbers, so
that memory does not grow with the length of the video.
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
"""A frame as `Chunk` has it: as VBench reads it, untagged or None, and what gives it exactly where that is another."""


Need = Literal["prompt", "style", "image", "before", "after"]
"""What a metric reads beside the frames: the words of the video, of its style, the picture it was made from, the clips
that it goes on from and leads to."""


class CannotScore(BadInput):
    """A metric has no score for this video, and no other try will give one; one sentence."""


class Memo:
    """What was computed once and serves several metrics."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """`compute()` the first time that `name` is asked for, its answer every time; the name says all it rests on."""
        if name not in self._known:
            self._known[name] = compute()
        known: T = self._known[name]
        return known


@dataclass(frozen=True)
class Video:
    """What is known of a video before its first frame is decoded. num_frames is exact, fps frames a second."""

    num_frames: int
    fps: Fraction
    width: int
    height: int
    prompt: str | None = None
    style: str | None = None
    """Such as "Van Gogh style"."""
    image: UInt8Array | None = None
    """The picture it was made from, RGB uint8 (H, W, 3)."""
    before: UInt8Array | None = None
    """Of the clip it goes on from (extended, edited or left by a transition): its eight middle frames, or all of them,
    RGB uint8 (N, H, W, 3)."""
    after: UInt8Array | None = None
    """Of the clip that a transition leads to, in the same way."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """For what several metrics want of the whole video: a text's features, a clip's vector."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive frames of one video: RGB uint8 (N, H, W, 3), 1 <= N; `first` is the index of the first of them."""

    frames: UInt8Array
    first: int
    untagged: UInt8Array | None = None
    """The same by the BT.601 matrix, where the file's tag names another; None where that makes no difference."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """For what several metrics want of these frames: the input of a network, its features."""
    exact: tuple[Callable[[], UInt8Array], ...] = field(default=(), compare=False, repr=False)
    """What gives each frame as the house decodes it; () where `frames` are that."""

    @property
    def as_opencv(self) -> UInt8Array:
        """The frames as OpenCV reads them, which ignores the tag: for what VBench decodes with it. RGB, not BGR."""
        return self.frames if self.untagged is None else self.untagged

    def exactly(self, place: int) -> UInt8Array:
        """One frame, (H, W, 3), by exact arithmetic: VBench's readers repeat colours in blocks of two pixels."""
        return self.exact[place]() if self.exact else self.frames[place]


@dataclass(frozen=True)
class Score:
    """What a metric says of a video. `value` is the official code's number for one video; NaN where it has none.

    values: by frame or by pair, in order, as the metric says; the mean of them is not always the value.
    note: one sentence for the person when the value is NaN or means less than it seems.
    details: what else the value depends on, plain JSON (thresholds, sampled frames).
    """

    value: float
    values: tuple[float, ...] = ()
    note: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Reading(Protocol):
    """One metric reading one video."""

    def update(self, chunk: Chunk) -> None:
        """Takes the next frames. Called in order, without gaps, with every frame of the video."""

    def result(self) -> Score:
        """The score, once every frame was shown. Raises CannotScore."""


@dataclass(frozen=True)
class Metric:
    """One row of the table of metrics.

    name: as in VBench's result files, and of the file here. low, high: what a value can be, None without bound.
    better: "higher", or "neither" where more is not better. scale: a value of `scale` is 1 in tables and aggregates.
    pooled: how VBench's score of a set comes of its videos: the mean over videos, or over all their frames or pairs.
    source: who defined it, and which networks. begin: starts a reading; the shelf lends the networks of `networks`.
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
        """The sentence that says what the video does not come with; None if it comes with all that is needed."""
        return lacking(self.title, self.needs, video)


def lacking(title: str, needs: Sequence[Need], known: object) -> str | None:
    """The sentence that says what a metric needs and is not known; None if all is. known: has `Video`'s names."""
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
    """Frames, RGB uint8 (H, W, 3), each with its untagged twin or None, as they come -> chunks of at most `size`."""
    first, coming = 0, iter(frames)
    while held := list(islice(coming, size)):
        twins = [frame[1] for frame in held if frame[1] is not None]
        exact = tuple(frame[2] for frame in held if len(frame) == 3)
        assert len(twins) in (0, len(held)), "a video's tag holds for all of its frames or for none"
        assert len(exact) in (0, len(held)), "all frames of a video are decoded in one way"
        yield Chunk(np.stack([frame[0] for frame in held]), first, np.stack(twins) if twins else None, exact=exact)
        first += len(held)


def read(readings: Sequence[Reading], shown: Iterable[Chunk]) -> list[Score]:
    """Shows every chunk to every reading, then asks each for its score."""
    for chunk in shown:
        for reading in readings:
            reading.update(chunk)
    return [reading.result() for reading in readings]


def mean(values: Sequence[float]) -> float:
    """The plain mean, NaN where a value is NaN and where there is none."""
    return math.fsum(values) / len(values) if values and not any(map(math.isnan, values)) else math.nan


def positive(value: float) -> float:
    """max(0, value) with NaN kept: `max(0.0, nan)` is 0.0 in Python, which hides a broken network as a score."""
    return value if math.isnan(value) else max(0.0, value)


def undefined(note: str) -> Score:
    """No score: NaN, and the sentence that says why."""
    return Score(math.nan, note=note)


class Undefined:
    """The reading of a video that a metric has no score for, known from its size or length: no network is asked."""

    def __init__(self, note: str) -> None:
        self._note = note

    def update(self, _: Chunk) -> None:
        """Does not look."""

    def result(self) -> Score:
        """NaN, and why."""
        return undefined(self._note)
