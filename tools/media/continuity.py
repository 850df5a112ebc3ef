"""How far a film jumps where two of its parts meet. Frames in, a number out; knows no clip and no agent."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.agent import UInt8Array

LEAST_STEP = 1.0
"""Grey levels of 255: what counts as the usual step where less than that changes, as in a clip that stays still."""

MOST_JUMP = 3.0
"""Above this a joint is seen as one. In the embedded world 99 % of smooth transitions stay below 2.8 (80, drawn by its
autoencoder, which costs most of that); nine in ten cuts to another place in the same scene are above 4, and every cut
to another scene is above 24 (200 each)."""


def jump(before_THWC: UInt8Array, after_THWC: UInt8Array) -> float:
    """The step across the joint against the usual step: 0 .. 255, small is smooth, about 1 is as if there was no joint.

    before_THWC: frames that end at the joint, uint8 (T, H, W, 3); after_THWC: frames that begin there; both as they
    are shown, so that no frame is in both. A step is the mean absolute difference of neighbouring frames; the usual
    one is the median within the side that changes faster, and at least LEAST_STEP: what is no larger than the steps
    beside it is seen as motion.
    """
    across = steps(np.stack([before_THWC[-1], after_THWC[0]]))[0]
    usual = max(_median(steps(before_THWC)), _median(steps(after_THWC)), LEAST_STEP)
    return float(across / usual)


def steps(frames_THWC: UInt8Array) -> NDArray[np.float64]:
    """Mean absolute difference of neighbouring frames in grey levels: uint8 (T, H, W, 3) -> (T - 1,) in 0 .. 255."""
    return np.array([np.abs(one.astype(np.int16) - other).mean() for one, other in pairwise(frames_THWC)])


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else 0.0
