"""A long conversation with agents that cost nothing: what a turn costs beside them, and what the database holds.

`python -m evals.bench.speed.chat` prints the table; `main.py evaluate speed` has it among the others.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.profiles import EMBEDDED
from graph.planning.turn import Answer
from graph.runs.runner import answer, question_of_run, start
from graph.runs.services import Services
from memory.archive import Archive
from memory.records import Request
from models.agent import Clip, Picture

TURNS = 200
SIDE, FRAMES, FPS = 64, 8, 8
SAID = (
    "a red ball moves right in the snow", "again", "use the second one", "go on", "make it blue", "go on",
    "extend it by two seconds, it keeps moving right", "what do I have?", "undo", "make it night",
)  # fmt: skip
"""What a person says, over and over."""


@dataclass(frozen=True)
class _Nothing:
    """Identity of agents that make noise of a colour."""

    weights: str = "0" * 64
    numerics: str = "bench"


@dataclass
class _Idle:
    """Lends agents that answer at once; `seconds`: how long they worked in all."""

    seconds: float = 0.0
    made: int = field(default=0)

    def identity(self, _role: str) -> _Nothing:
        return _Nothing()

    @contextmanager
    def lend(self, _role: str) -> Iterator[Any]:
        yield self

    weights = _Nothing.weights
    numerics = _Nothing.numerics

    def __call__(self, spec: Any, *, progress: Any, **_more: Any) -> Picture | Clip:
        self.made += 1
        noise = np.random.default_rng(self.made)
        frames = noise.integers(0, 255, (getattr(spec, "num_frames", 1), SIDE, SIDE, 3), dtype=np.uint8)
        progress(1, 1)
        return Clip(frames, FPS) if hasattr(spec, "num_frames") else Picture(frames[0])

    def many(self, specs: Sequence[Any], *, progress: Any, **_more: Any) -> list[Picture]:
        return [self(spec, progress=progress) for spec in specs]  # type: ignore[misc]


def idle_rooms(archive: Archive) -> Services:
    """Rooms in which agents cost nothing."""
    lender: Any = _Idle()
    planner = Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    return Services(
        archive=archive, planner=lambda _request: planner, lender=lambda _stored: lender, size=(SIDE, SIDE), fps=FPS,
        num_frames=FRAMES,
    )  # fmt: skip


@dataclass
class Chat:
    """A conversation in a home of its own; the agents cost nothing, so that what a turn costs is ours."""

    folder: Path
    turns: int = 0

    def __post_init__(self) -> None:
        self.archive = Archive.open(f"sqlite:///{self.folder / 'mora.db'}", self.folder)
        self.services = idle_rooms(self.archive)
        self.run = start(self.services, Request(prompt="", review="chat", seed=1), {}, lambda _heard: None)

    def turn(self) -> float:
        """The next thing the person says; seconds it took."""
        begun = time.perf_counter()
        question = question_of_run(self.services, self.run)
        assert question is not None, f"run {self.run.id} is {self.run.status}"
        said = SAID[self.turns % len(SAID)]
        self.run = answer(self.services, self.run.id, question, Answer(said=said), lambda _heard: None)
        self.turns += 1
        return time.perf_counter() - begun


@dataclass(frozen=True)
class Talked:
    """What a conversation cost. early, late: seconds of the same turns at its beginning and at its end; size: bytes of
    the database then."""

    early: list[float]
    late: list[float]
    size: int


def talk(folder: Path, turns: int = TURNS) -> Talked:
    """A conversation of so many turns; its last ones alternate with the first ones of another, said alike."""
    homes = folder / "long", folder / "short"
    for home in homes:
        home.mkdir()
    long = Chat(homes[0])
    for _ in range(turns - len(SAID)):
        long.turn()
    short = Chat(homes[1])
    pairs = [(short.turn(), long.turn()) for _ in range(len(SAID))]
    size = long.archive.size()
    for chat in (long, short):
        chat.archive.close()
    return Talked([early for early, _ in pairs], [late for _, late in pairs], size)


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        talked = talk(Path(home))
    early, late = statistics.median(talked.early), statistics.median(talked.late)
    ratio = statistics.median(late / early for early, late in zip(talked.early, talked.late, strict=True))
    told = f"turn 2: {early * 1000:.0f} ms, turn {TURNS}: {late * 1000:.0f} ms, {ratio:.2f} of it"
    print(f"{told}; database {talked.size / 1e6:.1f} MB")  # noqa: T201
