"""Values passed between the functions that read an uploaded video."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from models.agent import UInt8Array

End = Literal["first", "last"]


@dataclass(frozen=True)
class Wanted:
    """The part of a video to read. size: the (width, height) to fit to; fitted: fits the pixels of a frame to it."""

    end: End
    seconds: float
    size: tuple[int, int]
    fitted: Callable[[UInt8Array], UInt8Array]


@dataclass
class Footage:
    """The part read of a video. times: start times of the frames, uint8 (H, W, 3), in seconds, ascending.

    said: end of the video in seconds by its header, None if unknown. notes: the changes made, in order. size: (width,
    height) of the upright picture before fitting. until: end of the last frame in seconds. longer: the video has more
    than this part. damaged: some of it cannot be decoded. num_decoded: number of frames decoded to read the part.
    """

    fps: Fraction
    said: float | None = None
    notes: dict[str, None] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    times: list[float] = field(default_factory=list)
    frames: list[UInt8Array] = field(default_factory=list)
    until: float = 0.0
    longer: bool = False
    damaged: bool = False
    num_decoded: int = 0


@dataclass(frozen=True)
class Shown:
    """A decoded frame: its start time and duration in seconds, and a function that returns its pixels."""

    seconds: float
    lasts: float
    pixels: Callable[[], UInt8Array]


@dataclass(frozen=True)
class Header:
    """A file's metadata about its video. start, end: seconds; end is None if unknown.

    end_is_its_own: the end is that of the video track and not of a possibly longer audio track.
    """

    fps: Fraction
    start: float
    end: float | None
    end_is_its_own: bool
    notes: tuple[str, ...]
