"""Motion smoothness and dynamic degree: parity with the official code, and what they say of odd videos."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from evals.metrics.base import Metric, Reading, Video, chunks, read
from evals.metrics.vbench import dynamic_degree, motion_smoothness
from evals.metrics.vbench.dynamic_degree import Criterion, DynamicDegree
from evals.networks import correlation
from evals.networks.amt import AMT, load_amt
from evals.networks.correlation import Correlations, grid
from evals.networks.raft import RAFT, load_raft
from evals.networks.weights.checkpoints import BadWeights
from evals.networks.weights.loader import NetworkLoader
from evals.networks.weights.network import Network
from models.agent import UInt8Array
from support.vbench import DATA, EXPECTED, state_of


def clip(name: str, most: int | None = None) -> tuple[Video, UInt8Array]:
    with av.open(str(DATA / "clips" / name)) as container:
        stream = container.streams.video[0]
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])[:most]
        assert stream.average_rate is not None
        return video_of(frames, stream.average_rate), frames


def video_of(frames: UInt8Array, fps: float | Fraction = 8) -> Video:
    return Video(len(frames), Fraction(fps), frames.shape[2], frames.shape[1])


def score(reading: Reading, frames: UInt8Array, size: int = 8):
    return read([reading], chunks(((frame, None) for frame in frames), size))[0]


class Lent(NetworkLoader):
    """A shelf on which one network of the test's own stands."""

    def __init__(self, network: nn.Module, batch: int = 1) -> None:
        super().__init__(None)
        self._network, self._batch = network, batch

    @property
    def batch(self) -> int:
        return self._batch

    def get(self, network: Network) -> nn.Module:
        return self._network


class Still(nn.Module):
    """In place of RAFT: the flow of a pair is as long as the brightness of its second frame, counted as it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.frames, self.pairs = 0, 0

    def features(self, frames: Tensor) -> Tensor:
        self.frames += len(frames)
        return frames.amax(dim=(1, 2, 3))

    def flow(self, frames: Tensor, first: Tensor, second: Tensor) -> Tensor:
        self.pairs += len(frames)
        assert torch.equal(frames.amax(dim=(1, 2, 3)), first)
        flow = torch.zeros(len(frames), 2, *frames.shape[-2:])
        flow[:, 0] = torch.where(second == 255, math.nan, second)[:, None, None]
        return flow


class Between(nn.Module):
    """In place of AMT: the mean of both frames."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return (first + second) / 2


def shades(*levels: int, side: int = 128) -> UInt8Array:
    return np.stack([np.full((side, side, 3), level, np.uint8) for level in levels])


# Parity.


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pairs", "every"), [("square_circle.mp4", 1, 1), ("wide_pan.mp4", 2, 3)])
def test_the_first_pairs_of_a_clip_have_the_official_radii(
    name: str, pairs: int, every: int, loader: NetworkLoader
) -> None:
    video, frames = clip(name, 1 + pairs * every)
    answer = score(DynamicDegree(video, loader, every_pair=True), frames)
    assert answer.values == pytest.approx(EXPECTED["dynamic_degree_pairs"][name]["pair_max_rad"][:pairs], abs=1e-3)
    assert answer.details["sampled_every"] == every
    json.dumps(answer.details)


@pytest.mark.parametrize("name", EXPECTED["dynamic_degree_pairs"])
def test_the_official_radii_give_the_official_answers(name: str) -> None:
    official = EXPECTED["dynamic_degree_pairs"][name]
    with av.open(str(DATA / "clips" / name)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate is not None
        video = Video(stream.frames, stream.average_rate, stream.width, stream.height)
    question = Criterion.of(video)
    assert question.pairs == len(official["pair_max_rad"])
    assert question.threshold_px == official["thres"] and question.needed == official["count_num"]
    assert question.answer(official["pair_max_rad"]) is EXPECTED["scores"]["dynamic_degree"][name]


@pytest.mark.slow
def test_motion_smoothness_is_the_official_codes(loader: NetworkLoader) -> None:
    video, frames = clip("square_circle.mp4")
    smooth = score(motion_smoothness.begin(video, loader), frames, size=5)
    assert smooth.value == pytest.approx(EXPECTED["scores"]["motion_smoothness"]["square_circle.mp4"], abs=1e-6)
    assert len(smooth.values) == (len(frames) - 1) // 2


# The early stop.


def as_vbench_asks(radii: list[float], threshold: float, needed: int) -> bool:
    """The loop of the official code over all pairs, whose comparison takes NaN for still."""
    count = 0
    for radius in radii:
        count += radius > threshold
        if count >= needed:
            return True
    return False


@given(st.lists(st.floats(0, 10), min_size=0, max_size=20), st.integers(0, 6))
def test_an_answer_before_the_end_is_the_answer_at_the_end(radii: list[float], needed: int) -> None:
    question = Criterion(every=1, pairs=len(radii), needed=needed, threshold_px=5.0)
    for seen in range(len(radii) + 1):
        early = question.answer(radii[:seen])
        assert early in (None, as_vbench_asks(radii, 5.0, needed))
    assert question.answer(radii) is as_vbench_asks(radii, 5.0, needed)


@given(st.lists(st.floats(0, 10) | st.just(math.nan), min_size=1, max_size=12), st.integers(1, 6))
def test_a_pair_without_a_number_leaves_the_answer_open_where_it_could_change_it(
    radii: list[float], needed: int
) -> None:
    question = Criterion(every=1, pairs=len(radii), needed=needed, threshold_px=5.0)
    still = as_vbench_asks([0.0 if math.isnan(r) else r for r in radii], 5.0, needed)
    moving = as_vbench_asks([9.0 if math.isnan(r) else r for r in radii], 5.0, needed)
    assert question.answer(radii) is (still if still == moving else None)


@pytest.mark.parametrize(("levels", "pairs"), [([9] * 17, 4), ([0] * 17, 13), ([0] * 6 + [9] * 11, 9)])
def test_reading_stops_when_the_pairs_left_cannot_change_the_answer(levels: list[int], pairs: int) -> None:
    counted, all_of_them = Still(), Still()
    frames = shades(*levels)
    early = score(dynamic_degree.begin(video_of(frames), Lent(counted)), frames)
    whole = score(DynamicDegree(video_of(frames), Lent(all_of_them), every_pair=True), frames)
    assert early.value == whole.value == float(as_vbench_asks(list(whole.values), 3.0, 4))
    assert counted.pairs == pairs == early.details["pairs_read"] and all_of_them.pairs == 16
    assert all_of_them.frames == 17, "a frame's features serve both of its pairs"
    assert early.values == whole.values[:pairs]


@pytest.mark.parametrize("fps", [8, 12, 20, 24, 25, 30, 60, Fraction(24000, 1001)])
@pytest.mark.parametrize(("size", "batch"), [(1, 1), (3, 2), (8, 8)])
def test_the_same_frames_are_sampled_however_they_come(fps: float | Fraction, size: int, batch: int) -> None:
    frames = shades(*range(40), side=121)
    every = {8: 1, 12: 2, 20: 2, 24: 3, 25: 3, 30: 4, 60: 8, Fraction(24000, 1001): 3}[fps]
    reading = DynamicDegree(video_of(frames, fps), Lent(Still(), batch), every_pair=True)
    assert score(reading, frames, size).values == tuple(map(float, range(every, 40, every)))


# Odd videos.


@pytest.mark.parametrize(("levels", "value"), [([9], 0.0), ([0, 0], 1.0)])
def test_one_or_two_frames_get_vbenchs_answer_and_a_sentence(levels: list[int], value: float) -> None:
    for side in (16, 128):
        frames = shades(*levels, side=side)
        answer = score(dynamic_degree.begin(video_of(frames), Lent(Still())), frames)
        assert answer.value == value and answer.values == ()
        assert answer.note is not None and answer.note.count(".") == 1


def test_a_radius_that_is_no_number_makes_the_score_none() -> None:
    frames = shades(0, 9, 9, 255, 0, *[0] * 12)
    answer = score(dynamic_degree.begin(replace(video_of(frames)), Lent(Still())), frames)
    assert answer.value == 0.0, "two of four needed, and one NaN could not make up for it"
    frames = shades(0, 9, 9, 9, 255, *[0] * 12)
    answer = score(dynamic_degree.begin(video_of(frames), Lent(Still())), frames)
    assert math.isnan(answer.value) and answer.note is not None and "no number" in answer.note


@pytest.mark.parametrize(("metric", "side"), [(motion_smoothness.METRIC, 112), (dynamic_degree.METRIC, 120)])
def test_small_videos_are_told_and_the_next_larger_ones_read(metric: Metric, side: int, loader: NetworkLoader) -> None:
    small, enough = shades(3, 5, 7, side=side), shades(3, 5, 7, side=side + 1)
    untouched = score(metric.begin(video_of(small), NetworkLoader(None)), small)
    assert math.isnan(untouched.value) and f"{side}x{side}" in str(untouched.note)
    assert not math.isnan(score(metric.begin(video_of(enough), loader), enough).value)


def test_motion_smoothness_needs_three_frames() -> None:
    for count in (1, 2):
        frames = shades(*range(count))
        short = score(motion_smoothness.begin(video_of(frames), NetworkLoader(None)), frames)
        assert math.isnan(short.value) and "three" in str(short.note)


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (2, 8), (3, 1), (8, 2), (8, 8)])
@pytest.mark.parametrize("count", [3, 4, 9, 16])
def test_every_odd_frame_between_two_is_foretold_once(count: int, size: int, batch: int) -> None:
    frames = shades(*(10 * index if index % 2 == 0 else 10 * index + index for index in range(count)))
    smooth = score(motion_smoothness.begin(video_of(frames), Lent(Between(), batch)), frames, size)
    assert smooth.values == pytest.approx([(255 - index) / 255 for index in range(1, count - 1, 2)])
    assert smooth.value == pytest.approx(np.mean(smooth.values))


def test_a_foretold_frame_is_cut_down_to_whole_levels() -> None:
    frames = shades(0, 0, 3)
    smooth = score(motion_smoothness.begin(video_of(frames), Lent(Between())), frames)
    assert smooth.value == pytest.approx((255 - 1) / 255, abs=1e-12)


class Broken(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first * math.nan


def test_a_network_that_answers_no_number_gives_no_score() -> None:
    frames = shades(1, 2, 3)
    smooth = score(motion_smoothness.begin(video_of(frames), Lent(Broken())), frames)
    assert math.isnan(smooth.value) and "no number" in str(smooth.note)


def test_frames_too_large_to_keep_all_pairs_of_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = torch.randn(2, 2, 8, 17, 20)
    places = grid(17, 20, like=first) + 5 * torch.randn(2, 2, 17, 20)
    kept = Correlations(first, second).look_up(places, 3)
    monkeypatch.setattr(correlation, "KEPT_BYTES", 100 * 2 * 17 * 20 * 4 * 4 // 3)
    parts = Correlations(first, second).look_up(places, 3)
    assert kept.shape == parts.shape == (2, 4 * 49, 17, 20)
    assert torch.allclose(kept, parts, atol=1e-6)


def test_a_shift_is_seen_where_it_points_to() -> None:
    first = torch.randn(1, 64, 16, 16)
    seen = Correlations(first, first.roll((1, 2), (2, 3))).look_up(grid(16, 16, like=first), 3).view(1, 4, 7, 7, 16, 16)
    x, y = divmod(int(seen[0, 0, :, :, 4:12, 4:12].mean((2, 3)).argmax()), 7)
    assert (x - 3, y - 3) == (2, 1), "the slower index of a window is x"


# The files.


@pytest.mark.parametrize(("network", "load"), [(RAFT, load_raft), (AMT, load_amt)])
def test_a_file_that_does_not_fit_is_refused_by_name(
    network: Network, load: Callable[[Path], nn.Module], tmp_path: Path
) -> None:
    state = state_of(network.weights.file)
    names = list(state)
    path = tmp_path / network.weights.file
    for harm, told in (
        (lambda s: s.pop(names[3]), "missing"),
        (lambda s: s.update({names[0].replace("conv1", "conv9"): torch.zeros(1)}), "unknown"),
        (lambda s: s.update({names[5]: torch.zeros(3, 2)}), "misshapen"),
    ):
        harmed = dict(state)
        harm(harmed)
        torch.save(harmed, path)
        with pytest.raises(BadWeights, match=told) as raised:
            load(path)
        assert str(raised.value).endswith("get the official file.")


def test_raft_reads_a_file_with_and_without_the_counts_of_its_training(tmp_path: Path) -> None:
    state = state_of("raft-things.pth")
    counted = {key: torch.tensor(7) for key in load_raft_keys() if key.endswith("num_batches_tracked")}
    torch.save({**state, **{f"module.{key}": value for key, value in counted.items()}}, tmp_path / "raft-things.pth")
    raft = load_raft(tmp_path / "raft-things.pth")
    assert counted and torch.equal(raft.cnet.norm1.running_mean, state["module.cnet.norm1.running_mean"])


def load_raft_keys() -> list[str]:
    from evals.networks.raft import Raft

    return list(Raft().state_dict())
