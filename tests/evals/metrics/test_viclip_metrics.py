"""ViCLIP's metrics: parity with the official code, one forward for all of them, odd lengths and texts."""

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from evals.metrics.base import Memo, Score, Video, chunks, read
from evals.metrics.mora.tcon import TCON, TMEAN
from evals.metrics.vbench import overall_consistency, temporal_style
from evals.metrics.vbench.clip_vectors import middle_frames
from evals.networks.viclip import VICLIP, load_viclip
from evals.networks.weights.checkpoints import BadWeights
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array
from support.vbench import CLIPS, DATA, EXPECTED, state_of

FILE = "ViClip-InternVid-10M-FLT.pth"
BOTH = (temporal_style.METRIC, overall_consistency.METRIC)


def frames_of(name: str) -> UInt8Array:
    with av.open(str(DATA / "clips" / name)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def noise(count: int, seed: int = 0, height: int = 40, width: int = 64) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def scores(loader: NetworkLoader, frames: UInt8Array, *metrics, size: int = 8, **given) -> list[Score]:
    video = Video(len(frames), Fraction(8), frames.shape[2], frames.shape[1], **given)
    assert [metric.lacks(video) for metric in metrics] == [None] * len(metrics)
    return read([metric.begin(video, loader) for metric in metrics], chunks(((frame, None) for frame in frames), size))


@pytest.mark.parametrize("name", CLIPS)
def test_both_text_metrics_are_the_official_codes(name: str, loader: NetworkLoader) -> None:
    found = scores(loader, frames_of(name), *BOTH, size=5, prompt=EXPECTED["texts"][name]["prompt"])
    for metric, score in zip(BOTH, found, strict=True):
        assert score.value == pytest.approx(EXPECTED["scores"][metric.name][name], abs=1e-6)
        assert score.note is None and len(score.details["frames"]) == 8


def test_all_metrics_of_a_video_share_one_forward(loader: NetworkLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    viclip, seen = loader.get(VICLIP), []
    through = type(viclip.vision_encoder).forward
    monkeypatch.setattr(
        type(viclip.vision_encoder), "forward", lambda tower, clips: (seen.append(1), through(tower, clips))[1]
    )
    frames = noise(9)
    style, overall, tcon = scores(loader, frames, *BOTH, TCON, prompt="a noise", before=frames)
    assert style == overall and tcon.value == pytest.approx(1.0, abs=1e-6)
    assert len(seen) == 2, "this video and the one before it"


@pytest.mark.parametrize(
    ("num_frames", "indices"),
    [
        (1, [0] * 8),
        (2, [0, 1, 1, 1, 1, 1, 1, 1]),
        (8, list(range(8))),
        (9, [0, 1, 2, 3, 4, 5, 6, 7]),
        (16, [0, 2, 4, 6, 8, 10, 12, 14]),
        (25, [1, 4, 7, 10, 13, 16, 19, 22]),
    ],
)
def test_a_clip_is_seen_by_the_middle_of_each_eighth(num_frames: int, indices: list[int]) -> None:
    assert middle_frames(num_frames, 8) == indices


def test_neighbours_may_come_whole_or_as_the_eight_frames_that_count(loader: NetworkLoader) -> None:
    before, after, between = noise(25, 1), noise(8, 2, 48, 40), noise(12, 3)
    (whole,) = scores(loader, between, TMEAN, before=before, after=after)
    (eight,) = scores(loader, between, TMEAN, before=before[middle_frames(25, 8)], after=after)
    assert whole == eight and whole.value == pytest.approx(np.mean(whole.values))
    (extended,) = scores(loader, between, TCON, before=before)
    assert extended.values == whole.values[:1]


def test_a_video_without_its_neighbours_is_told() -> None:
    video = Video(8, Fraction(8), 64, 40)
    assert (
        TMEAN.lacks(video) == "T_mean needs the clip it goes on from and the clip it leads to; give it with the video."
    )
    assert TCON.lacks(replace(video, before=noise(8))) is None


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (224, 224), (30, 300)])
def test_one_frame_and_one_pixel_are_scored(count: int, size: tuple[int, int], loader: NetworkLoader) -> None:
    (score,) = scores(loader, noise(count, 0, *size), temporal_style.METRIC, prompt="a dot")
    assert -1 <= score.value <= 1


def test_a_long_text_is_read_from_its_beginning_and_that_is_told(loader: NetworkLoader) -> None:
    words = "so very long " * 800
    (score,) = scores(loader, noise(8), temporal_style.METRIC, prompt=words)
    (same,) = scores(loader, noise(8), temporal_style.METRIC, prompt=words + "that nobody reads on")
    assert score == same and not math.isnan(score.value)
    assert score.note == "The prompt is longer than ViCLIP reads (32 tokens); its end was ignored."


def test_a_network_that_answers_no_number_gives_no_score(tmp_path: Path) -> None:
    state = state_of(FILE)
    state["vision_encoder.proj"] = state["vision_encoder.proj"] * math.nan
    torch.save({"model": state}, tmp_path / FILE)
    (score,) = scores(NetworkLoader(tmp_path), noise(8), temporal_style.METRIC, prompt="a noise", memo=Memo())
    assert math.isnan(score.value) and "no number" in str(score.note)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("vision_encoder.conv1.weight", None, "missing"),
        ("text_encoder.ln_final.bias", None, "missing: text_encoder.ln_final.bias"),
        ("text_encoder.ln_final.bias", torch.zeros(3), "text_encoder.ln_final.bias is 3 instead of 64"),
        ("head.weight", torch.zeros(3), "unknown: head.weight"),
        ("vision_encoder.conv1.weight", torch.zeros(100, 3, 1, 28, 28), "not ViCLIP"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(
    key: str, value: torch.Tensor | None, told: str, tmp_path: Path
) -> None:
    state = state_of(FILE)
    state.pop(key, None)
    torch.save({"model": state if value is None else {**state, key: value}}, tmp_path / FILE)
    with pytest.raises(BadWeights, match=told) as raised:
        load_viclip(tmp_path / FILE)
    assert str(raised.value).endswith("get the official file.")
