"""Wanted, Footage, Header: values"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from models.agent import UInt8Array

End = Literal["first", "last"]


@dataclass(frozen=True)
class Wanted:
    """Which `seconds` of a video, and how a frame is fitted; `size`: (width, height) that frames will at most need."""

    end: End
    seconds: float
    size: tuple[int, int]
    fitted: Callable[[UInt8Array], UInt8Array]


@dataclass
class Footage:
    """The wanted part. times: seconds at which the frames, uint8 (H, W, 3), begin, ascending; the last ends at `until`.

    size: (width, height) of the upright picture before it was fitted. said: seconds at which the header says that the
    video ends, None if it does not. longer: the video has more than this part. damaged: not all of it decodes.
    num_decoded: frames that were decoded to get it. notes: what was changed.
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
    """A frame that was decoded: its time and how long it is shown in seconds, and how to get its pixels."""

    seconds: float
    lasts: float
    pixels: Callable[[], UInt8Array]


@dataclass(frozen=True)
class Header:
    """What a file says of its video. start, end: seconds; end is None when it does not say.

    end_is_its_own: not that of a sound which may be longer.
    """

    fps: Fraction
    start: float
    end: float | None
    end_is_its_own: bool
    notes: tuple[str, ...]
