"""What VBench's code printed for clips of odd sizes, uneven times and one colour, and for texts of all kinds."""

from dataclasses import replace

import pytest

from evals.metrics.base import Score, chunks, read
from evals.metrics.frames import Conditioning, decode, judge, read_header
from evals.metrics.registry import metric
from evals.metrics.vbench import dynamic_degree, i2v_subject
from evals.metrics.vbench.dynamic_degree import Criterion, DynamicDegree
from evals.networks.weights.loader import NetworkLoader
from support.vbench import DATA, FURTHER, FURTHER_CLIPS

TOLERANCE = {"imaging_quality": 1e-4}
APART = (dynamic_degree.METRIC.name, i2v_subject.METRIC.name)
"""Metrics that have a test of their own."""


@pytest.mark.slow
@pytest.mark.parametrize("clip", FURTHER_CLIPS)
def test_the_official_numbers(clip: str, loader: NetworkLoader) -> None:
    wanted = {name: by_clip[clip] for name, by_clip in FURTHER["scores"].items() if clip in by_clip}
    rows = [metric(name) for name in wanted if name not in APART]
    found = judge(DATA / "further" / clip, rows, loader, Conditioning(**FURTHER["texts"][clip]))
    for row in rows:
        one = found[row.name]
        assert isinstance(one, Score), one
        assert one.value == pytest.approx(wanted[row.name], abs=TOLERANCE.get(row.name, 1e-6)), row.name


@pytest.mark.slow
def test_of_frames_that_come_unevenly_the_mean_rate_says_which_are_sampled(loader: NetworkLoader) -> None:
    clip = DATA / "further" / "uneven.mp4"
    video = read_header(clip)
    assert 15 < video.fps < 16  # and 24 between most of its frames
    radii = FURTHER["dynamic_degree_pairs"][clip.name]["pair_max_rad"]
    begun = DynamicDegree(replace(video, num_frames=5), loader, every_pair=True)
    (one,) = read([begun], chunks(((frame, None) for frame in next(decode(clip, video)).frames[:5]), 8))
    assert one.details["sampled_every"] == 2
    assert one.values == pytest.approx(radii[:2], abs=1e-3)
    question = Criterion.of(video)
    assert question.pairs == len(radii)
    assert question.answer(radii) is bool(FURTHER["scores"]["dynamic_degree"][clip.name])


@pytest.mark.parametrize("clip", FURTHER["scores"]["i2v_subject"])
def test_the_subject_of_a_picture_that_is_the_first_frame_mirrored(clip: str, loader: NetworkLoader) -> None:
    path = DATA / "further" / clip
    first = next(decode(path, read_header(path))).frames[0]
    one = judge(path, [i2v_subject.METRIC], loader, Conditioning(image=first[:, ::-1].copy()))["i2v_subject"]
    assert isinstance(one, Score)
    assert one.value == pytest.approx(FURTHER["scores"]["i2v_subject"][clip], abs=1e-6)
