"""Measure how abruptly a film changes where two of its parts meet. Knows frames, but no clip and no agent."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.agent import UInt8Array

LEAST_STEP = 1.0
"""Lower bound of the usual step, in grey levels of 255, for clips in which little moves."""

MOST_JUMP = 3.0
"""Above this a joint is visible. In the embedded world 99 % of smooth transitions stay below 2.8 (80 transitions; most
of the jump is due to the autoencoder), 90 % of cuts to another place in the same scene are above 4, and all cuts to
another scene are above 24 (200 each)."""


def jump(before_THWC: UInt8Array, after_THWC: UInt8Array) -> float:
    """Return the ratio of the step across the joint to the usual step: 0 .. 255, small is smooth, 1 means no joint.

    before_THWC: frames that end at the joint, uint8 (T, H, W, 3); after_THWC: frames that begin there. No frame is in
    both. A step is the mean absolute difference of neighbouring frames. The usual step is the median on the side that
    changes faster, and at least LEAST_STEP: a step no larger than its neighbours looks like motion.
    """
    across = steps(np.stack([before_THWC[-1], after_THWC[0]]))[0]
    usual = max(_median(steps(before_THWC)), _median(steps(after_THWC)), LEAST_STEP)
    return float(across / usual)


def steps(frames_THWC: UInt8Array) -> NDArray[np.float64]:
    """Return mean absolute differences of neighbouring frames: uint8 (T, H, W, 3) -> (T - 1,) in 0 .. 255."""
    return np.array([np.abs(one.astype(np.int16) - other).mean() for one, other in pairwise(frames_THWC)])


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else 0.0
