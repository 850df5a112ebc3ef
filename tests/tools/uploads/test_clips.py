import hashlib
import os
import re
import weakref
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from memory.products.recipes import artifact_id
from tools.errors import BadInput
from tools.media.codecs import decode_clip
from tools.uploads import video_reader as footage
from tools.uploads.clips import LONGEST_SECONDS, TakenClip, clip_id, store_clip, take_clip
from tools.uploads.footage import End, Wanted
from tools.uploads.pictures import LARGEST_SIDE
from tools.uploads.video_reader import read_footage

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
SIZE = (32, 32)
QUIET = {"x265-params": "log-level=none"}
CODECS = [
    ("libx264", "yuv420p", "mp4"),
    ("libx264", "yuv444p", "mkv"),
    ("libx264", "yuv420p", "avi"),
    ("libx264", "yuv420p", "ts"),
    ("libx264", "yuv420p", "flv"),
    ("libx264", "yuv420p", "h264"),
    ("libx265", "yuv420p", "mov"),
    ("libx265", "yuv420p10le", "mp4"),
    ("libvpx-vp9", "yuv420p", "webm"),
    ("libsvtav1", "yuv420p10le", "mkv"),
    ("prores_ks", "yuv422p10le", "mov"),
    ("mpeg4", "yuv420p", "avi"),
    ("mpeg2video", "yuv420p", "mpg"),
    ("ffv1", "bgr0", "mkv"),
]


def encodes(codec: str) -> bool:
    try:
        av.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


@dataclass(frozen=True)
class Made:
    """How a test's video is written."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    rate: Fraction = Fraction(10)
    times: list[Fraction] | None = None
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    turn: dict[str, object] | None = None
    aspect: Fraction | None = None
    colour: tuple[int, int, int] | None = None
    sounds: int = 0


def video(path: Path, frames: list[np.ndarray], made: Made | None = None) -> Path:
    """Writes frames, uint8 (H, W, 3 or 4); `times` are seconds, else the rate's."""
    made = made or Made()
    if not encodes(made.codec):
        pytest.skip(f"this PyAV has no encoder {made.codec}")
    with av.open(str(path), "w", container_options=made.container) as container:
        options = {**(QUIET if made.codec == "libx265" else {}), **made.options}
        stream = container.add_stream(made.codec, rate=made.rate, options=options)
        stream.height, stream.width, stream.pix_fmt = frames[0].shape[0], frames[0].shape[1], made.pix_fmt
        if made.turn is not None:
            stream.set_display_rotation(**made.turn)
        if made.aspect is not None:
            stream.codec_context.sample_aspect_ratio = made.aspect
        if made.colour is not None:
            context = stream.codec_context
            context.color_range, (context.color_primaries, context.color_trc, context.colorspace) = 1, made.colour
        tracks = [container.add_stream("aac", rate=44100) for _ in range(made.sounds)]
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24" if pixels.shape[2] == 3 else "rgba")
            frame = frame.reformat(format=made.pix_fmt)
            frame.time_base = Fraction(1, 1000) if made.times else 1 / made.rate
            frame.pts = int(made.times[index] * 1000) if made.times else index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for track in tracks:
            silence(container, track, len(frames) / made.rate)
    return path


def silence(container: av.container.OutputContainer, track: av.AudioStream, seconds: Fraction) -> None:
    for index in range(int(seconds * 44100 / 1024)):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.pts, frame.time_base = 44100, index * 1024, Fraction(1, 44100)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(track.encode(frame))
    container.mux(track.encode())


def flat(colour: tuple[int, ...], width: int = 32, height: int = 32) -> np.ndarray:
    return np.full((height, width, len(colour)), colour, np.uint8)


def greys(count: int, width: int = 32, height: int = 32) -> list[np.ndarray]:
    """Frame k has the grey level 5 k + 20, as far as there are levels: which one is shown can be read off."""
    return [flat((20 + 5 * index % 200,) * 3, width, height) for index in range(count)]


def levels(taken: TakenClip) -> list[int]:
    """Which of `greys` each frame is."""
    return [round((float(frame.mean()) - 20) / 5) for frame in taken.frames]


def close(pixels: np.ndarray, colour: tuple[int, int, int], within: int = 12) -> bool:
    return bool(np.abs(pixels.astype(int) - colour).max() <= within)


def cornered(width: int = 64, height: int = 32) -> np.ndarray:
    """Red above left, green above right, blue below left, white below right."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, WHITE
    return pixels


def corners(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    inset = 4
    return (
        pixels[inset, inset],
        pixels[inset, -inset - 1],
        pixels[-inset - 1, inset],
        pixels[-inset - 1, -inset - 1],
    )


def noted(taken: TakenClip, words: str) -> str:
    """The one note that has `words`."""
    (note,) = [note for note in taken.notes if words in note]
    assert re.fullmatch(r"[A-Z][^\n]*\.", note)
    return note


def refusal(path: Path, **asked: str) -> str:
    with pytest.raises(BadInput) as caught:
        take_clip(path, SIZE, **asked)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def num_decoded(path: Path, end: End = "last") -> int:
    return read_footage(path, Wanted(end, LONGEST_SECONDS, SIZE, lambda pixels: pixels)).num_decoded


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), CODECS)
def test_every_frame_of_every_codec_is_taken_in_order(tmp_path, codec, pix_fmt, suffix):
    path = video(tmp_path / f"clip.{suffix}", greys(25), Made(codec, pix_fmt, rate=Fraction(25)))
    taken = take_clip(path, SIZE)
    assert taken.frames.shape == (25, 32, 32, 3)
    assert taken.fps == 25.0
    assert levels(taken) == list(range(25))
    assert taken.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert taken.notes == ((noted(taken, "10 to 8 bits"),) if "10" in pix_fmt else ())


def test_a_lossless_clip_of_the_right_size_is_taken_bit_for_bit(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    taken = take_clip(video(tmp_path / "clip.mkv", list(noise), Made("ffv1", "bgr0")), SIZE)
    assert np.array_equal(taken.frames, noise)


@pytest.mark.parametrize("end", ["first", "last"])
def test_the_same_file_gives_the_same_frames(tmp_path, end):
    noise = np.random.default_rng(0).integers(0, 256, (6, 47, 61, 3), dtype=np.uint8)
    path = video(tmp_path / "clip.mkv", list(noise), Made(pix_fmt="yuv444p"))
    first, again = take_clip(path, SIZE, end=end), take_clip(path, SIZE, end=end)
    assert np.array_equal(first.frames, again.frames)
    assert clip_id(first) == clip_id(again)


def test_colours_are_read_by_the_matrix_that_made_them(tmp_path):
    colours = [RED, GREEN, BLUE, WHITE, BLACK, (10, 200, 30)]
    taken = take_clip(video(tmp_path / "clip.mp4", [flat(c) for c in colours], Made(options={"crf": "1"})), SIZE)
    assert all(close(frame, colour) for frame, colour in zip(taken.frames, colours, strict=True))


def test_a_large_video_that_does_not_say_its_matrix_is_read_as_bt709(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 720, 720, "yuv444p"
        frame = av.VideoFrame(720, 720, "yuv444p")
        # Red in BT.709; read as BT.601 it would be (233, 0, 2).
        for plane, value in zip(frame.planes, (63, 102, 240), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert close(take_clip(path, SIZE).frames[0], RED, within=2)


def test_an_animated_picture_is_taken_at_its_pace_with_its_last_pause(tmp_path):
    frames = [Image.fromarray(pixels) for pixels in greys(5)]
    for suffix in ("gif", "webp", "png"):
        path = tmp_path / f"clip.{suffix}"
        options = {"lossless": True} if suffix == "webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=[200, 200, 200, 200, 600], **options)
        taken = take_clip(path, SIZE)
        assert taken.fps == 5.0
        assert levels(taken) == [0, 1, 2, 3, 4, 4, 4]
        assert noted(taken, "uneven times")


def test_an_animated_picture_that_asks_for_no_pause_is_shown_as_browsers_do(tmp_path):
    frames = [Image.fromarray(pixels) for pixels in greys(3)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:], duration=0)
    taken = take_clip(tmp_path / "clip.gif", SIZE)
    assert (taken.fps, len(taken.frames)) == (10.0, 3)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animated_picture_is_laid_over_white(tmp_path, suffix):
    frames = [Image.new("RGBA", (32, 32), RED), Image.new("RGBA", (32, 32), RED)]
    for index, image in enumerate(frames):
        image.paste((0, 0, 0, 0), (12 - 4 * index, 12, 20, 20))
    options = {"lossless": True} if suffix == "webp" else {"disposal": 2}
    frames[0].save(tmp_path / f"clip.{suffix}", save_all=True, append_images=frames[1:], duration=100, **options)
    taken = take_clip(tmp_path / f"clip.{suffix}", SIZE)
    assert close(taken.frames[0][16, 16], WHITE) and close(taken.frames[0][28, 16], RED)
    assert noted(taken, "over white")


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [
        ("qtrle", "argb", "mov"),
        ("prores_ks", "yuva444p10le", "mov"),
        ("ffv1", "bgra", "mkv"),
        ("libvpx-vp9", "yuva420p", "webm"),
    ],
)
def test_the_transparency_of_a_video_is_laid_over_white(tmp_path, codec, pix_fmt, suffix):
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (*RED, 255)
    taken = take_clip(video(tmp_path / f"clip.{suffix}", [pixels] * 3, Made(codec, pix_fmt)), SIZE)
    assert close(taken.frames[0][16, 4], RED, within=20)
    assert close(taken.frames[0][16, 28], WHITE)
    assert noted(taken, "over white")


def test_an_alpha_channel_that_hides_nothing_is_not_worth_a_note(tmp_path):
    path = video(tmp_path / "clip.mov", [flat((*RED, 255))] * 2, Made("qtrle", "argb"))
    assert take_clip(path, SIZE).notes == ()


# Red above left, green above right, blue below left, white below right: where they are after the turn.
TURNS = [
    ({"degrees": 90}, (GREEN, WHITE, RED, BLUE)),
    ({"degrees": -90}, (BLUE, RED, WHITE, GREEN)),
    ({"degrees": 180}, (WHITE, BLUE, GREEN, RED)),
    ({"degrees": 0, "hflip": True}, (GREEN, RED, WHITE, BLUE)),
    ({"degrees": 0, "vflip": True}, (BLUE, WHITE, RED, GREEN)),
]


@pytest.mark.parametrize(("turn", "seen"), TURNS)
def test_a_turned_video_is_turned_upright_and_told(tmp_path, turn, seen):
    made = Made(options={"crf": "1"}, turn=turn)
    path = video(tmp_path / "clip.mp4", [cornered()] * 3, made)
    size = (32, 64) if abs(turn["degrees"]) == 90 else (64, 32)
    taken = take_clip(path, size)
    assert taken.frames.shape == (3, size[1], size[0], 3)
    assert all(close(pixel, colour, within=40) for pixel, colour in zip(corners(taken.frames[1]), seen, strict=True))
    assert taken.notes == (noted(taken, "upright"),)


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    frames = [cornered(32, 32)] * 2
    wide = take_clip(video(tmp_path / "wide.mp4", frames, Made(aspect=Fraction(2))), (64, 32))
    assert close(wide.frames[0][8, 20], RED, within=60) and close(wide.frames[0][8, 44], GREEN, within=60)
    assert wide.notes == (noted(wide, "from 32x32 to 64x32"),)
    tall = take_clip(video(tmp_path / "tall.mkv", frames, Made(aspect=Fraction(1, 2))), (32, 64))
    assert tall.notes == (noted(tall, "from 32x32 to 32x64"),)


def test_frames_at_uneven_times_are_shown_when_they_are_due(tmp_path):
    times = [Fraction(t, 10) for t in (0, 1, 2, 6, 7, 9)]
    made = Made(times=times, rate=Fraction(1000), options={"bf": "0"})
    taken = take_clip(video(tmp_path / "clip.mp4", greys(6), made), SIZE)
    # Six frames in 0.9 seconds and a bit: the average rate is a little under 7.
    assert 6 < taken.fps < 7
    due = [max(k for k, t in enumerate(times) if t * taken.fps <= slot + 0.2) for slot in range(len(taken.frames))]
    assert levels(taken) == due
    assert len(set(due)) < 6 or due.count(2) > 1
    assert f"{taken.fps:.4g}" in noted(taken, "uneven times")


@pytest.mark.parametrize(("rate", "fps"), [(Fraction(240), 60.0), (Fraction(1, 4), 1.0)])
def test_rates_are_brought_into_bounds_and_told(tmp_path, rate, fps):
    taken = take_clip(video(tmp_path / "clip.mp4", greys(4), Made(rate=rate)), SIZE)
    assert taken.fps == fps
    assert len(taken.frames) == max(1, round(4 / rate * Fraction(fps)))
    if rate < 1:
        assert levels(taken) == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
        assert noted(taken, "0.25 frames a second")


def test_a_rate_that_nobody_filmed_is_not_believed(tmp_path):
    made = Made(times=[Fraction(t * t, 100) for t in range(21)], rate=Fraction(1000), options={"bf": "0"})
    taken = take_clip(video(tmp_path / "clip.mkv", greys(21), made), SIZE)
    assert taken.fps == pytest.approx(20 / 4, rel=0.01)  # the first two are closer than 1/60 s
    assert noted(taken, "uneven times")
    assert (levels(taken)[0], levels(taken)[-1]) == (0, 20)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_an_even_rate_is_kept_whatever_the_clock_of_the_file(tmp_path, rate, suffix):
    made = Made("libvpx-vp9" if suffix == "webm" else "libx264", rate=rate)
    taken = take_clip(video(tmp_path / f"clip.{suffix}", greys(31), made), SIZE)
    assert taken.fps == float(rate)
    assert levels(taken) == list(range(31))
    assert taken.notes == ()


@pytest.mark.parametrize(("sounds", "words"), [(1, "sound was dropped"), (2, "2 sound tracks were dropped")])
def test_sound_is_dropped_with_a_word(tmp_path, sounds, words):
    taken = take_clip(video(tmp_path / "clip.mp4", greys(10), Made(sounds=sounds)), SIZE)
    assert levels(taken) == list(range(10))
    assert taken.notes == (noted(taken, words),)


@pytest.mark.parametrize("curve", [("PQ", 16), ("HLG", 18)])
def test_hdr_is_mapped_to_the_standard_range(tmp_path, curve):
    name, number = curve
    ramp = [flat((level,) * 3) for level in (0, 64, 128, 192, 255)]
    made = Made("libx265", "yuv420p10le", colour=(9, number, 9))
    taken = take_clip(video(tmp_path / "clip.mkv", ramp, made), SIZE)
    shown = [float(frame.mean()) for frame in taken.frames]
    assert all(darker + 5 < brighter for darker, brighter in pairwise(shown[:4]))
    assert shown[0] < 3
    # Diffuse white is 58 % of PQ's codes and 75 % of HLG's: it is bright in the standard range, and not clipped.
    assert 170 < np.interp(148 if name == "PQ" else 191, [0, 64, 128, 192, 255], shown) < 230
    assert shown[4] > 250
    assert all(np.ptp(frame.reshape(-1, 3).mean(axis=0)) < 3 for frame in taken.frames)
    assert noted(taken, f"HDR colours ({name})")
    assert not any("bits" in note for note in taken.notes)


def test_one_frame_is_a_clip_and_told(tmp_path):
    taken = take_clip(video(tmp_path / "clip.mp4", greys(1)), SIZE)
    assert levels(taken) == [0]
    assert taken.notes == (noted(taken, "one frame"),)


def test_crop_cuts_the_centre_out_and_pad_shows_all_on_black(tmp_path):
    path = video(tmp_path / "clip.mkv", [cornered(64, 32)] * 2, Made("ffv1", "bgr0"))
    cropped, padded = take_clip(path, (32, 32)), take_clip(path, (32, 32), fit="pad")
    assert cropped.frames.shape == padded.frames.shape == (2, 32, 32, 3)
    assert close(cropped.frames[0][2, 2], RED) and close(cropped.frames[0][29, 29], WHITE)
    note = noted(cropped, "cut from its width")
    assert "64x32" in note and "32x32" in note and "and 32 pixels were cut from its width." in note
    assert (padded.frames[0][[0, 7, 24, 31]] == 0).all()
    assert close(padded.frames[0][10, 2], RED) and close(padded.frames[0][21, 29], WHITE)
    assert "and 32 pixels of black were added to its height." in noted(padded, "64x32 to fit 32x32")
    assert clip_id(cropped) != clip_id(padded)


def test_odd_and_extreme_sizes_are_fitted(tmp_path):
    for width, height in ((33, 47), (8, 8), (1200, 8), (9, 640)):
        path = video(tmp_path / f"{width}.mkv", [flat(RED, width, height)] * 2, Made("ffv1", "bgr0"))
        for fit in ("crop", "pad"):
            taken = take_clip(path, SIZE, fit=fit)
            assert taken.frames.shape == (2, 32, 32, 3)
            assert (taken.frames == RED).all(axis=-1).any(axis=(1, 2)).all()


@pytest.fixture(scope="session")
def ten_minutes(tmp_path_factory) -> Path:
    """Two frames a second for ten minutes, a key frame every ten seconds; the grey level says the minute."""
    frames = [flat((20 + 18 * (index // 120),) * 3, 16, 16) for index in range(1200)]
    made = Made(rate=Fraction(2), options={"g": "20", "preset": "ultrafast"}, container={"movflags": "+faststart"})
    return video(tmp_path_factory.mktemp("long") / "long.mp4", frames, made)


def test_of_ten_minutes_only_the_end_that_is_needed_is_decoded(ten_minutes):
    last, first = take_clip(ten_minutes, SIZE), take_clip(ten_minutes, SIZE, end="first")
    assert len(last.frames) == len(first.frames) == 40
    assert close(last.frames[0], (182,) * 3, 4) and close(last.frames[-1], (182,) * 3, 4)
    assert close(first.frames[-1], (20,) * 3, 4)
    assert "its last 20" in noted(last, "longer than 20 seconds")
    assert "its first 20" in noted(first, "longer than 20 seconds")
    # 20 seconds, 5 before them, and up to 10 to the key frame.
    assert num_decoded(ten_minutes) <= 2 * (20 + 5 + 10) + 2
    assert num_decoded(ten_minutes, "first") <= 2 * 20 + 1
    assert clip_id(last) != clip_id(first)


def test_the_last_frame_of_a_long_file_is_the_last_of_its_clip(tmp_path):
    frames = [*greys(1) * 299, flat(WHITE)]
    for suffix in ("mp4", "mkv", "ts", "avi", "h264"):
        path = video(tmp_path / f"clip.{suffix}", frames, Made(options={"g": "10"}))
        taken = take_clip(path, SIZE)
        assert len(taken.frames) == 200
        assert close(taken.frames[-1], WHITE) and close(taken.frames[-2], (20,) * 3)


def test_ten_minutes_that_are_cut_off_give_the_last_seconds_that_are_there(tmp_path, ten_minutes):
    data = ten_minutes.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2])
    taken = take_clip(cut, SIZE)
    assert len(taken.frames) in (39, 40)
    # About minute 5; at the latest what the second half of the file would have begun with.
    assert 80 < taken.frames[-1].mean() < 125
    assert noted(taken, "damaged or cut off")
    assert num_decoded(cut) <= 2 * (20 + 5 + 10) + 2


def test_a_long_animated_picture_gives_its_first_or_last_seconds(tmp_path):
    frames = [Image.fromarray(pixels) for pixels in greys(30)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:], duration=1000)
    last, first = take_clip(tmp_path / "clip.gif", SIZE), take_clip(tmp_path / "clip.gif", SIZE, end="first")
    assert (levels(last), levels(first)) == (list(range(10, 30)), list(range(20)))
    assert noted(last, "its last 20") and noted(first, "its first 20")


def test_a_long_file_never_holds_more_than_the_part_that_is_wanted(tmp_path):
    path = video(tmp_path / "clip.h264", greys(600, 16, 16), Made(rate=Fraction(10)))
    alive, most = set(), 0

    def fitted(pixels: np.ndarray) -> np.ndarray:
        nonlocal most
        small = pixels[:1, :1].copy()
        alive.add(id(small))
        weakref.finalize(small, alive.discard, id(small))
        most = max(most, len(alive))
        return small

    part = read_footage(path, Wanted("last", LONGEST_SECONDS, SIZE, fitted))
    assert part.num_decoded == 600
    assert 200 <= most <= 203


def test_a_file_that_cannot_be_entered_in_the_middle_is_bounded(tmp_path, monkeypatch):
    path = video(tmp_path / "clip.h264", greys(300, 16, 16))
    assert num_decoded(path) == 300
    monkeypatch.setattr(footage, "MOST_DECODED", 299)
    assert "more than 299 frames" in refusal(path)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libx264", "mp4"), ("libx264", "mkv"), ("libx264", "ts"), ("mpeg4", "avi")]
)
def test_a_cut_file_gives_what_decodes_or_a_sentence(tmp_path, codec, suffix):
    frames = list(np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8))
    container = {"movflags": "+faststart"} if suffix == "mp4" else {}
    made = Made(codec, rate=Fraction(2), container=container, options={"g": "5"})
    whole = video(tmp_path / f"whole.{suffix}", frames, made).read_bytes()
    counts = []
    for share in (0.3, 0.6, 0.9):
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(whole[: int(len(whole) * share)])
        try:
            taken = take_clip(cut, SIZE)
        except BadInput as error:
            assert "whole" in str(error)
            continue
        counts.append(len(taken.frames))
        assert suffix == "ts" or noted(taken, "damaged or cut off")
    assert len(counts) >= 2
    assert counts == sorted(set(counts)) and counts[-1] < 40


def test_a_file_whose_index_is_cut_off_is_told(tmp_path):
    whole = video(tmp_path / "whole.mp4", greys(20)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    assert "get a whole copy" in refusal(tmp_path / "cut.mp4")


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [*CODECS[:4], CODECS[8], CODECS[9], ("gif", "rgb8", "gif"), ("apng", "rgb24", "apng")],
)
def test_a_damaged_file_gives_a_clip_or_a_sentence(tmp_path, codec, pix_fmt, suffix):
    whole = video(tmp_path / f"clip.{suffix}", greys(6), Made(codec, pix_fmt)).read_bytes()
    random = np.random.default_rng(1)
    for _ in range(15):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 4):
            data[place] = random.integers(0, 256)
        (tmp_path / "bad").write_bytes(bytes(data))
        try:
            assert take_clip(tmp_path / "bad", SIZE).frames.shape[1:] == (32, 32, 3)
        except BadInput as error:
            assert re.fullmatch(r"[^\n]+\.", str(error))


def test_what_is_no_file_is_told(tmp_path):
    assert "no file" in refusal(tmp_path / "missing.mp4")
    assert "folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe")
    (tmp_path / "empty.mp4").touch()
    assert "empty" in refusal(tmp_path / "empty.mp4")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    path = video(tmp_path / "clip.mp4", greys(2))
    path.chmod(0)
    assert "may not be read" in refusal(path)


def test_what_is_no_video_is_told(tmp_path):
    texts = {
        "a.mp4": "hello\n" * 100,
        "b.txt": "a text\n" * 100,
        "c.srt": "1\n00:00:01,000 --> 00:00:02,000\nhi\n\n" * 10,
    }
    for name, text in texts.items():
        for encoding in ("utf-8", "utf-16"):
            (tmp_path / name).write_text(text, encoding=encoding)
            assert "is a text, not a video; give an MP4" in refusal(tmp_path / name)
    (tmp_path / "a.mp4").write_bytes(bytes(range(256)) * 9)
    assert "damaged, cut off or not a video" in refusal(tmp_path / "a.mp4")


def test_a_list_of_other_files_is_no_video_and_opens_none_of_them(tmp_path):
    secret = video(tmp_path / "secret.ts", greys(5))
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile secret.ts\n")
    for name in ("list.m3u8", "list.ffconcat"):
        assert "not a video" in refusal(tmp_path / name)


def test_a_name_is_a_file_and_never_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video(tmp_path / "clip.mp4", greys(3)).rename(tmp_path / "concat:clip.mp4")
    assert levels(take_clip(Path("concat:clip.mp4"), SIZE)) == [0, 1, 2]


def test_a_still_picture_is_sent_to_image(tmp_path):
    for suffix in ("png", "jpg", "webp", "gif", "tiff", "bmp"):
        Image.new("RGB", (16, 16), "red").save(tmp_path / f"fox.{suffix}")
        assert "give it as a picture" in refusal(tmp_path / f"fox.{suffix}")


def test_sound_alone_is_told(tmp_path):
    for name in ("song.mp4", "song.wav"):
        with av.open(str(tmp_path / name), "w") as container:
            track = container.add_stream("aac" if name.endswith("mp4") else "pcm_s16le", rate=44100, layout="mono")
            if name.endswith("mp4"):
                silence(container, track, Fraction(1))
            else:
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.int16), format="s16", layout="mono")
                frame.sample_rate = 44100
                container.mux(track.encode(frame))
        assert "no picture track" in refusal(tmp_path / name)


def test_a_codec_that_nobody_knows_is_told(tmp_path):
    path = video(tmp_path / "clip.mp4", greys(3))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    assert "convert it to MP4" in refusal(path)


def test_sizes_are_checked_before_frames_are_decoded(tmp_path):
    small = video(tmp_path / "small.mkv", [flat(RED, 6, 32)] * 2, Made("ffv1", "bgr0"))
    assert "at least 8x8" in refusal(small)
    stretched = video(tmp_path / "wide.mp4", greys(2, 200, 128), Made(aspect=Fraction(100)))
    assert "is 20000x128 pixels" in refusal(stretched)
    assert str(LARGEST_SIDE) in refusal(claims(tmp_path, 20000, 16))
    assert "40,000,000" in refusal(claims(tmp_path, 16000, 16000))


def test_a_size_that_changes_on_the_way_is_fitted_or_not_decoded(tmp_path, monkeypatch):
    small = video(tmp_path / "small.h264", greys(4)).read_bytes()
    large = video(tmp_path / "large.h264", [flat(RED, 96, 64)] * 4).read_bytes()
    path = tmp_path / "both.h264"
    path.write_bytes(small + large)
    taken = take_clip(path, SIZE)
    assert taken.frames.shape == (8, 32, 32, 3)
    assert close(taken.frames[2], (30,) * 3) and close(taken.frames[6], RED)
    monkeypatch.setattr(footage, "LARGEST_AREA", 3000)
    bounded = take_clip(path, SIZE)
    assert levels(bounded) == [0, 1, 2, 3]
    assert noted(bounded, "damaged or cut off")


def test_a_display_matrix_of_zeros_turns_nothing(tmp_path):
    path = video(tmp_path / "clip.mp4", [cornered()] * 2, Made(options={"crf": "1"}, turn={"degrees": 90}))
    matrix = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4").tobytes()
    told = path.read_bytes()
    turned = told.index(np.array([1 << 30], ">i4").tobytes(), told.index(b"tkhd")) + 4 - len(matrix)
    path.write_bytes(told[:turned] + bytes(len(matrix) - 4) + told[turned + len(matrix) - 4 :])
    taken = take_clip(path, (64, 32))
    assert all(
        close(pixel, colour, 40)
        for pixel, colour in zip(corners(taken.frames[0]), (RED, GREEN, BLUE, WHITE), strict=True)
    )
    assert taken.notes == ()


def claims(folder: Path, width: int, height: int) -> Path:
    """A Matroska file that claims a size (two bytes a side) which its frames have not."""
    whole = video(folder / "claims.mkv", [flat(RED, 400, 300)] * 2, Made("ffv1", "bgr0")).read_bytes()
    claimed = b"\xb0\x82" + width.to_bytes(2, "big") + b"\xba\x82" + height.to_bytes(2, "big")
    told = b"\xb0\x82" + (400).to_bytes(2, "big") + b"\xba\x82" + (300).to_bytes(2, "big")
    assert told in whole
    (folder / "claims.mkv").write_bytes(whole.replace(told, claimed))
    return folder / "claims.mkv"


def test_a_clip_is_stored_once_and_without_loss(context, tmp_path):
    path = video(tmp_path / "clip.mp4", greys(5), Made(rate=Fraction(30000, 1001)))
    taken = take_clip(path, context.size)
    first, again = store_clip(context, taken), store_clip(context, taken)
    assert (first.called, again.called) == (True, False)
    assert first.artifact == again.artifact
    assert first.artifact.id == clip_id(taken) == artifact_id("clip", first.artifact.recipe)
    media = first.artifact.media
    assert (media.kind, media.media_type, media.num_frames) == ("clip", "video/x-matroska", 5)
    assert (media.width, media.height) == context.size
    assert first.artifact.recipe.agent == "upload"
    assert first.artifact.recipe.spec["source"] == hashlib.sha256(path.read_bytes()).hexdigest()
    clip = decode_clip(context.archive.read(first.artifact))
    assert np.array_equal(clip.frames, taken.frames)
    assert clip.fps == taken.fps == 30000 / 1001
