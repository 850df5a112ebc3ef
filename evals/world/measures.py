"""Measure an agent's product: PSNR of pictures, attributes changed and kept, motion along an expected track."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from evals.world.results import Seen
from models.agent import UInt8Array
from models.embedded.language import Edit, Scenery
from models.embedded.oracle import Observation
from models.embedded.world import BOX_HALF, Track

BACKGROUND_DB: Final = 24.0
END_DB: Final = 28.0
EDGE_PIXELS: Final = 2
"""Pixels around an object that do not count as background: its antialiased edge, and that of blocks."""
CORNER: Final = BOX_HALF * 2**0.5
"""Distance of the farthest point of any silhouette, a corner of the box, in radii."""
OFF_TRACK: Final = 0.05
"""Mean distance in sides from the expected track above which a motion is wrong: a third of the distance of an object
that stands still instead of moving."""
OFF_SIZE: Final = 0.25
"""The same for the radius, in octaves: half of the difference of an object that does not grow."""
OWN_STEPS: Final = 1.5
"""A first new frame may differ from the joint frame by this many of the clip's median steps ..."""
LEAST_STEP: Final = 2.0
"""... or by this many grey levels of 255, the steps of the world's fastest clips."""


def psnr_db(one: UInt8Array, other: UInt8Array) -> float:
    """Return the peak signal-to-noise ratio of two 8-bit pictures, 0..58.9 dB; 0 if their sizes differ.

    The mean squared error is at least that of rounding (1/12), so that means stay finite.
    """
    if one.shape != other.shape:
        return 0.0
    return _decibel((one.astype(np.float64) - other) ** 2)


def background_db(one: UInt8Array, other: UInt8Array, where: Track, frame: int) -> float:
    """Return `psnr_db` outside any object at the track's position in that frame; pictures uint8 (S, S, 3)."""
    if one.shape != other.shape:
        return 0.0
    side = one.shape[0]
    at = np.arange(side) + 0.5
    x, y, radius = (side * float(values[frame]) for values in (where.x, where.y, where.radius))
    outside = np.hypot(at[None, :] - x, at[:, None] - y) > CORNER * radius + EDGE_PIXELS
    return _decibel((one[outside].astype(np.float64) - other[outside]) ** 2)


def _decibel(square: NDArray[np.float64]) -> float:
    return 10 * float(np.log10(255**2 / max(float(np.mean(square)), 1 / 12)))


def attributes(saw: Observation | Seen, requested: Scenery) -> dict[str, bool]:
    """Return by attribute whether it is as requested; ignore the motion of a picture."""
    return {
        "object": saw.object == requested.object,
        "colour": saw.colour == requested.colour,
        "scene": saw.scene == requested.scene,
        "motion": saw.motion == requested.motion,
        "style": saw.digital == requested.digital,
    }


def named_and_kept(saw: Observation, before: Scenery, edit: Edit) -> dict[str, bool]:
    """Return whether all attributes that an edit names were changed as it says, and all others but the motion kept."""
    right = attributes(saw, edit.applied(before))
    named = {
        "object": edit.object is not None,
        "colour": edit.colour is not None,
        "scene": edit.scene is not None,
        "style": edit.digital,
    }
    return {
        "named changed": all(right[aspect] for aspect in named if named[aspect]),
        "unnamed kept": all(right[aspect] for aspect in named if not named[aspect]),
    }


def follows(saw: Observation, expected: Track) -> bool:
    """Return whether an object moved and grew as on the expected track, which must have as many frames."""
    if len(saw.radius) != len(expected.radius) or np.isnan(saw.radius).all():
        return False
    way = np.hypot(saw.centre[:, 0] - expected.x, saw.centre[:, 1] - expected.y)
    octaves = np.abs(np.log2(saw.radius / expected.radius))
    return bool(np.nanmean(way) <= OFF_TRACK and np.nanmean(octaves) <= OFF_SIZE)
