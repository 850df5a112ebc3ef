"""Decide whether a picture comes from the embedded world: most of its sky and ground match one of the scenes."""

from typing import get_args

import numpy as np

from models.agent import UInt8Array
from models.embedded.language import Scene
from models.embedded.world import HORIZON, background

NEAR = 40.0
"""Euclidean distance in 8-bit RGB within which a pixel counts as background; the least distinct object is 81 away."""
LEAST = 0.4
"""Share of the sky, and of the ground, that must be background; the largest object hides half of the ground."""


def is_of_the_world(pixels: UInt8Array) -> bool:
    """Return True if the pixels, uint8 (H, W, 3), are square and show a scene of the world, with any object in it."""
    height, width = pixels.shape[:2]
    return height == width and any(_shows(pixels, scene) for scene in get_args(Scene))


def _shows(pixels: UInt8Array, scene: Scene) -> bool:
    off = np.linalg.norm(pixels.astype(np.float32) - background(scene, side=len(pixels)), axis=-1)
    horizon = round(HORIZON * len(pixels))
    return all(float(np.mean(part < NEAR)) >= LEAST for part in (off[:horizon], off[horizon:]))
