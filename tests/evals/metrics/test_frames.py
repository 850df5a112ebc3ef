"""Files are shown to the metrics as VBench's readers show them, and a bad one is one sentence."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from evals.metrics import frames as screening
from evals.metrics.base import CannotScore, Chunk, Metric, Score, Video
from evals.metrics.frames import Skipped, WrongFrameCount, decode, judge, read_header
from evals.metrics.registry import metric
from evals.networks.weights.loader import NetworkLoader
from models.agent import UInt8Array
from support.vbench import DATA
from tools.errors import BadInput
from tools.media.codecs import encode_film

NOTHING = NetworkLoader(None)
CLIP = DATA / "clips" / "big_pan.mp4"


def pictures(num: int, height: int = 32, width: int = 48) -> list[UInt8Array]:
    return list(np.random.default_rng(0).integers(0, 256, (num, height, width, 3), dtype=np.uint8))


def shown(path: Path) -> UInt8Array:
    return np.concatenate([chunk.frames for chunk in decode(path, read_header(path))])


def test_a_file_is_introduced_before_it_is_decoded() -> None:
    video = read_header(CLIP)
    assert (video.num_frames, video.fps, video.width, video.height) == (9, Fraction(30), 720, 480)
    assert shown(CLIP).shape == (9, 480, 720, 3)


def test_a_tagged_film_is_also_shown_as_opencv_reads_it(tmp_path: Path) -> None:
    encode_film(iter(pictures(3)), tmp_path / "film.mp4", width=48, height=32, fps=8)
    (chunk,) = decode(tmp_path / "film.mp4", read_header(tmp_path / "film.mp4"))
    assert chunk.as_opencv.shape == chunk.frames.shape
    assert np.abs(chunk.as_opencv.astype(int) - chunk.frames).max() > 3
    (plain, _) = decode(CLIP, read_header(CLIP))
    assert plain.as_opencv is plain.frames


def test_animated_pictures_are_read_too(tmp_path: Path) -> None:
    frames = [Image.fromarray(picture).quantize(64) for picture in pictures(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=200)
    assert read_header(tmp_path / "a.gif").fps == 5
    assert np.array_equal(shown(tmp_path / "a.gif")[2], np.asarray(frames[2].convert("RGB")))
    found = judge(tmp_path / "a.gif", [metric("video_length")], NOTHING)["video_length"]
    assert isinstance(found, Score)
    assert found.value == pytest.approx(0.8)


def test_without_a_count_in_the_header_packets_are_counted(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=4, options={"slices": "1"})
        stream.width, stream.height, stream.pix_fmt = 48, 32, "bgr0"
        for picture in pictures(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    assert read_header(tmp_path / "a.mkv").num_frames == 5
    assert np.array_equal(shown(tmp_path / "a.mkv"), np.stack(pictures(5)))


@pytest.mark.parametrize("said", [7, 12])
def test_a_header_that_counts_wrong_starts_the_readings_anew(said: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongFrameCount, match="9"):
        list(decode(CLIP, Video(said, Fraction(30), 720, 480)))
    monkeypatch.setattr(screening, "read_header", lambda _: Video(said, Fraction(30), 720, 480))
    found = judge(CLIP, [metric("video_length"), metric("temporal_flickering")], NOTHING)
    assert found["video_length"] == Score(0.3, details={"num_frames": 9, "fps": "30"})
    assert isinstance(found["temporal_flickering"], Score)
    assert len(found["temporal_flickering"].values) == 8


class Moody:
    """Goes on for one chunk."""

    def __init__(self, _: Video, __: NetworkLoader) -> None:
        self.chunks = 0

    def update(self, _: Chunk) -> None:
        self.chunks += 1
        if self.chunks == 2:
            raise CannotScore("test", "It does not feel like it.")

    def result(self) -> Score:
        raise CannotScore("test", "It never got here.")


def test_a_metric_that_cannot_go_on_leaves_the_others_be(tmp_path: Path) -> None:
    moody = Metric("moody", "Moody", "frames", None, None, "higher", "a test", Moody)
    found = judge(CLIP, [moody, metric("temporal_flickering")], NOTHING)
    assert list(found) == ["moody", "temporal_flickering"]
    assert found["moody"] == Skipped("It does not feel like it.")
    assert isinstance(found["temporal_flickering"], Score)
    encode_film(iter(pictures(2)), tmp_path / "short.mp4", width=48, height=32, fps=8)
    assert judge(tmp_path / "short.mp4", [moody], NOTHING)["moody"] == Skipped("It never got here.")


def bad_files(folder: Path) -> Iterator[Path]:
    whole = CLIP.read_bytes()
    for name, content in {
        "nothing.mp4": b"",
        "text.mp4": b"no video",
        "text.gif": b"no picture",
        "cut.mp4": whole[: len(whole) // 2],
        "altered.mp4": whole[:20000] + bytes(4000) + whole[24000:],
    }.items():
        (folder / name).write_bytes(content)
        yield folder / name
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    yield folder / "dot.png"
    (folder / "folder.mp4").mkdir()
    yield folder / "folder.mp4"
    yield folder / "absent.mp4"


def test_a_bad_file_is_one_sentence(tmp_path: Path) -> None:
    for path in bad_files(tmp_path):
        with pytest.raises(BadInput) as told:
            judge(path, [metric("temporal_flickering")], NOTHING)
        assert str(path) in str(told.value)
        assert str(told.value).count(". ") == 0
