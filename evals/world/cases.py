"""Draw the test cases of the agents from a seed: prompts, edits and pairs of clips, from one split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations as pairs
from typing import Final, Literal, get_args

import numpy as np

from evals.world.results import Split
from models.agent import UInt8Array
from models.embedded.language import (
    COLOURS,
    NUM_FRAMES,
    OBJECTS,
    SCENES,
    Edit,
    Motion,
    Scenery,
    combinations,
    motion_sentence,
)
from models.embedded.world import GROWTH, MARGIN, RADIUS, Track, change, onward, render, track

Place = tuple[float, float, float]
"""(x, y, radius) in sides of the frame."""
Kind = Literal["recolour", "object", "scene", "style", "two at once"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
DIGITAL_EVERY: Final = 4
"""Every fourth prompt asks for the digital world style."""
KEPT: Final = 0.5
"""Probability that each of object, colour, scene, place and size is the same in the second of two clips."""
KEPT_STYLE: Final = 0.8
"""The same for the style."""


@dataclass(frozen=True)
class Case:
    """A prompt to try: its scenery, and the seed for the agents and for the ground truth."""

    scenery: Scenery
    seed: int

    @property
    def split(self) -> Split:
        """Whether the combination was held out of training."""
        return "held-out" if self.scenery.held_out else "seen"

    @property
    def track(self) -> Track:
        """The path of the object in the ground truth."""
        return track(self.scenery, np.random.default_rng(self.seed))

    def truth(self) -> UInt8Array:
        """Render the ground-truth clip, uint8 (T, S, S, 3)."""
        return render(self.scenery, self.track)


@dataclass(frozen=True)
class EditCase:
    """A ground-truth clip and an edit of it. The clip's content decides the split."""

    case: Case
    edit: Edit
    kind: Kind

    @property
    def after(self) -> Scenery:
        """The scenery after the edit."""
        return self.edit.applied(self.case.scenery)

    @property
    def frame(self) -> int:
        """The index of the frame that is edited as a picture."""
        return self.case.seed % NUM_FRAMES


@dataclass(frozen=True)
class JoinCase:
    """Two ground-truth clips. The second keeps some of object, colour, scene, place, size and style of the first's end.

    The content of the first clip decides the split.
    """

    case: Case
    after: Scenery
    start: Place
    """The object's start in the second clip."""

    def clips(self) -> tuple[UInt8Array, UInt8Array]:
        """Render both clips, uint8 (T, S, S, 3) each."""
        return self.case.truth(), render(self.after, continued_track(self.after.motion, self.start))

    @property
    def sentence(self) -> str:
        """A description of both clips for a person."""
        return f"{self.case.scenery.sentence} | {self.after.sentence}"


def cases(n: int, *, held_out: bool, seed: int) -> tuple[Case, ...]:
    """Draw `n` prompts, without repetition until all combinations were drawn, then in a new order with new seeds."""
    orders, rng = (np.random.default_rng([seed, held_out, stream]) for stream in range(2))
    pool = tuple(combinations(held_out=held_out))
    order = [index for _ in range(0, n, len(pool)) for index in orders.permutation(len(pool))][:n]
    seeds = rng.integers(2**31, size=n)
    return tuple(
        Case(replace(pool[index], digital=i % DIGITAL_EVERY == DIGITAL_EVERY - 1), int(seeds[i]))
        for i, index in enumerate(order)
    )


def digital_cases(n: int, *, held_out: bool, seed: int) -> tuple[Case, ...]:
    """Draw `cases`, all in digital world style."""
    return tuple(
        replace(case, scenery=replace(case.scenery, digital=True)) for case in cases(n, held_out=held_out, seed=seed)
    )


def edit_cases(n: int, *, held_out: bool, seed: int, kinds: Sequence[Kind] = KINDS) -> tuple[EditCase, ...]:
    """Draw `n` edits, cycling through the kinds; each changes every attribute that it names."""
    drawn = []
    for i, case in enumerate(cases(n, held_out=held_out, seed=seed)):
        kind, rng = kinds[i % len(kinds)], np.random.default_rng([case.seed, 1])
        natural = replace(case, scenery=replace(case.scenery, digital=False))
        given = natural if kind == "style" else case
        choices = _edits(given.scenery, kind)
        drawn.append(EditCase(given, choices[rng.integers(len(choices))], kind))
    return tuple(drawn)


def restyle_cases(n: int, *, held_out: bool, seed: int) -> tuple[EditCase, ...]:
    """Draw `edit_cases` that all ask for the digital world style."""
    return edit_cases(n, held_out=held_out, seed=seed, kinds=("style",))


def _edits(s: Scenery, kind: Kind) -> list[Edit]:
    single: dict[Kind, list[Edit]] = {
        "recolour": [Edit(colour=colour) for colour in COLOURS if colour != s.colour],
        "object": [Edit(object=object_) for object_ in OBJECTS if object_ != s.object],
        "scene": [Edit(scene=scene) for scene in SCENES if scene != s.scene],
        "style": [] if s.digital else [Edit(digital=True)],
    }
    if kind != "two at once":
        return single[kind]
    # Make pairs of kinds equally likely although the kinds have different numbers of values (the style has one).
    both = [[_merged(one, two) for one in first for two in second] for first, second in pairs(single.values(), 2)]
    most = max(map(len, both))
    return [edit for group in both if group for edit in (group * most)[:most]]


def _merged(one: Edit, two: Edit) -> Edit:
    return Edit(one.colour or two.colour, one.object or two.object, one.scene or two.scene, one.digital or two.digital)


def join_cases(n: int, *, held_out: bool, seed: int) -> tuple[JoinCase, ...]:
    """Draw `n` pairs of clips to connect; the second of a pair may be of any combination, held out or not."""
    everything = tuple(combinations())
    drawn = []
    for case in cases(n, held_out=held_out, seed=seed):
        rng = np.random.default_rng([case.seed, 2])
        s, other, keep = case.scenery, everything[rng.integers(len(everything))], rng.random(5) < KEPT
        style = s.digital if rng.random() < KEPT_STYLE else not s.digital
        after = Scenery(
            s.object if keep[0] else other.object,
            s.colour if keep[1] else other.colour,
            s.scene if keep[2] else other.scene,
            other.motion,
            style,
        )
        end, fresh = place(case.track, -1), place(onward(after, rng), 0)
        x, y = end[:2] if keep[3] else fresh[:2]
        radius = end[2] if keep[4] else fresh[2]
        room = radius + MARGIN / 2
        drawn.append(JoinCase(case, after, (_between(x, room), _between(y, room), radius)))
    return tuple(drawn)


def _between(value: float, room: float) -> float:
    return min(max(value, room), 1 - room)


def place(where: Track, frame: int) -> Place:
    """Return the object's position and radius in one frame."""
    return float(where.x[frame]), float(where.y[frame]), float(where.radius[frame])


def continued_track(motion: Motion, start: Place, *, num_frames: int = NUM_FRAMES) -> Track:
    """Return the track of `world.onward` from a given start: at the motion's speed, stopping at the border."""
    x, y, radius = (np.float32(value) for value in start)
    dx, dy, grown = (np.float32(value) for value in change(motion))
    t = np.linspace(0, 1, num_frames, dtype=np.float32)
    low, high = RADIUS[0] / GROWTH**0.5, RADIUS[1] * GROWTH**0.5
    room = min(x, y, 1 - x, 1 - y) - np.float32(MARGIN / 2)
    sizes = np.clip(radius * np.exp(grown * t), min(low, radius), max(radius, min(high, room))).astype(np.float32)
    reach = sizes + np.float32(MARGIN / 2)
    return Track(np.clip(x + dx * t, reach, 1 - reach), np.clip(y + dy * t, reach, 1 - reach), sizes)


def edit_sentence(edit: EditCase, *, moving: bool) -> str:
    """Describe an edit for a person: the clip, the instruction and, if `moving`, the motion afterwards."""
    motion = f", {motion_sentence(edit.case.scenery.motion)}" if moving else ""
    return f"{edit.case.scenery.sentence}: {edit.edit.instruction}{motion}"
