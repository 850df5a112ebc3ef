"""Render the embedded world: tracks in, frames out. The geometry is exact; callers supply the random generator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.agent import UInt8Array
from models.embedded.language import NUM_FRAMES, SIDE, Colour, Scene, Scenery

FloatArray = NDArray[np.float32]

COLOUR_RGB: dict[Colour, tuple[int, int, int]] = {
    "red": (230, 25, 25),
    "green": (15, 130, 45),
    "blue": (40, 75, 240),
    "yellow": (245, 220, 20),
    "purple": (155, 40, 205),
    "orange": (255, 130, 15),
}
SCENE_RGB: dict[Scene, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "meadow": ((150, 215, 255), (120, 190, 90)),
    "sea": ((140, 200, 240), (40, 130, 180)),
    "desert": ((250, 215, 155), (215, 165, 90)),
    "snow": ((190, 215, 240), (248, 248, 255)),
    "night": ((8, 8, 38), (26, 26, 26)),
}
HORIZON = 0.6
SHADE = 6.0
"""Levels (of 255) by which sky and ground get brighter towards the horizon and darker away from it."""
TRAVEL = 0.30
GROWTH = 2.0
RADIUS = (0.12, 0.18)
MARGIN = 0.02
STAR_INNER = 0.45
BOX_HALF = 0.85
DIGITAL_BLOCKS = 32

_DIRECTION = {"moves right": (1, 0), "moves left": (-1, 0), "moves up": (0, -1), "moves down": (0, 1)}


@dataclass(frozen=True)
class Track:
    """Position of an object in each frame: centre (x, y) and radius as fractions of the side, float32 (T,) each."""

    x: FloatArray
    y: FloatArray
    radius: FloatArray


def _progress(num_frames: int) -> FloatArray:
    return np.linspace(0.0, 1.0, num_frames, dtype=np.float32)


def track(scenery: Scenery, rng: np.random.Generator, *, num_frames: int = NUM_FRAMES) -> Track:
    """Draw a track whose whole motion stays inside the frame (`RADIUS` bounds the geometric mean of the radii)."""
    radii = _radii(scenery.motion, np.float32(rng.uniform(*RADIUS)), num_frames)
    dx, dy = _DIRECTION.get(scenery.motion, (0, 0))
    room = float(radii.max()) + MARGIN
    x0 = rng.uniform(room + TRAVEL * max(0, -dx), 1 - room - TRAVEL * max(0, dx))
    y0 = rng.uniform(room + TRAVEL * max(0, -dy), 1 - room - TRAVEL * max(0, dy))
    t = _progress(num_frames)
    return Track(np.float32(x0) + dx * TRAVEL * t, np.float32(y0) + dy * TRAVEL * t, radii)


def onward(scenery: Scenery, rng: np.random.Generator, *, num_frames: int = NUM_FRAMES) -> Track:
    """Draw a track that starts anywhere, as a second segment does; the object stops at the border of the frame."""
    low, high = RADIUS[0] / GROWTH**0.5, RADIUS[1] * GROWTH**0.5
    r0 = np.float32(np.exp(rng.uniform(np.log(low), np.log(high))))
    x0, y0 = (np.float32(rng.uniform(r0 + MARGIN, 1 - r0 - MARGIN)) for _ in range(2))
    t = _progress(num_frames)
    dx, dy = _DIRECTION.get(scenery.motion, (0, 0))
    exponent = {"grows": t, "shrinks": -t}.get(scenery.motion, 0 * t)
    room = np.float32(min(x0, y0, 1 - x0, 1 - y0) - MARGIN / 2)
    radius = np.clip(r0 * GROWTH**exponent, min(low, r0), max(r0, min(high, room))).astype(np.float32)
    reach = radius + np.float32(MARGIN / 2)
    return Track(
        np.clip(x0 + dx * TRAVEL * t, reach, 1 - reach), np.clip(y0 + dy * TRAVEL * t, reach, 1 - reach), radius
    )


def change(motion: str) -> tuple[float, float, float]:
    """Return the change of x, y and log radius over a clip of `motion`."""
    dx, dy = _DIRECTION.get(motion, (0, 0))
    grown = float(np.log(GROWTH)) * {"grows": 1, "shrinks": -1}.get(motion, 0)
    return dx * TRAVEL, dy * TRAVEL, grown


def _radii(motion: str, mean: np.float32, num_frames: int) -> FloatArray:
    exponent = _progress(num_frames) - np.float32(0.5)
    sign = {"grows": 1.0, "shrinks": -1.0}.get(motion, 0.0)
    return (mean * GROWTH ** (sign * exponent)).astype(np.float32)


def background(scene: Scene, *, side: int = SIDE) -> FloatArray:
    """Render the empty scene: float32 (side, side, 3) in 0..255."""
    sky, ground = (np.array(rgb, dtype=np.float32) for rgb in SCENE_RGB[scene])
    y = (np.arange(side, dtype=np.float32)[:, None] + 0.5) / side
    towards = np.where(y < HORIZON, y / HORIZON, (1 - y) / (1 - HORIZON)) - 0.5
    above = np.clip((HORIZON - y) * side + 0.5, 0.0, 1.0)
    rows = np.clip(above * sky + (1 - above) * ground + SHADE * towards, 0, 255)
    return np.broadcast_to(rows[:, None, :], (side, side, 3)).astype(np.float32)


def coverage(shape: str, x: FloatArray, y: FloatArray, radius: FloatArray, *, side: int = SIDE) -> FloatArray:
    """Return the share of each pixel that the shape covers, float32 (T, side, side) in 0..1.

    x, y, radius: (T,), as fractions of the side. The edge is a linear ramp of one pixel over the signed distance, as in
    an anti-aliased renderer.
    """
    grid = np.arange(side, dtype=np.float32) + np.float32(0.5)
    px = grid[None, None, :] - x[:, None, None] * side
    py = grid[None, :, None] - y[:, None, None] * side
    share: FloatArray = np.clip(0.5 - _distance(shape, px, py, radius[:, None, None] * side), 0, 1).astype(np.float32)
    return share


def _distance(shape: str, px: FloatArray, py: FloatArray, r: FloatArray | np.float32) -> FloatArray:
    """Signed distance to the outline in pixels, negative inside; near corners a lower bound, which is sufficient."""
    distance: FloatArray
    if shape == "ball":
        distance = (np.hypot(px, py) - r).astype(np.float32)
    elif shape == "box":
        distance = np.maximum(np.abs(px), np.abs(py)) - np.float32(BOX_HALF) * r
    elif shape == "triangle":
        slanted = np.abs(px) * np.float32(3**0.5 / 2) - py * np.float32(0.5)
        distance = (np.maximum(slanted, py) - r / 2).astype(np.float32)
    else:
        distance = _star_distance(px, py, r)
    return distance


def _star_distance(px: FloatArray, py: FloatArray, r: FloatArray | np.float32) -> FloatArray:
    # Fold the plane into one tenth, where the outline is the line from a tip to an inner vertex.
    tenth = np.float32(np.pi / 5)
    angle = np.abs((np.arctan2(px, -py) + tenth) % (2 * tenth) - tenth)
    rho = np.hypot(px, py)
    tip, inner = np.array([1.0, 0.0]), STAR_INNER * np.array([np.cos(tenth), np.sin(tenth)])
    along = inner - tip
    normal = np.array([along[1], -along[0]]) / np.hypot(*along)
    across = np.cos(angle) * normal[0] + np.sin(angle) * normal[1]
    distance: FloatArray = (rho * across - r * normal[0]).astype(np.float32)
    return distance


def render(scenery: Scenery, where: Track, *, side: int = SIDE) -> UInt8Array:
    """Render the frames of one clip: uint8 (T, side, side, 3)."""
    alpha = coverage(scenery.object, where.x, where.y, where.radius, side=side)[..., None]
    colour = np.array(COLOUR_RGB[scenery.colour], dtype=np.float32)
    frames = alpha * colour + (1 - alpha) * background(scenery.scene, side=side)
    if scenery.digital:
        frames = in_blocks(frames)
    return np.rint(frames).astype(np.uint8)


def transition(
    before: Scenery, after: Scenery, origin: FloatArray, end: FloatArray, share: float, *, side: int = SIDE
) -> UInt8Array:
    """Render the frame at `share` (0..1) between two states: uint8 (side, side, 3).

    origin, end: (3,) of x, y and radius. Position, colours and outline are interpolated linearly, the radius
    geometrically.
    """
    x, y = (1 - share) * origin[:2] + share * end[:2]
    radius = np.exp((1 - share) * np.log(origin[2]) + share * np.log(end[2]))
    grid = np.arange(side, dtype=np.float32) + np.float32(0.5)
    px, py, r = grid[None, None, :] - x * side, grid[None, :, None] - y * side, np.float32(radius * side)
    distance = (1 - share) * _distance(before.object, px, py, r) + share * _distance(after.object, px, py, r)
    alpha = np.clip(0.5 - distance, 0, 1)[..., None]
    first, last = (np.array(COLOUR_RGB[s.colour], dtype=np.float32) for s in (before, after))
    colour = (1 - share) * first + share * last
    behind = (1 - share) * background(before.scene, side=side) + share * background(after.scene, side=side)
    frames: FloatArray = (alpha * colour + (1 - alpha) * behind).astype(np.float32)
    if (before if share < 0.5 else after).digital:
        frames = in_blocks(frames)
    return np.rint(frames).astype(np.uint8)[0]


def in_blocks(frames: FloatArray, *, blocks: int = DIGITAL_BLOCKS) -> FloatArray:
    """Apply the digital world style: frames (T, S, S, 3) as `blocks` x `blocks` squares of their mean colour."""
    t, side, _, c = frames.shape
    k = side // blocks
    means = frames.reshape(t, blocks, k, blocks, k, c).mean(axis=(2, 4))
    blocky: FloatArray = means.repeat(k, axis=1).repeat(k, axis=2)
    return blocky
