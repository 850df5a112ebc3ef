"""Agents that know the world by heart, and may be told to err: they draw what `mind` makes of the wish."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from evals.world.cases import continued_track, place
from models.agent import Clip, ConnectSpec, EditSpec, ImageSpec, Picture, VideoSpec
from models.embedded.language import COLOURS, FPS, OBJECTS, SCENES, Edit, Scenery, combinations
from models.embedded.oracle import look
from models.embedded.world import Track, render, track, transition
from models.errors import Degenerate

WISHES = {s.sentence: s for digital in (False, True) for s in combinations(digital=digital)}
EDITS = {
    edit.instruction: edit
    for edit in (
        Edit(*values)
        for values in product((None, *COLOURS), (None, *OBJECTS), (None, *SCENES), (False, True))
    )
}  # fmt: skip


def as_it_is(wish: Any) -> Any:
    return wish


@dataclass
class Renderer:
    """A2 and A4. `lags`: how far, in sides, all later frames of a clip are off to the right."""

    mind: Any = as_it_is
    refuses: str = ""
    lags: float = 0.0
    weights: str = "0" * 64
    numerics: str = "renderer"

    def __call__(self, spec: Any, *, progress: Any) -> Any:
        progress(1, 1)
        scenery = seen_by(spec.image, spec.prompt) if spec.prompt.startswith("it ") else WISHES[spec.prompt]
        if self.refuses and scenery.colour == self.refuses:
            raise Degenerate("output-degenerate", f"{self.refuses} does not come out; ask for another colour.")
        scenery = self.mind(scenery)
        if isinstance(spec, ImageSpec):
            return Picture(render(scenery, track(scenery, np.random.default_rng(spec.seed)))[0])
        assert isinstance(spec, VideoSpec)
        way = continued_track(scenery.motion, where(spec.image), num_frames=spec.num_frames)
        x = way.x + np.float32(self.lags) * (np.arange(spec.num_frames) > 0)
        return Clip(render(scenery, Track(x.astype(np.float32), way.y, way.radius)), FPS)


@dataclass
class Editor:
    """A3: `mind` is given the instruction and what it would make of the picture."""

    mind: Any = lambda _edit, after: after
    tint: int = 0
    refuses: str = "\n"
    weights: str = "1" * 64
    numerics: str = "renderer"

    def __call__(self, spec: EditSpec, *, progress: Any) -> Picture:
        if self.refuses in spec.instruction:
            raise Degenerate("output-degenerate", f"I cannot {spec.instruction}.")
        edit = EDITS[spec.instruction]
        after = self.mind(edit, edit.applied(seen_by(spec.image)))
        x, y, radius = (np.array([value], dtype=np.float32) for value in where(spec.image))
        pixels = render(after, Track(x, y, radius))[0]
        return Picture(np.clip(pixels.astype(int) + self.tint, 0, 255).astype(np.uint8))


@dataclass
class Joiner:
    """A5: `mind` is given the state at each end."""

    mind: Any = as_it_is
    power: float = 1.0
    weights: str = "2" * 64
    numerics: str = "renderer"

    def __call__(self, spec: ConnectSpec, *, progress: Any) -> Clip:
        ends = [self.mind(seen_by(picture)) for picture in (spec.before, spec.after)]
        places = [np.array(where(picture), dtype=np.float32) for picture in (spec.before, spec.after)]
        shares = np.linspace(0, 1, spec.num_frames) ** self.power
        return Clip(np.stack([transition(*ends, *places, float(share)) for share in shares]), FPS)


def seen_by(picture: Picture, motion: str = "it stays still") -> Scenery:
    saw: Any = look(picture.pixels[None])
    return Scenery(saw.object, saw.colour, saw.scene, motion.removeprefix("it "), saw.digital)  # type: ignore[arg-type]


def where(picture: Picture) -> tuple[float, float, float]:
    saw = look(picture.pixels[None])
    return place(Track(saw.centre[:, 0], saw.centre[:, 1], saw.radius), 0)


@dataclass
class Plug:
    """Lends four agents and remembers how often."""

    image: Renderer = field(default_factory=Renderer)
    video: Renderer = field(default_factory=Renderer)
    edit: Editor = field(default_factory=Editor)
    join: Joiner = field(default_factory=Joiner)
    lent: list[str] = field(default_factory=list)

    @contextmanager
    def lend(self, role: str, /) -> Iterator[Any]:
        self.lent.append(role)
        agents = {"text_to_image": self.image, "image_to_video": self.video, "edit_image": self.edit}
        yield agents.get(role, self.join)
