"""Which frames of a clip are shown, in which order, after it was trimmed, sped up, reversed or repeated.

Integer arithmetic on frame indices; knows no pixels. Frames are kept or repeated, never blended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from tools.errors import BadInput

LEAST_SPEED, MOST_SPEED = 0.1, 10.0
MOST_TIMES = 100
MOST_CLIP_FRAMES = 2400
"""The longest shot at the highest rate: a clip is held in memory."""
MOST_FILM_FRAMES = 8 * MOST_CLIP_FRAMES
ROUNDED = Fraction(1, 20)
"""Seconds by which the end of a clip may be named too late: lengths are shown to a person with one decimal."""
FINEST_SPEED = 1000
"""Largest denominator of a speed."""

Frame = TypeVar("Frame")


@dataclass(frozen=True)
class Edit:
    """Frames [begin, end) at `speed`, then backwards or not, all of it `times` times. end: None for the last frame."""

    begin: int = 0
    end: int | None = None
    speed: Fraction = Fraction(1)
    backwards: bool = False
    times: int = 1

    def count(self, num_frames: int) -> int:
        """Return how many frames are left of `num_frames`; not positive if `begin` lies behind the end."""
        end = num_frames if self.end is None else min(self.end, num_frames)
        kept = end - self.begin
        return self.times * max(1, round(kept / self.speed)) if kept > 0 else 0

    def of(self, frames: Sequence[Frame]) -> list[Frame]:
        """Return the frames that are shown, in order."""
        kept = frames[self.begin : self.end]
        count = self.count(len(frames)) // self.times
        # Frame k shows what is visible in the middle of its time slot, as in `tools.products.conform.retimed`.
        once = [kept[min(int((2 * k + 1) * self.speed / 2), len(kept) - 1)] for k in range(count)]
        return (once[::-1] if self.backwards else once) * self.times


def edit_of(
    *,
    num_frames: int,
    rate: Fraction,
    most_frames: int,
    named: str,
    start: float | None = None,
    end: float | None = None,
    speed: float = 1.0,
    backwards: bool = False,
    times: int = 1,
) -> Edit:
    """Return the edit in whole frames of a clip that has `num_frames` at `rate` frames per second.

    start, end: seconds. named: the clip in a sentence, such as "Number 5". Raises BadInput for times outside the clip,
    for what leaves no frame or more than `most_frames`, and for what changes nothing.
    """
    lasts = f"{named} lasts {seconds_shown(Fraction(num_frames) / rate)} s"
    if not LEAST_SPEED <= speed <= MOST_SPEED:
        raise BadInput("speed-out-of-range", f"A speed is {LEAST_SPEED:g} to {MOST_SPEED:g} times that of the clip.")
    if not 1 <= times <= MOST_TIMES:
        raise BadInput("times-out-of-range", f"A clip is played 1 to {MOST_TIMES} times.")
    whole = Fraction(num_frames) / rate
    first = 0 if start is None else _frame(start, rate, lasts)
    last = num_frames if end is None or 0 <= end - whole <= ROUNDED else _frame(end, rate, lasts)
    if first >= num_frames or last > num_frames:
        raise BadInput("time-outside-clip", f"{lasts}; name times from 0 to that.")
    if last <= first:
        raise BadInput(
            "no-frame-left",
            f"No whole frame of {named[:1].lower()}{named[1:]} lies between these times: the end comes after the "
            f"start, and a frame lasts {seconds_shown(1 / rate)} s.",
        )
    edit = Edit(first, None if last == num_frames else last, _speed(speed), backwards, times)
    if edit.times == 1 and edit.of(range(num_frames)) == [*range(num_frames)]:
        raise BadInput("edit-changes-nothing", f"{lasts}; that changes nothing.")
    if edit.count(num_frames) > most_frames:
        raise BadInput(
            "edit-too-long", f"{lasts}; at most {seconds_shown(most_frames / rate)} s can be made of it this way."
        )
    return edit


def fitted_edit(
    *,
    num_frames: int,
    rate: Fraction,
    most_frames: int,
    start: float | None = None,
    end: float | None = None,
    speed: float = 1.0,
    backwards: bool = False,
    times: int = 1,
) -> tuple[Edit, bool]:
    """Return an edit as far as it fits a clip that may have become shorter since it was asked for, and whether it does.

    What would leave nothing is left whole.
    """
    first, last = round(Fraction(start or 0) * rate), num_frames if end is None else round(Fraction(end) * rate)
    fits = first < last <= max(num_frames, round((Fraction(num_frames) / rate + ROUNDED) * rate))
    last = min(last, num_frames)
    if first >= last:
        first, last, fits = 0, num_frames, False
    once = Edit(first, None if last == num_frames else last, _speed(speed), backwards)
    most = max(1, most_frames // once.count(num_frames))
    return replace(once, times=min(times, most)), fits and times <= most


def _speed(speed: float) -> Fraction:
    return Fraction(min(max(speed, LEAST_SPEED), MOST_SPEED)).limit_denominator(FINEST_SPEED)


def _frame(seconds: float, rate: Fraction, lasts: str) -> int:
    """Return the index of the frame that begins nearest to a time."""
    if not 0 <= seconds < float("inf"):
        raise BadInput("time-outside-clip", f"{lasts}; name times from 0 to that.")
    return round(Fraction(seconds) * rate)


def seconds_shown(seconds: float | Fraction) -> str:
    """Return a number of seconds with at most three decimals: 1.5, 0.125, 2."""
    return f"{float(seconds):.3f}".rstrip("0").rstrip(".")


def described_cut(
    *,
    start: float | None = None,
    end: float | None = None,
    speed: float = 1.0,
    backwards: bool = False,
    times: int = 1,
) -> str:
    """Return the words for an edit, with times in seconds: `trimmed to 0-1.5 s; played backwards`."""
    parts = []
    if start is not None or end is not None:
        begin = seconds_shown(start or 0)
        parts.append(f"trimmed to {begin}-{seconds_shown(end)} s" if end is not None else f"trimmed from {begin} s on")
    if speed != 1:
        parts.append(f"played at {seconds_shown(speed)} times the speed")
    if backwards:
        parts.append("played backwards")
    if times != 1:
        parts.append("played twice" if times == 2 else f"played {times} times")
    return "; ".join(parts)


def is_cut(words: str) -> bool:
    """Return whether words describe an edit, as `described_cut` does."""
    return words.startswith(("trimmed ", "played "))
