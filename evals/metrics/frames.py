"""Decode a video file once, as VBench's readers do, and pass its frames to all metrics. Knows no particular metric.

decord follows the colour tag of a file and OpenCV ignores it; both convert with FFmpeg's default scaler. So does this
module, instead of the exact arithmetic of `tools.media.codecs`, whose last bits differ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from av.video.reformatter import Colorspace
from PIL import Image, ImageSequence

from evals.metrics.base import CannotScore, Chunk, Frame, Memo, Metric, Reading, Score, Video, chunks
from evals.networks.weights.checkpoints import BadWeights
from evals.networks.weights.loader import NetworkLoader
from evals.networks.weights.network import MissingWeights
from models.agent import UInt8Array
from tools.errors import BadInput
from tools.media.codecs import EXACT, NO_TURN, turn_of
from tools.uploads.pictures import DAMAGE
from tools.uploads.video_reader import check_size, opened, rate_of, turned

PICTURES: Final = (".gif", ".png", ".webp", ".apng")
"""Formats that Pillow decodes, frame by frame."""
DEFAULT_FRAME_MS: Final = 100
"""Duration in milliseconds of a frame of an animated picture that states none."""
AS_OPENCV_READS: Final = (2, 5, 6)
"""FFmpeg's numbers of the matrices that OpenCV converts correctly: unspecified (2), which means BT.601, and BT.601."""

OnScore = Callable[[str, Score], None]
"""Receives a metric's name and its score."""


@dataclass(frozen=True)
class Conditioning:
    """What is known of a video besides its file; the fields are those of `Video`."""

    prompt: str | None = None
    style: str | None = None
    image: UInt8Array | None = None
    before: UInt8Array | None = None
    after: UInt8Array | None = None


NO_CONDITIONING: Final = Conditioning()


@dataclass(frozen=True)
class Skipped:
    """The reason why a metric has no score of a video, one sentence."""

    why: str


class WrongFrameCount(Exception):
    """A file does not have the number of frames that its header says. num_frames: the actual number."""

    def __init__(self, num_frames: int) -> None:
        super().__init__(num_frames)
        self.num_frames = num_frames


def read_header(path: Path) -> Video:
    """Read size, frame rate and number of frames from a file without decoding it. Raises BadInput."""
    if not path.is_file():
        raise BadInput("input-missing", f"{path} is not a file; give the path of a video.", path=str(path))
    if path.stat().st_size == 0:
        raise BadInput("input-empty", f"{path} is empty; get a whole copy of it.", path=str(path))
    if path.suffix.lower() in PICTURES:
        return _picture_header(path)
    with opened(path) as (container, stream):
        context = stream.codec_context
        check_size(context.width, context.height, path)
        num_frames = stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
        return Video(num_frames, rate_of(stream), context.width, context.height)


def decode(path: Path, video: Video) -> Iterator[Chunk]:
    """Decode every frame of the file, but not more than `video.num_frames`.

    Raises BadInput, and WrongFrameCount at the end if there were more or fewer.
    """
    num_frames = 0
    for chunk in chunks(_pictures(path) if path.suffix.lower() in PICTURES else _frames(path)):
        num_frames += len(chunk.frames)
        if num_frames <= video.num_frames:
            yield chunk
    if num_frames == 0:
        raise BadInput(
            "input-damaged", f"{path} has no picture that can be decoded; get a whole copy of it.", path=str(path)
        )
    if num_frames != video.num_frames:
        raise WrongFrameCount(num_frames)


def judge(
    path: Path,
    metrics: Sequence[Metric],
    loader: NetworkLoader,
    conditioning: Conditioning = NO_CONDITIONING,
    on_score: OnScore | None = None,
) -> dict[str, Score | Skipped]:
    """Score a video with all metrics in one decode and return the scores by name. Memory is independent of its length.

    on_score: receives each score as soon as it is known. If the header's number of frames is wrong, the video is
    decoded a second time; no score was passed on before. Raises BadInput if the file is damaged or not a video.
    """
    video = replace(read_header(path), **vars(conditioning))
    try:
        return read_all(metrics, video, decode(path, video), loader, on_score)
    except WrongFrameCount as counted:
        again = replace(video, num_frames=counted.num_frames, memo=Memo())
        return read_all(metrics, again, decode(path, again), loader, on_score)


def read_all(
    metrics: Sequence[Metric],
    video: Video,
    decoded_chunks: Iterator[Chunk],
    loader: NetworkLoader,
    on_score: OnScore | None = None,
) -> dict[str, Score | Skipped]:
    """Pass every chunk to every metric; a metric that fails is skipped, the others continue."""
    found: dict[str, Score | Skipped] = {}
    readings: dict[str, Reading] = {}
    for metric in metrics:
        reading = _begin(metric, video, loader)
        if isinstance(reading, Skipped):
            found[metric.name] = reading
        else:
            readings[metric.name] = reading
    for chunk in decoded_chunks:
        for name, reading in tuple(readings.items()):
            try:
                reading.update(chunk)
            except CannotScore as why:
                found[name] = Skipped(str(why))
                del readings[name]
    for name, reading in readings.items():
        try:
            found[name] = score = reading.result()
        except CannotScore as why:
            found[name] = Skipped(str(why))
        else:
            if on_score is not None:
                on_score(name, score)
    return {metric.name: found[metric.name] for metric in metrics}


def _begin(metric: Metric, video: Video, loader: NetworkLoader) -> Reading | Skipped:
    if (lacks := metric.lacks(video) or loader.lacks(metric)) is not None:
        return Skipped(lacks)
    try:
        return metric.begin(video, loader)
    except (CannotScore, MissingWeights, BadWeights) as why:
        return Skipped(str(why))


def _frames(path: Path) -> Iterator[Frame]:
    with opened(path) as (container, stream):
        for packet in container.demux(stream):
            for frame in stream.decode(packet):
                if frame.is_corrupt or packet.is_corrupt:
                    raise BadInput(
                        "input-damaged", f"{path} is damaged or cut off; get a whole copy of it.", path=str(path)
                    )
                yield _rgb(frame)


def _rgb(frame: Any) -> Frame:
    turn = turn_of(frame)
    tagged: UInt8Array = frame.to_ndarray(format="rgb24")
    if turn != NO_TURN:
        tagged = turned(tagged, turn)
    if frame.format.is_rgb:
        return tagged, None

    def exactly() -> UInt8Array:
        pixels: UInt8Array = frame.reformat(format="rgb24", interpolation=EXACT).to_ndarray()
        return pixels if turn == NO_TURN else turned(pixels, turn)

    if frame.colorspace in AS_OPENCV_READS:
        return tagged, None, exactly
    by_601: UInt8Array = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU601).to_ndarray()
    return tagged, by_601 if turn == NO_TURN else turned(by_601, turn), exactly


def _picture_header(path: Path) -> Video:
    try:
        with Image.open(path) as image:
            check_size(*image.size, path)
            hold = image.info.get("duration", 0) or DEFAULT_FRAME_MS
            return Video(getattr(image, "n_frames", 1), Fraction(1000) / Fraction(hold), *image.size)
    except DAMAGE as error:
        raise BadInput(
            "input-damaged", f"{path} is damaged, cut off or not a picture; get a whole copy of it.", path=str(path)
        ) from error


def _pictures(path: Path) -> Iterator[Frame]:
    try:
        with Image.open(path) as image:
            for picture in ImageSequence.Iterator(image):
                yield np.asarray(picture.convert("RGB")), None
    except DAMAGE as error:
        raise BadInput(
            "input-damaged", f"{path} is damaged, cut off or not a picture; get a whole copy of it.", path=str(path)
        ) from error
