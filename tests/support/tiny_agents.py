"""Tiny rooms: the real archive, planner, verbs and graph, with agents that draw the embedded world by numpy.

The agents are deterministic in what they are given (words, pictures, seed), take `STEPS` steps a call, and misbehave
when asked to.
"""

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.profiles import EMBEDDED
from graph.runs.services import Services
from memory.archive import Archive
from memory.records import Request
from models.agent import Bookmark, Clip, ConnectSpec, EditSpec, ImageSpec, Picture, Progress, Role, VideoSpec
from models.embedded.language import FPS, Scenery
from models.embedded.world import render, track

STEPS = 4
SIDE = 64
NUM_FRAMES = 6
TWO_SHOTS = "a red ball moves right in the snow, then a blue star moves up over the sea"
SENTENCES = ("a red ball moves right in the snow", "a blue star moves up in the sea")

TINT = 0.3
"""How much of the tiny A3's colour covers a picture: what is seen, and how it moves, stays."""

OnStep = Callable[[Role, str, int], None]
"""Hears role, prompt (A3: instruction; A5: "") and step, from 1, before the agent reports it; on its thread."""


@dataclass(frozen=True)
class Identity:
    weights: str = "7" * 64
    numerics: str = "tiny 1"


@dataclass
class TinyLender:
    """Lends the tiny agents.

    blanks, frozen: how many calls with one prompt give one colour, or a clip without motion, before they are good.
    jumps: how many calls of A5 show the negative of the picture they begin with, before they are good.
    trouble: raised at the second step of `text_to_image` while it is set. pause: seconds a step takes.
    """

    blanks: int = 0
    frozen: int = 0
    jumps: int = 0
    trouble: Exception | None = None
    pause: float = 0.0
    on_step: OnStep | None = None
    known_as: Identity = field(default_factory=Identity)
    called: Counter[tuple[Role, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def identity(self, role: Role) -> Identity:
        return self.known_as

    @contextmanager
    def lend(self, role: Role) -> Iterator[Any]:
        yield TinyAgent(self, role)

    def times_called(self, role: Role, prompt: str) -> int:
        """How often before now; counts this time."""
        with self.lock:
            self.called[role, prompt] += 1
            return self.called[role, prompt] - 1

    def works(self, role: Role, prompt: str, progress: Progress) -> None:
        for step in range(1, STEPS + 1):
            time.sleep(self.pause)
            if self.on_step is not None:
                self.on_step(role, prompt, step)
            if self.trouble is not None and role == "text_to_image" and step == 2:
                raise self.trouble
            progress(step, STEPS)


@dataclass(frozen=True)
class TinyAgent:
    lender: TinyLender
    role: Role

    @property
    def weights(self) -> str:
        return self.lender.known_as.weights

    @property
    def numerics(self) -> str:
        return self.lender.known_as.numerics

    def __call__(
        self,
        spec: ImageSpec | EditSpec | VideoSpec | ConnectSpec,
        *,
        progress: Progress,
        bookmark: Bookmark | None = None,
    ) -> Picture | Clip:
        if isinstance(spec, ImageSpec):
            return self.many([spec], progress=progress)[0]
        before = self.lender.times_called(self.role, words_of(spec))
        self.lender.works(self.role, words_of(spec), progress)
        if isinstance(spec, EditSpec):
            return Picture(tinted(spec) if before >= self.lender.blanks else blank(spec.seed))
        if isinstance(spec, ConnectSpec):
            return Clip(blended(spec, jumps=before < self.lender.jumps), FPS)
        frames = np.stack([spec.image.pixels] * spec.num_frames)
        if before >= self.lender.frozen and "stays still" not in spec.prompt:
            frames[1:] = drawn(spec.prompt, spec.seed, spec.num_frames)[1:]
        return Clip(frames, FPS)

    def many(
        self, specs: Sequence[ImageSpec], *, progress: Progress, bookmark: Bookmark | None = None
    ) -> list[Picture]:
        before = self.lender.times_called(self.role, words_of(specs[0]))
        self.lender.works(self.role, words_of(specs[0]), progress)
        good = before >= self.lender.blanks
        return [Picture(drawn(spec.prompt, spec.seed, 2)[0] if good else blank(spec.seed)) for spec in specs]


def words_of(spec: ImageSpec | EditSpec | VideoSpec | ConnectSpec) -> str:
    if isinstance(spec, ConnectSpec):
        return ""
    return spec.instruction if isinstance(spec, EditSpec) else spec.prompt


def tinted(spec: EditSpec) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture with a colour of the instruction and the seed laid over it: uint8 (H, W, 3)."""
    digest = hashlib.sha256(f"{spec.instruction}|{spec.seed}".encode()).digest()
    colour = np.frombuffer(digest[:3], dtype=np.uint8)
    return np.rint((1 - TINT) * spec.image.pixels + TINT * colour).astype(np.uint8)


def blended(spec: ConnectSpec, *, jumps: bool) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """From the one picture to the other, its pace by the seed: uint8 (T, H, W, 3)."""
    share = np.linspace(0, 1, spec.num_frames)[:, None, None, None] ** (1 + spec.seed % 8 / 8)
    frames = np.rint((1 - share) * spec.before.pixels + share * spec.after.pixels).astype(np.uint8)
    if jumps:
        frames[:] = 255 - spec.before.pixels
    return frames


def drawn(prompt: str, seed: int, num_frames: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The world's frames of a sentence, uint8 (T, SIDE, SIDE, 3), where and how big it is by the seed."""
    scenery = read(prompt)
    where = track(scenery, np.random.default_rng(seed), num_frames=num_frames)
    return render(scenery, where, side=SIDE)


def read(sentence: str) -> Scenery:
    if sentence.startswith("it "):  # of a given picture: the first frame is that, the others may be any
        sentence = f"a red ball {sentence.removeprefix('it ')} in the snow"
    found = re.fullmatch(r"a (\w+) (\w+) (\w+ ?\w*) in the (\w+)", sentence)
    assert found is not None, f"{sentence!r} is no sentence of the world"
    colour, thing, motion, scene = found.groups()
    return Scenery(*cast(Any, (thing, colour, scene, motion)))


def blank(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """One colour, its own for each seed, so that products of different seeds are different bytes."""
    return np.full((SIDE, SIDE, 3), (40 + seed % 200, 90, 90), dtype=np.uint8)


def rooms_with(archive: Archive, lender: TinyLender, /, **given: Any) -> Services:
    """The rooms of a run; `given` replaces any of them."""

    def planner(_request: Request) -> Planner:
        return Planner("embedded", EmbeddedPlanner(), EMBEDDED)

    plain: dict[str, Any] = {
        "archive": archive,
        "planner": planner,
        "lender": lambda _stored: lender,
        "size": (SIDE, SIDE),
        "fps": FPS,
        "num_frames": NUM_FRAMES,
    }
    return Services(**{**plain, **given})
