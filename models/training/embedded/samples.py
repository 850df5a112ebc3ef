"""Draw training samples of the embedded world from a generator: no data set on disk, no held-out combination."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.agent import UInt8Array
from models.embedded import world
from models.embedded.language import (
    COLOURS,
    NUM_FRAMES,
    OBJECTS,
    SCENES,
    SIDE,
    Edit,
    Scenery,
    combinations,
    motion_sentence,
)

DIGITAL_SHARE = 0.25
GIVEN_DIGITAL_SHARE = 0.5
"""Share for agents that receive a picture: they lose its blocks first."""
MOTION_ONLY_SHARE = 0.3
ONWARD_SHARE = 0.35
SILENT_SHARE = 0.1
TWO_EDITS_SHARE = 0.35
EDIT_SHARES = (0.3, 0.3, 0.2, 0.2)
"""Shares of colour, object, scene and style edits. Shapes are the hardest, both to draw and to recognise."""
STRIDE = 4
"""Crops start on whole latent cells, as blocks do: at odd offsets the autoencoder would have to learn both phases."""

_SEEN = tuple(combinations(held_out=False))


@dataclass(frozen=True)
class Pictures:
    """Frames uint8 (B, H, W, 3), their sentences and layouts: (B, 3) of x, y, radius as fractions of the side."""

    frames: UInt8Array
    sentences: tuple[str, ...]
    where: NDArray[np.float32]


@dataclass(frozen=True)
class Moves:
    """Two frames of one clip each, uint8 (B, H, W, 3), and their layouts (B, 3)."""

    before: UInt8Array
    after: UInt8Array
    origin: NDArray[np.float32]
    target: NDArray[np.float32]


@dataclass(frozen=True)
class Edits:
    """Pictures before and after an edit, uint8 (B, H, W, 3), the instructions, and the layout of both (B, 3)."""

    before: UInt8Array
    after: UInt8Array
    instructions: tuple[str, ...]
    where: NDArray[np.float32]


@dataclass(frozen=True)
class Transitions:
    """Frames at `share` (B,) between two pictures, uint8 (B, H, W, 3), and the layouts of both ends (B, 3)."""

    before: UInt8Array
    after: UInt8Array
    frames: UInt8Array
    origin: NDArray[np.float32]
    end: NDArray[np.float32]
    share: NDArray[np.float32]


def scenery(rng: np.random.Generator, *, digital_share: float = DIGITAL_SHARE) -> Scenery:
    """Draw a combination that is not held out."""
    return replace(_SEEN[rng.integers(len(_SEEN))], digital=bool(rng.random() < digital_share))


def first_frames(rng: np.random.Generator, batch: int) -> Pictures:
    """Draw samples for A2: first frames from which the motion of the sentence stays inside the picture."""
    drawn = [_one_frame(s, world.track(s, rng), 0) for s in (scenery(rng) for _ in range(batch))]
    return Pictures(*(_stack(drawn)))


def beginning(s: Scenery, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw x, y and radius of the object in a first frame, as fractions of the side."""
    where = world.track(s, rng, num_frames=2)
    return float(where.x[0]), float(where.y[0]), float(where.radius[0])


def any_frames(rng: np.random.Generator, batch: int, *, digital_share: float = DIGITAL_SHARE) -> Pictures:
    """Draw any frame of any clip, for the autoencoder."""
    drawn = []
    for _ in range(batch):
        s = scenery(rng, digital_share=digital_share)
        drawn.append(_one_frame(s, world.onward(s, rng), int(rng.integers(NUM_FRAMES))))
    return Pictures(*(_stack(drawn)))


def captioned(rng: np.random.Generator, batch: int) -> tuple[UInt8Array, tuple[str, ...], NDArray[np.int64]]:
    """Draw samples for the scorer: frames (B, H, W, 3), sentences of their clips, and class numbers (B,).

    Two frames have the same number if they show the same; a single frame shows no motion.
    """
    wanted = [scenery(rng, digital_share=GIVEN_DIGITAL_SHARE) for _ in range(batch)]
    frames = [_one_frame(s, world.onward(s, rng), int(rng.integers(NUM_FRAMES)))[0] for s in wanted]
    shown = [(s.object, s.colour, s.scene, s.digital) for s in wanted]
    numbers = {seen: number for number, seen in enumerate(dict.fromkeys(shown))}
    return np.stack(frames), tuple(s.sentence for s in wanted), np.array([numbers[seen] for seen in shown])


def crops(rng: np.random.Generator, batch: int, *, side: int = SIDE // 2) -> UInt8Array:
    """Draw square crops around the object, where the edges are, for the autoencoder: uint8 (B, side, side, 3).

    Half are frames of the world, half of these in blocks; a quarter are transitions between two states; a quarter have
    random colours, so that fades and uploaded pictures keep theirs.
    """
    on_the_way, strange = transitions(rng, batch // 4), any_frames(rng, batch // 4)
    world_itself = any_frames(rng, batch - 2 * (batch // 4), digital_share=0.5)
    centres = np.concatenate([world_itself.where, on_the_way.origin, strange.where])[:, :2]
    recoloured = np.stack([_other_colours(frame, rng) for frame in strange.frames])
    frames = np.concatenate([world_itself.frames, on_the_way.frames, recoloured])
    jitter = rng.uniform(-0.22, 0.22, size=(batch, 2))
    corner = np.clip((centres + jitter) * SIDE - side / 2, 0, SIDE - side).astype(int) // STRIDE * STRIDE
    return np.stack([f[y : y + side, x : x + side] for f, (x, y) in zip(frames, corner, strict=True)])


def _other_colours(frame: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Apply a random affine map to the colours of a frame."""
    turn = rng.dirichlet((0.5, 0.5, 0.5), size=3) * rng.uniform(0.3, 1.0)
    mapped = frame @ turn.T * rng.choice((-1, 1), size=3)
    shifted = mapped - mapped.min(axis=(0, 1)) + rng.uniform(0, 60, size=3)
    return np.clip(shifted, 0, 255).astype(np.uint8)


def moves(rng: np.random.Generator, batch: int) -> Moves:
    """Draw samples for A4: an earlier and a later frame of a clip."""
    drawn = [_two_frames(rng) for _ in range(batch)]
    frames, places = np.stack([frames for frames, _ in drawn]), np.stack([places for _, places in drawn])
    return Moves(frames[:, 0], frames[:, 1], places[:, 0], places[:, 1])


def _two_frames(rng: np.random.Generator) -> tuple[UInt8Array, NDArray[np.float32]]:
    s = scenery(rng, digital_share=GIVEN_DIGITAL_SHARE)
    where = world.onward(s, rng) if rng.random() < ONWARD_SHARE else world.track(s, rng)
    return _frames(s, where, sorted(rng.choice(NUM_FRAMES, size=2, replace=False).tolist()))


def paces(rng: np.random.Generator, batch: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Draw sentences and the change of x, y and log radius over their clips, (B, 3); an empty sentence has none."""
    sentences, changes = [], []
    for _ in range(batch):
        s, kind = scenery(rng), rng.random()
        sentence = motion_sentence(s.motion) if kind < MOTION_ONLY_SHARE else s.sentence
        silent = kind > 1 - SILENT_SHARE
        sentences.append("" if silent else sentence)
        changes.append((0.0, 0.0, 0.0) if silent else world.change(s.motion))
    return tuple(sentences), np.array(changes, dtype=np.float32)


def edits(rng: np.random.Generator, batch: int) -> Edits:
    """Draw samples for A3: any frame before and after one or two edits; neither combination is held out."""
    pairs: list[UInt8Array] = []
    places: list[NDArray[np.float32]] = []
    instructions: list[str] = []
    while len(pairs) < batch:
        s, edit = scenery(rng, digital_share=GIVEN_DIGITAL_SHARE), _edit(rng)
        changed = edit.applied(s)
        if changed.held_out or changed == s:
            continue
        where, at = world.onward(s, rng), [int(rng.integers(NUM_FRAMES))]
        before, place = _frames(s, where, at)
        pairs.append(np.concatenate([before, _frames(changed, where, at)[0]]))
        places.append(place[0])
        instructions.append(edit.instruction)
    both = np.stack(pairs)
    return Edits(both[:, 0], both[:, 1], tuple(instructions), np.stack(places))


def _edit(rng: np.random.Generator) -> Edit:
    kinds = rng.choice(4, size=2 if rng.random() < TWO_EDITS_SHARE else 1, replace=False, p=EDIT_SHARES)
    return Edit(
        colour=COLOURS[rng.integers(len(COLOURS))] if 0 in kinds else None,
        object=OBJECTS[rng.integers(len(OBJECTS))] if 1 in kinds else None,
        scene=SCENES[rng.integers(len(SCENES))] if 2 in kinds else None,
        digital=3 in kinds,
    )


def transitions(rng: np.random.Generator, batch: int) -> Transitions:
    """Draw samples for A5: two states that differ in position, size, colour, object or scene, and a frame between."""
    frames: list[UInt8Array] = []
    ends: list[NDArray[np.float32]] = []
    shares = rng.uniform(0.02, 0.98, size=batch).astype(np.float32)
    while len(frames) < batch:
        before, after = _two_states(rng)
        if after.held_out:
            continue
        origin, end, keep = _place(before, rng), _place(after, rng), rng.random(2) < 0.5
        end = np.where([keep[0], keep[0], keep[1]], origin, end)
        end[:2] = np.clip(end[:2], end[2] + world.MARGIN / 2, 1 - end[2] - world.MARGIN / 2)
        ways = (0.0, 1.0, float(shares[len(frames)]))
        frames.append(np.stack([world.transition(before, after, origin, end, way) for way in ways]))
        ends.append(np.stack([origin, end]))
    three, layouts = np.stack(frames), np.stack(ends)
    return Transitions(three[:, 0], three[:, 1], three[:, 2], layouts[:, 0], layouts[:, 1], shares)


def _two_states(rng: np.random.Generator) -> tuple[Scenery, Scenery]:
    before, other, keep = scenery(rng), scenery(rng), rng.random(3) < 0.5
    after = replace(
        before,
        object=before.object if keep[0] else other.object,
        colour=before.colour if keep[1] else other.colour,
        scene=before.scene if keep[2] else other.scene,
        digital=before.digital if rng.random() < 0.8 else other.digital,
    )
    return before, after


def _place(s: Scenery, rng: np.random.Generator) -> NDArray[np.float32]:
    where, k = world.onward(s, rng), int(rng.integers(NUM_FRAMES))
    return np.array([where.x[k], where.y[k], where.radius[k]], dtype=np.float32)


def _frames(s: Scenery, where: world.Track, at: list[int]) -> tuple[UInt8Array, NDArray[np.float32]]:
    some = world.Track(where.x[at], where.y[at], where.radius[at])
    return world.render(s, some), np.stack([some.x, some.y, some.radius], axis=1)


def _one_frame(s: Scenery, where: world.Track, k: int) -> tuple[UInt8Array, str, NDArray[np.float32]]:
    frames, places = _frames(s, where, [k])
    return frames[0], s.sentence, places[0]


def _stack(
    drawn: list[tuple[UInt8Array, str, NDArray[np.float32]]],
) -> tuple[UInt8Array, tuple[str, ...], NDArray[np.float32]]:
    frames, sentences, where = zip(*drawn, strict=True)
    return np.stack(frames), tuple(sentences), np.stack(where)
