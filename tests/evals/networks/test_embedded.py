"""The scorer that ships: it loads, knows the world, and its rows say whose numbers they are."""

from fractions import Fraction

import numpy as np
import pytest

from evals.bench.scorers.embedded import CHOICES, measure_scorer, table_of
from evals.metrics.base import Chunk, Metric, Score, Video, read
from evals.metrics.registry import METRICS
from evals.metrics.world.embedded import OBJECT_CONSISTENCY, PROMPT_LIKENESS, prepared
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array
from models.embedded.language import Scenery
from models.embedded.world import render, track

BALL, STAR = Scenery("ball", "red", "snow", "moves right"), Scenery("star", "blue", "sea", "moves up")


@pytest.fixture(scope="module")
def loader() -> NetworkLoader:
    return NetworkLoader(None)


def clip(scenery: Scenery, frames: int = 6) -> UInt8Array:
    return render(scenery, track(scenery, np.random.default_rng(3), num_frames=frames))


def video(frames: UInt8Array, prompt: str | None = None) -> Video:
    return Video(len(frames), Fraction(8), frames.shape[2], frames.shape[1], prompt=prompt)


def scored(metric: Metric, frames: UInt8Array, loader: NetworkLoader, prompt: str | None = None) -> Score:
    [score] = read([metric.begin(video(frames, prompt), loader)], [Chunk(frames, 0)])
    return score


def test_a_clip_is_nearer_to_its_own_sentence(loader: NetworkLoader) -> None:
    for shown, other in ((BALL, STAR), (STAR, BALL)):
        own = scored(PROMPT_LIKENESS, clip(shown), loader, shown.sentence).value
        strange = scored(PROMPT_LIKENESS, clip(shown), loader, other.sentence).value
        assert own > strange + 0.2


def test_a_clip_whose_object_changes_is_less_consistent(loader: NetworkLoader) -> None:
    whole = clip(BALL)
    broken = np.concatenate([whole[:3], clip(STAR)[3:]])
    assert scored(OBJECT_CONSISTENCY, whole, loader).value > scored(OBJECT_CONSISTENCY, broken, loader).value + 0.1


def test_one_frame_has_no_consistency(loader: NetworkLoader) -> None:
    score = scored(OBJECT_CONSISTENCY, clip(BALL, 2)[:1], loader)
    assert np.isnan(score.value)
    assert score.note is not None


def test_other_sizes_are_cut_to_the_worlds() -> None:
    assert prepared(np.zeros((2, 90, 160, 3), dtype=np.uint8)).shape == (2, 3, 64, 64)
    world = clip(BALL)
    assert np.allclose(prepared(world).permute(0, 2, 3, 1).numpy(), world / 127.5 - 1, atol=1e-6)


def test_its_rows_are_rows_of_their_own() -> None:
    rows = [row for row in METRICS if "embedded" in row.name]
    assert {row.name for row in rows} == {"embedded_object_consistency", "embedded_prompt_likeness"}
    assert all("embedded scorer" in row.source for row in rows)


def test_how_far_it_can_be_trusted_is_measured() -> None:
    trust = measure_scorer(n=24, seed=1)
    assert trust.shares["colour"].value is not None
    assert trust.shares["colour"].value > 0.9
    assert trust.shares["all"].n == 24
    assert table_of(trust).row_count == 5
    assert len(CHOICES) == 240
