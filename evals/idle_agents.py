"""Agents that answer at once with noise, for measurements of everything around them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.profiles import EMBEDDED
from graph.runs.services import Services
from memory.archive import Archive
from models.agent import Clip, Picture

SIDE, FRAMES, FPS = 64, 16, 8


@dataclass(frozen=True)
class _Identity:
    """Identity of the idle agents in recipes."""

    weights: str = "0" * 64
    numerics: str = "bench"


@dataclass
class IdleAgents:
    """Lends agents that answer at once, each time with other noise. at_work: called by every call of an agent."""

    at_work: Callable[[], None] = lambda: None
    made: int = field(default=0)
    weights = _Identity.weights
    numerics = _Identity.numerics

    def identity(self, _role: str) -> _Identity:
        """Return the identity of every role's agent."""
        return _Identity()

    @contextmanager
    def lend(self, _role: str) -> Iterator[Any]:
        """Lend the agent of a role."""
        yield self

    def __call__(self, spec: Any, *, progress: Any, **_more: Any) -> Picture | Clip:
        """Return noise: frames uint8 (T, 64, 64, 3) for a clip, (64, 64, 3) for a picture."""
        self.made += 1
        self.at_work()
        digest = hashlib.sha256(f"{self.made}|{spec}".encode()).digest()
        noise = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        frames = noise.integers(0, 255, (getattr(spec, "num_frames", 1), SIDE, SIDE, 3), dtype=np.uint8)
        progress(1, 1)
        return Clip(frames, FPS) if hasattr(spec, "num_frames") else Picture(frames[0])

    def many(self, specs: Sequence[Any], *, progress: Any, **_more: Any) -> list[Picture]:
        """Return a picture for each spec."""
        return [self(spec, progress=progress) for spec in specs]  # type: ignore[misc]


def idle_services(archive: Archive, agents: IdleAgents | None = None) -> Services:
    """Return services with idle agents and the embedded planner."""
    lender: Any = agents or IdleAgents()
    planner = Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    return Services(
        archive=archive,
        planner=lambda _request: planner,
        lender=lambda _stored: lender,
        size=(SIDE, SIDE),
        fps=FPS,
        num_frames=FRAMES,
    )
