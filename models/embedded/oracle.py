"""Recognise what a clip of the embedded world shows, from its frames alone. Knows no request, no renderer, no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.agent import UInt8Array
from models.embedded.language import COLOURS, OBJECTS, SCENES, Colour, Motion, Object, Scene
from models.embedded.world import BOX_HALF, COLOUR_RGB, DIGITAL_BLOCKS, HORIZON, SCENE_RGB, SHADE, STAR_INNER

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]
Name = TypeVar("Name", bound=str)

# Scene. Distances are Euclidean in 8-bit RGB; the nearest two skies are 23 apart, the nearest two grounds 95.
NEAR_SCENE: Final = 40.0
"""A pixel closer than this to a scene's row colour is background; blue on the sea, the faintest object, is 81 away."""
LEAST_BACKGROUND: Final = 0.4
"""Least share of the sky, and of the ground, that is background: the largest object hides half of the ground."""

# Object. Areas are shares of the frame; the smallest star has 0.0096, the largest ball 0.20.
LEAST_AREA, MOST_AREA = 0.005, 0.30
LEAST_SECOND_AREA: Final = 0.003
SECOND_SHARE: Final = 0.15
"""A second region of at least this share of the first, and of LEAST_SECOND_AREA, counts as a second object."""
BAD_FRAMES: Final = 1 / 16
"""A clip has no object or no scene if more than this share of its frames lacks it (exactly one object, the scene)."""
LEAST_OVERLAP: Final = 0.70
"""Mean intersection over union below which no object is named; a disc over a square of the same area has 0.83."""
MORPH: Final = 0.05
"""If another silhouette fits this much better during a quarter of the clip, the object changed."""

# Colour.
NEAR_COLOUR: Final = 60.0
"""Distance beyond which no colour is named; the nearest two of the six are 90 apart."""
LEAST_COLOUR_SHARE: Final = 0.75
LEAST_COLOUR_FRAMES: Final = 0.75
"""In this share of the frames, LEAST_COLOUR_SHARE of the object must be that colour or its mixture with the scene."""

# Motion, from straight lines fitted over time. The world moves an object by 0.30 of the side and doubles its size.
MOVES: Final = 0.12
STILL: Final = 0.05
GROWS: Final = 0.45
"""log2 of the last radius over the first, from which on the object grew (negative: shrank)."""
SAME_SIZE: Final = 0.25
UNEVEN: Final = 0.05
"""Root mean square distance from the straight line, in sides, above which the path is not a steady motion."""

# Style.
DIGITAL: Final = 0.25
"""A clip may be in blocks if its mean squared step inside blocks over that across borders is below (natural: 1)."""


@dataclass(frozen=True)
class Confidence:
    """The measurements behind an observation."""

    background: float
    """Share of the frame in the colours of the named (or nearest) scene, 0..1."""
    single_object: float
    """Share of frames that show exactly one object, 0..1."""
    overlap: float
    """Mean intersection over union with the best silhouette, 0..1; nan without an object."""
    overlap_margin: float
    """Overlap of the best silhouette less that of the second, 0..1; nan without an object."""
    colour_distance: float
    """Distance in 8-bit RGB to the nearest of the six colours; nan without an object."""
    colour_share: float
    """Share of the object's pixels in that colour, or in its mixture with the scene (as at edges), 0..1."""
    blockiness: float
    """Mean squared step inside blocks over that across borders: 0 for blocks, 1 without; nan without an object."""
    travel: tuple[float, float]
    """Displacement of the centre (right, down), in sides."""
    growth: float
    """log2 of the last radius over the first."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What the frames show. An attribute is None if no name fits; without a single object only the scene is named."""

    object: Object | None
    colour: Colour | None
    scene: Scene | None
    motion: Motion | None
    digital: bool | None
    centre: FloatArray
    """float32 (T, 2), (x, y) in sides; nan in frames without an object."""
    radius: FloatArray
    """float32 (T,), circumradius in sides (of a disc of the same area if no object is named); nan without an object."""
    confidence: Confidence


@dataclass(frozen=True)
class _Matte:
    """The object's share of every pixel (T, S, S), and per frame its area (T,) and centre (T, 2) in pixels, or nan."""

    alpha: FloatArray
    area: FloatArray
    centre: FloatArray


def look(frames: UInt8Array) -> Observation:
    """Recognise what frames show: uint8 (T, S, S, 3), S a multiple of 32. T = 1 is a picture, which has no motion.

    Raises ValueError for other shapes.
    """
    _check(frames)
    seen = frames.astype(np.float32)
    backdrop = _backdrop(seen)
    region, single = _region(backdrop.distance)
    if (1 - single.mean()) > BAD_FRAMES or not single.any():
        return _nothing(backdrop, single)
    rgb = np.median(seen[_core(region, backdrop.distance)], axis=0)
    offset, contrast = seen - backdrop.rows, rgb - backdrop.rows
    matte = _matte(offset, contrast, region)
    colour, colour_distance, colour_share = _colour(rgb, _mixed(matte.alpha, offset, contrast, region))
    blockiness = _blockiness(matte.alpha)
    overlaps, digital = _fit(matte, may_be_digital=blockiness < DIGITAL)
    object_, overlap, margin = _object(overlaps)
    side = seen.shape[1]
    radius = np.sqrt(matte.area / _UNIT_AREA[0 if object_ is None else OBJECTS.index(object_)]) / side
    motion, travel, growth = _motion(matte.centre / side, radius)
    share, alone = backdrop.share, float(single.mean())
    sure = Confidence(share, alone, overlap, margin, colour_distance, colour_share, blockiness, travel, growth)
    where = (matte.centre / np.float32(side), radius.astype(np.float32))
    return Observation(object_, colour, backdrop.scene, motion, digital, *where, sure)


def _check(frames: UInt8Array) -> None:
    if frames.ndim != 4 or frames.shape[1] != frames.shape[2] or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"The oracle reads uint8 (T, S, S, 3), not {frames.dtype} {frames.shape}; crop to a square.")
    if len(frames) == 0 or frames.shape[1] % DIGITAL_BLOCKS:
        raise ValueError(f"The oracle needs a frame and a side that {DIGITAL_BLOCKS} divides, not {frames.shape}.")


def _nothing(backdrop: "_Backdrop", single: BoolArray) -> Observation:
    nan = float("nan")
    sure = Confidence(backdrop.share, float(single.mean()), nan, nan, nan, 0.0, nan, (nan, nan), nan)
    nowhere = np.full((len(single), 3), np.nan, dtype=np.float32)
    return Observation(None, None, backdrop.scene, None, None, nowhere[:, :2], nowhere[:, 2], sure)


# -- scene


@dataclass(frozen=True)
class _Backdrop:
    """The scene (None if too little of it is visible), its share of the frame 0..1, its row colours (S, S, 3), and the
    distance of every pixel from them in 8-bit RGB (T, S, S)."""

    scene: Scene | None
    share: float
    rows: FloatArray
    distance: FloatArray


def _expected_rows(side: int) -> FloatArray:
    """Return the row colours of the five scenes as the world defines them: (5, S, S, 3)."""
    y = (np.arange(side, dtype=np.float32) + 0.5) / side
    tables = np.array([SCENE_RGB[scene] for scene in SCENES], dtype=np.float32)
    sky = y < HORIZON
    shade = SHADE * (np.where(sky, y / HORIZON, (1 - y) / (1 - HORIZON)) - 0.5)
    rows = np.where(sky[:, None], tables[:, None, 0], tables[:, None, 1]) + shade[:, None]
    return np.clip(rows, 0, 255)[:, :, None].repeat(side, axis=2).astype(np.float32)


def _backdrop(seen: FloatArray) -> _Backdrop:
    """Find the nearest of the five scenes, and measure its row colours in the frames."""
    side = seen.shape[1]
    expected = _expected_rows(side)
    sample = np.ascontiguousarray(seen[:: max(1, len(seen) // 4), :, ::4])
    away = [_length(sample - rows[:, ::4]).clip(max=2 * NEAR_SCENE).mean() for rows in expected]
    nearest = int(np.argmin(away))
    distance = _length(seen - expected[nearest])
    band = _horizon_band(side)
    distance[:, band] = _from_line(seen[:, band], *expected[nearest, [band.start, band.stop - 1], 0])
    near = distance < NEAR_SCENE
    rows = _row_means(seen, near, expected[nearest])
    above, below = slice(0, band.start), slice(band.stop, side)
    for half in (above, below):
        distance[:, half] = _length(seen[:, half] - rows[half])
    shares = np.minimum(near[:, above].mean(axis=(1, 2)), near[:, below].mean(axis=(1, 2)))
    named = (shares < LEAST_BACKGROUND).mean() <= BAD_FRAMES
    return _Backdrop(SCENES[nearest] if named else None, float(near.mean()), rows, distance)


def _row_means(seen: FloatArray, near: BoolArray, otherwise: FloatArray) -> FloatArray:
    """Return the mean background colour of each row, (S, S, 3); rows without background are taken from `otherwise`."""
    side = seen.shape[1]
    weights = near.transpose(1, 0, 2).reshape(side, 1, -1).astype(np.float32)
    total = weights @ seen.transpose(1, 0, 2, 3).reshape(side, -1, 3)
    count = weights.sum(axis=2, keepdims=True)
    rows = np.where(count > 0, total / np.maximum(count, 1), otherwise[:, :1])
    return rows.repeat(side, axis=1)


def _length(offset: FloatArray) -> FloatArray:
    # Written out, since einsum and norm are three times slower over so short an axis.
    return np.asarray(np.sqrt(offset[..., 0] ** 2 + offset[..., 1] ** 2 + offset[..., 2] ** 2))


def _horizon_band(side: int) -> slice:
    """Return the rows that may mix sky and ground: the block with the horizon and one more row on both sides."""
    block = side // DIGITAL_BLOCKS
    first = int(HORIZON * side) // block * block
    return slice(first - 1, first + block + 1)


def _from_line(seen: FloatArray, sky: FloatArray, ground: FloatArray) -> FloatArray:
    """Return the RGB distance to the nearest mixture of two colours: (T, H, S, 3), (3,), (3,) -> (T, H, S)."""
    line = ground - sky
    mixed = np.clip((seen - sky) @ line / (line @ line), 0, 1)
    return _length(seen - sky - mixed[..., None] * line)


# -- object


def _region(distance: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return each frame's largest connected foreground region (T, S, S), and where it is the only one (T,)."""
    num_frames, side, _ = distance.shape
    within_frames = np.zeros((3, 3, 3), dtype=bool)
    within_frames[1] = True
    labels, count = ndimage.label(distance > NEAR_SCENE, structure=within_frames)
    places = np.flatnonzero(labels)
    label_at = labels.ravel()[places]
    frame_of = np.zeros(count + 1, dtype=np.intp)
    frame_of[label_at] = places // side**2
    areas = np.zeros((num_frames, count + 1))
    areas[frame_of, np.arange(count + 1)] = np.bincount(label_at, minlength=count + 1) / side**2
    largest = areas.argmax(axis=1)
    first = areas.max(axis=1)
    areas[np.arange(num_frames), largest] = 0
    second = areas.max(axis=1)
    alone = second < np.maximum(LEAST_SECOND_AREA, SECOND_SHARE * first)
    single = (first >= LEAST_AREA) & (first <= MOST_AREA) & alone
    region = (labels == largest[:, None, None]) & single[:, None, None]
    return region, single


def _core(region: BoolArray, distance: FloatArray) -> BoolArray:
    """Return the half of each frame's region that is furthest from the background: pixels not mixed by an edge."""
    least = np.array([np.median(d[r]) if r.any() else np.inf for d, r in zip(distance, region, strict=True)])
    return region & (distance >= least[:, None, None])


def _matte(offset: FloatArray, contrast: FloatArray, region: BoolArray) -> _Matte:
    """Measure the object's share of each pixel, by projection on the line from background to object colour."""
    side = offset.shape[1]
    around = region.view(np.uint8)
    for axis in (1, 2):
        around = ndimage.maximum_filter1d(around, 2 * round(side / DIGITAL_BLOCKS) + 1, axis=axis, mode="constant")
    line = contrast[:, 0, :, None]
    alpha = np.clip((offset @ (line / (line**2).sum(axis=1, keepdims=True)))[..., 0], 0, 1) * around
    area = alpha.sum(axis=(1, 2))
    area = np.where(area > 0, area, np.nan)
    at = np.arange(side, dtype=np.float32) + np.float32(0.5)
    centre = np.stack([alpha.sum(axis=1) @ at, alpha.sum(axis=2) @ at], axis=1) / area[:, None]
    return _Matte(alpha, area, centre.astype(np.float32))


_ANGLES: Final = 1440


def _outline(corners: Sequence[complex]) -> tuple[FloatArray, FloatArray]:
    """Return by angle (1440,), for a polygon around 0, the distance of its edge and the cosine of a ray's incidence."""
    ray = np.exp(2j * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES)
    here = np.array(corners)
    edge = np.roll(here, -1) - here
    across = np.imag(np.conj(ray)[:, None] * edge)
    reach = np.imag(np.conj(here) * edge) / across
    along = np.imag(np.conj(here) * ray[:, None]) / across
    hit = (along >= 0) & (along <= 1) & (reach > 0)
    which = np.where(hit, reach, np.inf).argmin(axis=1)
    pick = (np.arange(_ANGLES), which)
    return reach[pick].astype(np.float32), np.abs(across[pick] / np.abs(edge)[which]).astype(np.float32)


def _outlines() -> tuple[FloatArray, FloatArray]:
    """Return edge and cosine tables (4, 1440) of the silhouettes in the order of OBJECTS, y down, circumradius 1."""
    up = -1j
    turn = np.exp(2j * np.pi * np.arange(30) / 30)
    shapes: dict[Object, Sequence[complex]] = {
        "ball": list(np.exp(2j * np.pi * np.arange(180) / 180)),
        "box": [BOX_HALF * corner for corner in (-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j)],
        "triangle": list(up * turn[::10]),
        "star": [up * turn[3 * tip] * (STAR_INNER if tip % 2 else 1) for tip in range(10)],
    }
    edges, cosines = zip(*(_outline(shapes[name]) for name in OBJECTS), strict=True)
    return np.stack(edges), np.stack(cosines)


_EDGE, _COSINE = _outlines()
_UNIT_AREA: Final = np.pi * (_EDGE.astype(np.float64) ** 2).mean(axis=1)
"""Area of each silhouette at circumradius 1: (4,)."""


def _fit(matte: _Matte, *, may_be_digital: bool) -> tuple[FloatArray, bool]:
    """Return the intersection over union with the four silhouettes (T, 4), nan without an object; and if in blocks.

    All four are centred in their circumcircle, so that the object's centre and area determine position and radius.
    """
    block = matte.alpha.shape[1] // DIGITAL_BLOCKS
    seen, x, y = _windows(matte, block)
    drawn = _silhouettes(x, y, matte.area)
    natural = _overlaps(seen, drawn)
    if not may_be_digital:
        return natural, False
    # A box at rest may lie on block borders by chance, so compare which fits better, the silhouette or its blocks.
    blocks = _block_means(drawn, block)
    in_blocks = blocks.repeat(block, axis=2).repeat(block, axis=3)
    overlaps = _overlaps(_block_means(seen, block), blocks)
    digital = _residual(seen, in_blocks, overlaps) < _residual(seen, drawn, natural)
    return overlaps if digital else natural, digital


def _overlaps(seen: FloatArray, drawn: FloatArray) -> FloatArray:
    """Return intersection over union: (T, H, W) and (T, 4, H, W) -> (T, 4)."""
    shared = np.minimum(drawn, seen[:, None]).sum(axis=(2, 3))
    either = np.maximum(drawn, seen[:, None]).sum(axis=(2, 3))
    return np.where((seen.sum(axis=(1, 2)) > 0)[:, None], shared / np.maximum(either, 1e-6), np.nan).astype(np.float32)


def _residual(seen: FloatArray, drawn: FloatArray, overlaps: FloatArray) -> float:
    """Return the squared difference to the silhouette with the best overlap."""
    best = int(np.nanmean(overlaps, axis=0).argmax())
    return float(((seen - drawn[:, best]) ** 2).sum())


def _windows(matte: _Matte, block: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Crop the matte around the object to whole blocks (T, W, W); also pixel offsets x (T, 1, W), y (T, W, 1)."""
    num_frames, side, _ = matte.alpha.shape
    disc = np.sqrt(np.nanmax(matte.area) / np.pi)
    width = min(side, 2 * block * int(np.ceil((1.6 * disc + 2) / block)))
    centre = np.nan_to_num(matte.centre)
    origin = np.clip(np.rint((centre - width / 2) / block) * block, 0, side - width).astype(np.intp)
    at = origin[:, :, None] + np.arange(width)
    seen = matte.alpha[np.arange(num_frames)[:, None, None], at[:, 1, :, None], at[:, 0, None, :]]
    away = (at + 0.5 - centre[:, :, None]).astype(np.float32)
    return seen, away[:, 0, None, :], away[:, 1, :, None]


def _silhouettes(x: FloatArray, y: FloatArray, area: FloatArray) -> FloatArray:
    """Draw the four silhouettes of an area (T,) at pixel offsets x (T, 1, W), y (T, W, 1): coverage (T, 4, W, W)."""
    angle = ((np.arctan2(y, x) * (_ANGLES / (2 * np.pi))).astype(np.int16) + _ANGLES) % _ANGLES
    reach = np.hypot(x, y)
    radius = np.sqrt(np.nan_to_num(area)[:, None] / _UNIT_AREA).astype(np.float32)
    drawn = np.empty((len(area), len(OBJECTS), *reach.shape[1:]), dtype=np.float32)
    for kind in range(len(OBJECTS)):
        depth = radius[:, kind, None, None] * _EDGE[kind][angle] - reach
        drawn[:, kind] = depth * _COSINE[kind][angle]
    return np.clip(drawn + np.float32(0.5), 0, 1)


def _block_means(image: FloatArray, block: int) -> FloatArray:
    """Average over blocks: (..., W, W) -> (..., W / block, W / block)."""
    blocks = image.shape[-1] // block
    parts = image.reshape(*image.shape[:-2], blocks, block, blocks, block)
    return np.asarray(parts.mean(axis=(-3, -1)))


def _object(overlaps: FloatArray) -> tuple[Object | None, float, float]:
    """Return the best silhouette (None: no good fit, or another fits better in a part), its overlap and margin."""
    found = overlaps[~np.isnan(overlaps[:, 0])]
    mean = found.mean(axis=0)
    second, best = np.argsort(mean)[-2:]
    parts = np.array_split(found, min(4, len(found)))
    morphs = max(float((part - part[:, best, None]).mean(axis=0).max()) for part in parts) > MORPH
    named = mean[best] >= LEAST_OVERLAP and not morphs
    return OBJECTS[best] if named else None, float(mean[best]), float(mean[best] - mean[second])


# -- colour


def _mixed(alpha: FloatArray, offset: FloatArray, contrast: FloatArray, region: BoolArray) -> FloatArray:
    """Return the share of each frame's region that mixes background and object colour: (T',), frames with an object.

    Edges, blur and blocks only mix the two, so anything off the line between them is another colour.
    """
    frame_of, row, _ = np.nonzero(region)
    off = _length(offset[region] - alpha[region][:, None] * contrast[row, 0])
    size = np.bincount(frame_of)
    mixed = np.bincount(frame_of, weights=off < NEAR_SCENE)
    return np.asarray(mixed[size > 0] / size[size > 0], dtype=np.float32)


def _colour(rgb: FloatArray, mixed: FloatArray) -> tuple[Colour | None, float, float]:
    """Return the nearest of the six colours (None: too far, or not over enough pixels and frames), distance, share."""
    table = np.array([COLOUR_RGB[colour] for colour in COLOURS], dtype=np.float32)
    distances = _length(rgb - table)
    nearest = int(distances.argmin())
    steady = (mixed >= LEAST_COLOUR_SHARE).mean() >= LEAST_COLOUR_FRAMES
    named = distances[nearest] <= NEAR_COLOUR and steady
    return COLOURS[nearest] if named else None, float(distances[nearest]), float(mixed.mean())


# -- motion and style


def _motion(centre: FloatArray, radius: FloatArray) -> tuple[Motion | None, tuple[float, float], float]:
    """Return the motion by straight-line fits of centre and log radius (None: none or several), travel and growth."""
    found = np.flatnonzero(~np.isnan(radius))
    if len(found) < 2:
        return None, (0.0, 0.0), 0.0
    values = np.column_stack([centre[found], np.log2(radius[found])])
    time = (found - found.mean()) / (len(radius) - 1)
    slope = time @ (values - values.mean(axis=0)) / (time @ time)
    off = values - values.mean(axis=0) - time[:, None] * slope
    dx, dy, growth = (float(s) for s in slope)
    uneven = float(np.sqrt((off[:, :2] ** 2).sum(axis=1).mean()))
    return None if uneven > UNEVEN else _motion_name(dx, dy, growth), (dx, dy), growth


def _motion_name(dx: float, dy: float, growth: float) -> Motion | None:
    far, aside = max(abs(dx), abs(dy)), min(abs(dx), abs(dy))
    if far >= MOVES and aside <= far / 2 and abs(growth) <= GROWS:
        if abs(dx) > abs(dy):
            return "moves right" if dx > 0 else "moves left"
        return "moves down" if dy > 0 else "moves up"
    if abs(growth) >= GROWS and far < MOVES:
        return "grows" if growth > 0 else "shrinks"
    return "stays still" if far <= STILL and abs(growth) <= SAME_SIZE else None


def _blockiness(alpha: FloatArray) -> float:
    """Return the mean squared step of the matte between neighbours in one block, over that across block borders."""
    block = alpha.shape[1] // DIGITAL_BLOCKS
    step_x = (np.diff(alpha, axis=2) ** 2).sum(axis=(0, 1))
    step_y = (np.diff(alpha, axis=1) ** 2).sum(axis=(0, 2))
    steps = np.append(step_x + step_y, 0).reshape(-1, block)
    inside = steps[:, :-1].sum() / (block - 1)
    return float(inside / max(float(steps[:, -1].sum()), 1e-6))
