"""A metric read clip by clip."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from evals.metrics.base import Score, Video, chunks, read
from evals.metrics.long_video import bounds, clipwise
from evals.metrics.vbench import temporal_flickering, temporal_style
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array

FLICKERING = temporal_flickering.METRIC


def noise(count: int) -> UInt8Array:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def score(metric, frames: UInt8Array, fps: int = 8, size: int = 8) -> Score:
    begun = metric.begin(Video(len(frames), Fraction(fps), 8, 8), NetworkLoader(None))
    return read([begun], chunks(((frame, frame) for frame in frames), size))[0]


@pytest.mark.parametrize(
    ("num_frames", "fps", "expected"),
    [(1, 8, [0, 1]), (16, 8, [0, 16]), (25, 8, [0, 12, 25]), (80, 8, [0, 16, 32, 48, 64, 80]), (50, 24, [0, 50])],
)
def test_clips_are_equal_and_leave_no_frame_over(num_frames: int, fps: int, expected: list[int]) -> None:
    assert bounds(Video(num_frames, Fraction(fps), 8, 8), 2.0) == expected


@pytest.mark.parametrize("size", [1, 5, 8, 100])
def test_each_clip_is_read_as_a_video_of_its_own(size: int) -> None:
    frames = noise(40)
    whole = score(clipwise(FLICKERING), frames, size=size)
    ends = bounds(Video(40, Fraction(8), 8, 8), 2.0)
    parts = [score(FLICKERING, frames[first:end]).value for first, end in pairwise(ends)]
    assert whole.values == pytest.approx(parts) and whole.value == pytest.approx(np.mean(parts))
    assert len(parts) == 2 and whole.details["clips"] == [[0, 20], [20, 40]]


def test_a_video_of_one_clip_has_the_score_of_the_video() -> None:
    assert score(clipwise(FLICKERING), noise(16)).value == score(FLICKERING, noise(16)).value


def test_a_clip_without_a_score_leaves_the_video_without_one() -> None:
    told = score(clipwise(FLICKERING), noise(3), fps=1)
    assert math.isnan(told.value) and str(told.note).startswith("Clip ")


def test_the_name_says_that_it_is_another_metric() -> None:
    by_clip = clipwise(temporal_style.METRIC)
    assert by_clip.name == "temporal_style_clipwise" and by_clip.title == "Temporal style by clips of 10 s"
    assert by_clip.needs == ("prompt",) and by_clip.networks == temporal_style.METRIC.networks
