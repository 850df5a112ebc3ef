"""What a person's file shows is named in the world's words, and nothing is named that is not sure."""

import numpy as np
import pytest

from models.embedded.eyes import scenery_seen
from models.embedded.language import Scenery
from models.embedded.world import Track, render, track

RED = Scenery("ball", "red", "meadow", "moves right")


def clip(scenery: Scenery, num_frames: int = 16) -> np.ndarray:
    return render(scenery, track(scenery, np.random.default_rng(3), num_frames=num_frames))


@pytest.mark.parametrize(
    "scenery",
    [RED, Scenery("star", "blue", "night", "grows"), Scenery("box", "green", "sea", "stays still", digital=True)],
)
def test_a_clip_is_named(scenery: Scenery) -> None:
    assert scenery_seen(clip(scenery), 8.0) == scenery
    assert scenery_seen(clip(scenery, 70), 35.0) == scenery


def test_a_picture_stays_still() -> None:
    assert scenery_seen(clip(RED)[:1]) == Scenery("ball", "red", "meadow", "stays still")


def test_of_several_motions_that_of_an_end_counts() -> None:
    right, radius = np.linspace(0.2, 0.7, 24, dtype=np.float32), np.full(48, 0.12, dtype=np.float32)
    there = np.full(24, 0.5, dtype=np.float32)
    up = np.linspace(0.5, 0.2, 24, dtype=np.float32)
    turning = render(RED, Track(np.concatenate([right, there + 0.2]), np.concatenate([there, up]), radius))
    last, first = scenery_seen(turning, 8.0), scenery_seen(turning, 8.0, first=True)
    assert last is not None and first is not None
    assert (last.motion, first.motion) == ("moves up", "moves right")


def test_nothing_is_named_in_what_is_none_of_the_world() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 64)[:, None, None] * np.ones((1, 64, 3)) + rng.normal(0, 12, (64, 64, 3))
    assert scenery_seen(np.clip(ramp, 0, 255).astype(np.uint8)[None]) is None
    assert scenery_seen(np.zeros((4, 48, 64, 3), dtype=np.uint8), 8.0) is None
