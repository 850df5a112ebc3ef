"""Seven of VBench's metrics: the official numbers with the same weights, and what happens where there is no number."""

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from evals.metrics.base import CannotScore, Score, Video, chunks, read
from evals.metrics.frames import Conditioning, Skipped, decode, judge, read_all, read_header
from evals.metrics.preprocessing import SIDE, clip_transform, clip_transform_pil, clip_transform_uint8, dino_transform
from evals.metrics.registry import METRICS, metric
from evals.networks.dino import DINO
from evals.networks.weights.loader import NetworkLoader
from evals.networks.weights.network import CHUNK_FRAMES
from models.agent import UInt8Array
from support.vbench import DATA, EXPECTED

NAMES = (
    "subject_consistency",
    "background_consistency",
    "aesthetic_quality",
    "imaging_quality",
    "appearance_style",
    "temporal_flickering",
)
TOLERANCE = {"imaging_quality": 1e-4}


def film(num_frames: int, height: int = 48, width: int = 64, seed: int = 0) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


def score(name: str, frames: UInt8Array, loader: NetworkLoader, size: int = CHUNK_FRAMES, **told: object) -> Score:
    video = replace(Video(len(frames), Fraction(8), frames.shape[2], frames.shape[1]), **told)  # type: ignore[arg-type]
    (found,) = read([metric(name).begin(video, loader)], chunks(((frame, None) for frame in frames), size))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["square_circle.mp4", "big_pan.mp4"])
def test_the_official_numbers(clip: str, loader: NetworkLoader) -> None:
    told = Conditioning(prompt=EXPECTED["texts"][clip]["prompt"], style=EXPECTED["texts"][clip]["style"])
    found = judge(DATA / "clips" / clip, [metric(name) for name in NAMES], loader, told)
    for name in NAMES:
        one = found[name]
        assert isinstance(one, Score), one
        assert one.value == pytest.approx(EXPECTED["scores"][name][clip], abs=TOLERANCE.get(name, 1e-6)), name
        assert one.note is None


def test_how_a_video_comes_in_pieces_does_not_matter(loader: NetworkLoader) -> None:
    frames = film(5)
    for name in ("subject_consistency", "background_consistency", "temporal_flickering"):
        assert score(name, frames, loader, size=2) == score(name, frames, loader, size=5)
        assert len(score(name, frames, loader).values) == 4


def test_a_still_video_is_as_consistent_as_can_be(loader: NetworkLoader) -> None:
    frames = np.repeat(film(1), 3, axis=0)
    for name in ("subject_consistency", "background_consistency", "temporal_flickering"):
        assert score(name, frames, loader).value == pytest.approx(1.0, abs=1e-6)


def test_the_picture_itself_is_the_nearest_frame(loader: NetworkLoader) -> None:
    # No resizing on either way, so that PIL and torch see the same.
    frames = film(3, 256, 256)
    found = score("i2v_subject", frames, loader, image=frames[1])
    assert found.values[1] == pytest.approx(1.0, abs=1e-6)
    assert max(found.values) == found.values[1]
    steps = found.details["steps"]
    assert len(steps) == 2
    assert found.value == pytest.approx(0.4 + 0.3 * sum(steps) / 2 + 0.3 * min(steps), abs=1e-6)


@pytest.mark.parametrize(
    "name", ["subject_consistency", "background_consistency", "temporal_flickering", "i2v_subject"]
)
def test_one_frame_has_nothing_to_be_compared_with(name: str, loader: NetworkLoader) -> None:
    found = score(name, film(1), loader, image=film(1)[0])
    assert math.isnan(found.value)
    assert found.note is not None
    assert "two or more" in found.note


@pytest.mark.parametrize("row", METRICS, ids=lambda row: row.name)
@pytest.mark.parametrize("num_frames", [1, 2])
def test_a_pixel_or_two_frames_end_in_a_number_or_a_sentence(
    num_frames: int, row: object, loader: NetworkLoader
) -> None:
    frames = film(num_frames, 1, 1)
    video = Video(num_frames, Fraction(8), 1, 1, "a dot", "grey", frames[0], frames, frames)
    (found,) = read_all([row], video, chunks((f, None) for f in frames), loader).values()  # type: ignore[list-item]
    if isinstance(found, Score):
        assert math.isfinite(found.value) or (found.note or "").endswith("."), found
    else:
        assert found.why.endswith(".")


def test_nan_stays_nan(weights: Path) -> None:
    broken = NetworkLoader(weights)
    broken.get(DINO).norm.weight[0] = math.nan
    found = score("subject_consistency", film(3), broken)
    assert math.isnan(found.value)
    assert all(map(math.isnan, found.values))
    assert found.note is not None
    assert "2 of 2" in found.note


def test_a_ribbon_is_not_read_by_dino(loader: NetworkLoader) -> None:
    with pytest.raises(CannotScore, match="1x100 pixels"):
        score("subject_consistency", film(2, 100, 1), loader)


def test_a_long_style_is_cut_and_told(loader: NetworkLoader) -> None:
    found = score("appearance_style", film(1), loader, style="painting " * 1200)
    assert math.isfinite(found.value)
    assert found.note is not None
    assert "77" in found.note


def test_a_metric_says_what_it_lacks(weights: Path, tmp_path: Path) -> None:
    rows = [metric("appearance_style"), metric("aesthetic_quality"), metric("video_length")]
    clip = DATA / "clips" / "static.mp4"
    found = judge(clip, rows, NetworkLoader(tmp_path), Conditioning(style="oil"))
    for name, file in (
        ("appearance_style", "ViT-B-32.pt (354 MB"),
        ("aesthetic_quality", "sa_0_4_vit_l_14_linear.pth"),
    ):
        left = found[name]
        assert isinstance(left, Skipped)
        assert file in left.why
        assert "https://" in left.why
        assert str(tmp_path) in left.why
    assert found["video_length"] == Score(2.0, details={"num_frames": 16, "fps": "8"})
    left = judge(clip, rows[:1], NetworkLoader(weights))["appearance_style"]
    assert left == Skipped("Appearance style needs the words of its style; give it with the video.")
    assert "MORA_METRIC_WEIGHTS" in str(NetworkLoader(None).lacks(metric("imaging_quality")))


def test_preparation_keeps_the_shape_only_for_dino() -> None:
    frames = film(1, 30, 40)
    assert dino_transform(frames).shape == (1, 3, SIDE, 298)
    for square in (clip_transform, clip_transform_uint8, clip_transform_pil):
        assert square(frames).shape == (1, 3, SIDE, SIDE)
    rounded = clip_transform_uint8(frames) - clip_transform(frames)
    assert rounded.abs().max() > 0
    white = torch.from_numpy(np.full((1, 4, 4, 3), 255, np.uint8)).numpy()
    assert torch.allclose(clip_transform(white), clip_transform_pil(white))


def test_memory_does_not_grow_with_the_video(loader: NetworkLoader) -> None:
    clip = DATA / "clips" / "wide_pan.mp4"
    held = [len(chunk.frames) for chunk in decode(clip, read_header(clip))]
    assert sum(held) == 25
    assert max(held) == CHUNK_FRAMES
