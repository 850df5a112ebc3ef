"""The bench of the eight dimensions: what is bound, and whose seconds are whose."""

import cProfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from evals.bench.scorers.eight import FRAMES, HEIGHT, OFFICIAL, OFFICIAL_PAIR, WIDTH, Found, moving, parts
from evals.metrics.frames import judge
from evals.metrics.registry import metric
from evals.networks.weights.loader import NetworkLoader
from support.vbench import DATA


def test_what_vbench_would_take_goes_with_a_pair_of_rafts() -> None:
    found = Found(pair=OFFICIAL_PAIR, parts={}, first=300.0, again=1.0)
    assert found.official == sum(OFFICIAL.values()) == 679.0
    assert found.holds
    assert not replace(found, pair=OFFICIAL_PAIR / 2).holds
    assert not replace(found, again=7.0).holds


def test_seconds_go_to_the_metric_that_took_them(weights: Path) -> None:
    profile = cProfile.Profile(time.perf_counter)
    rows = [metric(name) for name in ("imaging_quality", "temporal_flickering")]
    profile.runcall(judge, DATA / "further" / "odd.mp4", rows, NetworkLoader(weights))
    took = parts(profile)
    assert took["imaging_quality"] > 0
    assert {name for name, seconds in took.items() if seconds} == {"imaging_quality"}  # flickering is none of the eight


def test_the_clip_moves_in_every_frame() -> None:
    frames = list(moving())
    assert len(frames) == FRAMES
    assert {frame.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert all((one[:, 6:] == other[:, :-6]).all() for one, other in pairwise(frames))
