"""A small real studio: the real archive on SQLite, and agents that paint in microseconds, plugged into the lender."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from memory.archive import Archive
from memory.records import Artifact, Request
from models.agent import Agent, Clip, ConnectSpec, EditSpec, ImageSpec, Picture, Progress, Role, UInt8Array, VideoSpec
from tools.context import ToolContext, clip_product, recipe_of
from tools.media import codecs as media
from tools.media.codecs import clip_writer
from tools.media.decode_cache import Fresh

WIDTH, HEIGHT, FPS, NUM_FRAMES = 24, 16, 8.0, 5


@pytest.fixture(autouse=True)
def nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back was decoded."""
    monkeypatch.setattr(media, "FRESH", Fresh(0))


@dataclass(frozen=True)
class Identity:
    weights: str = "w" * 64
    numerics: str = "painter 1"


class Painter:
    """Noise of the seed: another seed is another picture. Its last bits depend on how many are drawn at once."""

    weights, numerics = Identity().weights, Identity().numerics

    def __call__(self, spec: ImageSpec, *, progress: Progress, bookmark: Any = None) -> Picture:
        return self.many([spec], progress=progress)[0]

    def many(self, specs: Sequence[ImageSpec], *, progress: Progress, bookmark: Any = None) -> list[Picture]:
        for step in (1, 2):
            progress(step, 2)
        noise = (np.random.default_rng(spec.seed) for spec in specs)
        last_bits = np.uint8(len(specs) - 1)
        return [Picture(one.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) ^ last_bits) for one in noise]


class Mover:
    """Rolls the picture one pixel to the right a frame."""

    weights, numerics = Identity().weights, Identity().numerics

    def __call__(self, spec: VideoSpec, *, progress: Progress, bookmark: Any = None) -> Clip:
        progress(1, 1)
        frames = [np.roll(spec.image.pixels, shift, axis=1) for shift in range(spec.num_frames)]
        return Clip(np.stack(frames), FPS)


class Editor:
    """Turns bits of every value round, which ones by the seed: twice is the picture again."""

    weights, numerics = Identity().weights, Identity().numerics

    def __call__(self, spec: EditSpec, *, progress: Progress, bookmark: Any = None) -> Picture:
        for step in (1, 2):
            progress(step, 2)
        return Picture(spec.image.pixels ^ np.uint8(spec.seed % 256))


@dataclass(frozen=True)
class Joiner:
    """Fades from one picture to the other; misses both by as many grey levels as the seed is `off`."""

    off: dict[int, int]
    weights, numerics = Identity().weights, Identity().numerics

    def __call__(self, spec: ConnectSpec, *, progress: Progress, bookmark: Any = None) -> Clip:
        progress(1, 1)
        share = np.linspace(0, 1, spec.num_frames)[:, None, None, None]
        frames = (1 - share) * spec.before.pixels + share * spec.after.pixels + self.off.get(spec.seed, 0)
        return Clip(np.rint(frames).clip(0, 255).astype(np.uint8), FPS)


@dataclass
class Lender:
    """off: by how many grey levels A5 misses its pictures, for some seeds."""

    lent: list[Role] = field(default_factory=list)
    known_as: Identity = field(default_factory=Identity)
    off: dict[int, int] = field(default_factory=dict)

    def identity(self, role: Role) -> Identity:
        return self.known_as

    @contextmanager
    def lend(self, role: Role) -> Iterator[Any]:
        self.lent.append(role)
        agents: dict[Role, Agent[Any, Any]] = {
            "text_to_image": Painter(),
            "edit_image": Editor(),
            "image_to_video": Mover(),
            "connect_videos": Joiner(self.off),
        }
        yield agents[role]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    home = tmp_path_factory.mktemp("home")
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as opened:
        yield opened


@pytest.fixture(scope="session")
def session_studio(archive: Archive) -> Iterator[ToolContext]:
    run = archive.create_run(Request(prompt="a fox"), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        yield ToolContext(Lender(), archive, lease, size=(WIDTH, HEIGHT), fps=FPS, num_frames=NUM_FRAMES)


@pytest.fixture
def context(session_studio: ToolContext, request: pytest.FixtureRequest) -> ToolContext:
    """Of one test alone: its agents are known by its name, so that no recipe of another test fits."""
    name = Identity(numerics=request.node.nodeid)
    return replace(session_studio, lender=Lender(known_as=name))


@pytest.fixture
def stored(context: ToolContext) -> Callable[..., Artifact]:
    """Stores any frames, uint8 (T, H, W, 3), as a clip of `fps` frames a second."""

    def keep(frames: UInt8Array, fps: float = FPS) -> Artifact:
        asked = {"frames": hashlib.sha256(frames.tobytes()).hexdigest(), "shape": list(frames.shape), "fps": fps}
        recipe = recipe_of(context, "test", "image_to_video", asked, writer=clip_writer())
        return context.archive.make(context.lease, recipe, lambda: clip_product(Clip(frames, fps))).artifact

    return keep
