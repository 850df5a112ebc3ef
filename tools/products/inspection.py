"""Detect degenerate products, such as black, flat or frozen ones, by pixel statistics. Quality is left to judges."""

from collections.abc import Iterator

import numpy as np

from memory.records import Artifact, Verdict
from models.agent import UInt8Array
from tools.context import ToolContext, sheet_frames

LEAST_STD = 2.0
"""Minimum standard deviation in grey levels of 255; below it a frame counts as a single flat colour."""
DARKEST = 16
DARK_SHARE = 0.999
"""A frame counts as black if this share of its values is below DARKEST, in grey levels of 255."""
LEAST_MOTION = 0.1
"""Minimum motion in grey levels of 255: the largest mean absolute difference of any frame to the first."""

MOST_FRAMES = 32
"""Maximum number of evenly spaced frames inspected per product, which bounds memory for any length."""
JUDGE = "inspection"


def degenerate(frames_THWC: UInt8Array, *, motion_expected: bool) -> str | None:
    """Return why frames, uint8 (T, H, W, 3), are degenerate, as a sentence with the number and its bound; else None.

    They are degenerate if most frames are blank or, where motion is expected, if no frame differs from the first.
    """
    assert frames_THWC.ndim == 4, f"{frames_THWC.shape} is not (T, H, W, 3)"
    if (reason := _blank(frames_THWC)) is not None:
        return reason
    if motion_expected and (motion := _motion(frames_THWC)) < LEAST_MOTION:
        return (
            f"nothing moves: the frames differ by at most {motion:.3f} of 255 grey levels, {LEAST_MOTION} is the least;"
            " ask for a clear motion or another seed"
        )
    return None


def inspect(context: ToolContext, artifact: Artifact, *, motion_expected: bool) -> Verdict:
    """Return the verdict on a stored product. Motion is never expected of an image."""
    frames, _ = sheet_frames(context.archive, artifact, MOST_FRAMES)
    reason = degenerate(frames, motion_expected=motion_expected and artifact.media.kind != "image")
    if reason is not None:
        return Verdict(artifact=artifact.id, judge=JUDGE, ok=False, reason=reason)
    return Verdict(artifact=artifact.id, judge=JUDGE, ok=True, reason="it shows something")


def _blank(frames: UInt8Array) -> str | None:
    bright = np.count_nonzero(frames >= DARKEST, axis=(1, 2, 3))
    black = int((bright < (1 - DARK_SHARE) * frames[0].size).sum())
    if 2 * black > len(frames):
        return f"{black} of {len(frames)} frames are black: values stay below {DARKEST} of 255; try another seed"
    spreads = np.array([_spread(frame) for frame in frames])
    flat = int((spreads < LEAST_STD).sum())
    if 2 * flat > len(frames):
        return (
            f"{flat} of {len(frames)} frames are all one colour: they spread {np.median(spreads):.2f} of 255 grey"
            f" levels, {LEAST_STD} is the least; try another seed or other words"
        )
    return None


def _spread(frame: UInt8Array) -> float:
    """Return the largest standard deviation of a channel over the pixels; 0 for any flat colour, however saturated."""
    channels = frame.reshape(-1, 3).T.astype(np.float32, order="C")
    mean = channels.mean(axis=1, dtype=np.float64)
    # The mean of squares is exact for integers in float64 and takes a fifth of the time of `std`.
    squares = np.einsum("cp,cp->c", channels, channels, dtype=np.float64) / channels.shape[1]
    return float(np.sqrt(np.maximum(squares - mean**2, 0)).max())


def _motion(frames: UInt8Array) -> float:
    return max(_differences(frames), default=0.0)


def _differences(frames: UInt8Array) -> Iterator[float]:
    first = frames[0].astype(np.int16)
    for frame in frames[1:]:
        yield float(np.abs(frame - first).mean())
