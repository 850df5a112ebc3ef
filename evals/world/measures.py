"""Marks for what an agent made: how near two pictures are, what was named and kept, whether a motion is plausible."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from evals.world.oracle import Sighting
from evals.world.results import Seen
from models.agent import UInt8Array
from models.embedded.language import Edit, Scenery
from models.embedded.world import BOX_HALF, Track

BACKGROUND_DB: Final = 24.0
END_DB: Final = 28.0
EDGE_PIXELS: Final = 2
"""Around an object, its own edge and that of blocks: no background."""
CORNER: Final = BOX_HALF * 2**0.5
"""The farthest point of any silhouette, a corner of the box, in radii."""
OFF_TRACK: Final = 0.05
"""Mean distance in sides from the world's own track above which a motion is another: a third of what standing still
instead of moving gives."""
OFF_SIZE: Final = 0.25
"""The same for the radius, in octaves: half of what not growing gives."""
OWN_STEPS: Final = 1.5
"""A first new frame may differ from the joint frame by so many of the clip's own median steps ..."""
LEAST_STEP: Final = 2.0
"""... or by so many grey levels of 255, the steps of the fastest of the world's clips."""


def psnr_db(one: UInt8Array, other: UInt8Array) -> float:
    """Peak signal to noise ratio of two 8-bit pictures, 0..58.9 dB, higher is nearer; 0 when their sizes differ.

    Equal pictures count as apart by rounding alone (mean square 1/12), so that means stay finite.
    """
    if one.shape != other.shape:
        return 0.0
    return _decibel((one.astype(np.float64) - other) ** 2)


def background_db(one: UInt8Array, other: UInt8Array, where: Track, frame: int) -> float:
    """`psnr_db` outside whatever object is where a track is in that frame; pictures uint8 (S, S, 3)."""
    if one.shape != other.shape:
        return 0.0
    side = one.shape[0]
    at = np.arange(side) + 0.5
    x, y, radius = (side * float(values[frame]) for values in (where.x, where.y, where.radius))
    outside = np.hypot(at[None, :] - x, at[:, None] - y) > CORNER * radius + EDGE_PIXELS
    return _decibel((one[outside].astype(np.float64) - other[outside]) ** 2)


def _decibel(square: NDArray[np.float64]) -> float:
    return 10 * float(np.log10(255**2 / max(float(np.mean(square)), 1 / 12)))


def attributes(saw: Sighting | Seen, asked: Scenery) -> dict[str, bool]:
    """Which of the attributes are as asked; of a picture, its motion means nothing."""
    return {
        "object": saw.object == asked.object,
        "colour": saw.colour == asked.colour,
        "scene": saw.scene == asked.scene,
        "motion": saw.motion == asked.motion,
        "style": saw.digital == asked.digital,
    }


def named_and_kept(saw: Sighting, before: Scenery, edit: Edit) -> dict[str, bool]:
    """Whether all attributes that an edit names are as it says, and all others but the motion as they were."""
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


def follows(saw: Sighting, expected: Track) -> bool:
    """Whether an object moved and grew as on the expected track of as many frames: on, or up to the border."""
    if len(saw.radius) != len(expected.radius) or np.isnan(saw.radius).all():
        return False
    way = np.hypot(saw.centre[:, 0] - expected.x, saw.centre[:, 1] - expected.y)
    octaves = np.abs(np.log2(saw.radius / expected.radius))
    return bool(np.nanmean(way) <= OFF_TRACK and np.nanmean(octaves) <= OFF_SIZE)
