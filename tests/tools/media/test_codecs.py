import io
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from models.embedded.language import Scenery
from models.embedded.world import render, track
from tools.errors import BadInput, UnreadableMedia
from tools.media.codecs import (
    decode_clip,
    decode_image,
    encode_clip,
    encode_film,
    encode_image,
    evenly,
    exact_rate,
    fit,
    frames_of,
    probe,
)

REPOSITORY = Path(__file__).parents[3]
DIGESTS = """
import hashlib, io
import numpy as np
from tools.media.codecs import encode_clip, encode_film, encode_image
frames = np.random.default_rng(3).integers(0, 256, (5, 70, 66, 3), dtype=np.uint8)
film = io.BytesIO()
encode_film(iter(frames), film, width=66, height=70, fps=8)
for data in (encode_image(frames[0]), encode_clip(frames, 8), film.getvalue()):
    print(hashlib.sha256(data).hexdigest())
"""


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(count: int, height: int, width: int) -> np.ndarray:
    """Colours that drift slowly: what a lossy encoder keeps well."""
    t, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (count, height, width)), indexing="ij")
    return (np.stack([x, y, (t + x) / 2], axis=-1) * 255).astype(np.uint8)


def film_of(frames: np.ndarray, path: Path, fps: float = 8) -> Path:
    encode_film(iter(frames), path, width=frames.shape[2], height=frames.shape[1], fps=fps)
    return path


def test_a_picture_comes_back_bit_for_bit_and_carries_no_metadata():
    pixels = noise(9, 7, 3)
    data = encode_image(pixels)
    assert np.array_equal(decode_image(data), pixels)
    assert not any(chunk in data for chunk in (b"tEXt", b"tIME", b"eXIf", b"pHYs"))


@pytest.mark.parametrize("shape", [(1, 64, 64, 3), (3, 9, 7, 3), (2, 1, 1, 3), (16, 64, 64, 3), (2, 63, 65, 3)])
@pytest.mark.parametrize("fps", [8, 23.976])
def test_a_clip_comes_back_bit_for_bit_at_its_rate(shape, fps):
    frames = noise(*shape)
    clip = decode_clip(encode_clip(frames, fps))
    assert np.array_equal(clip.frames, frames)
    assert exact_rate(clip.fps) == exact_rate(fps)


@pytest.mark.parametrize("fps", [1, 7, 12.5, 23.976, 24, 25, 29.97, 30, 59.94, 60, 119.88, 120])
def test_rates_survive_both_containers(fps, tmp_path):
    frames = noise(2, 16, 16, 3)
    assert probe(encode_clip(frames, fps)).fps == float(exact_rate(fps))
    assert probe(film_of(frames, tmp_path / "film.mp4", fps)).fps == float(exact_rate(fps))


def test_a_rate_is_the_fraction_that_was_meant():
    assert exact_rate(23.976) == exact_rate(24000 / 1001) == Fraction(24000, 1001)
    assert exact_rate(8.0) == 8
    assert exact_rate(12.5) == Fraction(25, 2)
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(BadInput, match="frame rate"):
            exact_rate(wrong)


def test_the_same_frames_give_the_same_bytes_in_two_processes():
    first, second = (
        subprocess.run([sys.executable, "-c", DIGESTS], cwd=REPOSITORY, check=True, capture_output=True).stdout
        for _ in range(2)
    )
    assert first == second
    assert len(set(first.split())) == 3


def test_the_same_frames_give_the_same_film_every_time_on_any_thread():
    """Of these frames x264 made several films, as memory happened to be, while its macroblock tree was on."""
    shots = (Scenery("ball", "red", "snow", "moves right"), Scenery("star", "blue", "sea", "moves up"))
    tracks = [track(shot, np.random.default_rng(seed), num_frames=6) for seed, shot in enumerate(shots, 2)]
    there = np.concatenate([render(shot, where, side=64) for shot, where in zip(shots, tracks, strict=True)])
    frames = np.concatenate([there, there[::-1]])

    def film(_turn: int) -> bytes:
        out = io.BytesIO()
        encode_film(iter(frames), out, width=64, height=64, fps=8)
        return out.getvalue()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(film, range(40)))) == 1


def test_a_lossless_file_tells_neither_time_nor_chance():
    data = encode_clip(noise(2, 64, 64, 3), 8)
    # Matroska ids of SegmentUID and DateUTC.
    assert b"\x73\xa4" not in data[:200]
    assert b"\x44\x61\x88" not in data[:400]


@pytest.mark.parametrize("fps", [8, 23.976])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (63, 65), (9, 7)])
def test_a_film_has_every_frame_the_exact_rate_and_even_sides(tmp_path, fps, height, width):
    path = film_of(smooth(5, height, width), tmp_path / "film.mp4", fps)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == exact_rate(fps)
        assert stream.duration * stream.time_base == 5 / exact_rate(fps)
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
    media = probe(path)
    assert (media.kind, media.num_frames) == ("film", 5)
    assert (media.width, media.height) == (width + width % 2, height + height % 2)


def test_an_odd_film_repeats_its_edge(tmp_path):
    frames = np.full((1, 15, 15, 3), 40, np.uint8)
    frames[:, -1:, :], frames[:, :, -1:] = 200, 200
    (frame,) = frames_of(film_of(frames, tmp_path / "film.mp4"))
    assert abs(int(frame[15, 8].mean()) - 200) < 12
    assert abs(int(frame[8, 15].mean()) - 200) < 12


def test_one_frame_makes_a_film(tmp_path):
    media = probe(film_of(smooth(1, 16, 16), tmp_path / "film.mp4"))
    assert (media.num_frames, media.fps) == (1, 8.0)


def test_a_film_is_tagged_and_shown_in_bt709_limited(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (10, 200, 30), (255, 255, 255), (0, 0, 0)]
    frames = np.concatenate([np.full((1, 16, 16, 3), colour, np.uint8) for colour in colours])
    path = film_of(frames, tmp_path / "film.mp4")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        first = next(container.decode(video=0))
        assert (context.color_range, context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1, 1)
        # Red in BT.709 limited is luma 63; BT.601 would be 81, full range 54.
        assert abs(int(np.frombuffer(first.planes[0], np.uint8)[0]) - 63) <= 2
    for shown, colour in zip(frames_of(path), colours, strict=True):
        assert np.abs(shown.astype(int) - colour).max() <= 6


def test_a_film_can_be_played_before_it_is_loaded(tmp_path):
    data = film_of(smooth(3, 16, 16), tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_film_is_close_to_its_frames(tmp_path):
    frames = smooth(8, 64, 64)
    shown = np.stack(list(frames_of(film_of(frames, tmp_path / "film.mp4"))))
    error = np.mean((shown.astype(float) - frames) ** 2)
    assert 10 * np.log10(255**2 / error) > 36


def test_a_film_can_go_to_an_open_file(tmp_path):
    frames, out = smooth(3, 16, 16), io.BytesIO()
    encode_film(iter(frames), out, width=16, height=16, fps=8)
    assert out.getvalue() == film_of(frames, tmp_path / "film.mp4").read_bytes()


def test_a_long_film_never_holds_its_frames(tmp_path):
    alive, most = set(), 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal most
        for index in range(2000):
            frame = np.full((16, 16, 3), index % 256, np.uint8)
            alive.add(index)
            weakref.finalize(frame, alive.discard, index)
            most = max(most, len(alive))
            yield frame

    media = encode_film(frames(), tmp_path / "film.mp4", width=16, height=16, fps=24)
    assert media.num_frames == 2000
    assert most <= 3


def test_a_long_film_is_decoded_frame_by_frame(tmp_path):
    alive, most = set(), 0
    for index, frame in enumerate(frames_of(film_of(smooth(200, 16, 16), tmp_path / "film.mp4"))):
        alive.add(index)
        weakref.finalize(frame, alive.discard, index)
        most = max(most, len(alive))
    assert index == 199
    assert most <= 3


def test_a_film_without_frames_is_refused(tmp_path):
    with pytest.raises(BadInput, match="at least one frame"):
        encode_film(iter(()), tmp_path / "film.mp4", width=16, height=16, fps=8)


def test_probe_knows_the_three_kinds():
    frames = noise(3, 16, 24, 3)
    image, clip = probe(encode_image(frames[0])), probe(encode_clip(frames, 8))
    assert (image.kind, image.width, image.height, image.num_frames, image.fps) == ("image", 24, 16, 1, None)
    assert (clip.kind, clip.width, clip.height, clip.num_frames, clip.fps) == ("clip", 24, 16, 3, 8.0)


def test_what_is_no_media_is_told_in_one_sentence():
    whole = encode_clip(noise(3, 64, 64, 3), 8)
    for data in (b"", b"not a film at all", whole[:60]):
        for read in (decode_clip, probe):
            with pytest.raises(UnreadableMedia, match="again"):
                read(data)
    with pytest.raises(UnreadableMedia):
        decode_image(b"no picture")
    with pytest.raises(UnreadableMedia):
        decode_image(encode_image(noise(32, 32, 3))[:200])


def test_fit_covers_and_cuts_the_centre():
    pixels = np.zeros((10, 40, 3), np.uint8)
    pixels[:, 15:25] = 255
    assert fit(pixels, 10, 10).min() == 255
    assert fit(pixels, 40, 10) is pixels
    assert fit(pixels, 13, 29).shape == (29, 13, 3)


def test_chosen_frames_have_the_first_and_the_last():
    assert evenly(5, 16) == [0, 1, 2, 3, 4]
    assert evenly(100, 3) == [0, 50, 99]
    assert evenly(1, 4) == [0]
