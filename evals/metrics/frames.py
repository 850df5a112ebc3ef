"""A video file -> its frames as VBench's readers give them, shown once to every metric. Knows no single metric.

decord follows the colour tag of a file and OpenCV ignores it; both convert with FFmpeg's scaler as it comes. That is
done here too, and not media.py's exact arithmetic, whose last bits differ.
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
"""What Pillow reads, one frame after another."""
USUAL_HOLD: Final = 100
"""Milliseconds that a frame of an animated picture stays when it does not say."""
AS_OPENCV_READS: Final = (2, 5, 6)
"""FFmpeg's numbers of the matrices with which OpenCV reads right: none said (2), which means BT.601, and BT.601."""

Hear = Callable[[str, Score], None]
"""Hears a metric's name and what it says."""


@dataclass(frozen=True)
class Told:
    """What is known of a video beside its file, as `Video` has it."""

    prompt: str | None = None
    style: str | None = None
    image: UInt8Array | None = None
    before: UInt8Array | None = None
    after: UInt8Array | None = None


NOTHING_TOLD: Final = Told()


@dataclass(frozen=True)
class LeftOut:
    """A metric that has no score for a video, and the sentence that says why."""

    why: str


class Miscounted(Exception):
    """A file has another number of frames than its header says."""

    def __init__(self, num_frames: int) -> None:
        super().__init__(num_frames)
        self.num_frames = num_frames


def introduce(path: Path) -> Video:
    """What a file says of its video; nothing is decoded. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path} is no file; give the path of a video.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty; get a whole copy of it.")
    if path.suffix.lower() in PICTURES:
        return _introduced_pictures(path)
    with opened(path) as (container, stream):
        context = stream.codec_context
        check_size(context.width, context.height, path)
        num_frames = stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
        return Video(num_frames, rate_of(stream), context.width, context.height)


def show(path: Path, video: Video) -> Iterator[Chunk]:
    """Every frame of the file, none beyond those that were announced.

    Raises BadInput, and Miscounted at the end when there were more or fewer.
    """
    shown = 0
    for chunk in chunks(_pictures(path) if path.suffix.lower() in PICTURES else _frames(path)):
        shown += len(chunk.frames)
        if shown <= video.num_frames:
            yield chunk
    if shown == 0:
        raise BadInput(f"{path} has no picture that can be decoded; get a whole copy of it.")
    if shown != video.num_frames:
        raise Miscounted(shown)


def judge(
    path: Path, metrics: Sequence[Metric], loader: NetworkLoader, told: Told = NOTHING_TOLD, hear: Hear | None = None
) -> dict[str, Score | LeftOut]:
    """What each metric says of a video, by name: one decode serves all, and memory does not grow with its length.

    hear: is told each score the moment it is known. Where a header counts wrong, nothing was told by then.
    Where a header counts wrong, the frames are shown once more. Raises BadInput when the file is no whole video.
    """
    video = replace(introduce(path), **vars(told))
    try:
        return read_all(metrics, video, show(path, video), loader, hear)
    except Miscounted as counted:
        again = replace(video, num_frames=counted.num_frames, memo=Memo())
        return read_all(metrics, again, show(path, again), loader, hear)


def read_all(
    metrics: Sequence[Metric], video: Video, shown: Iterator[Chunk], loader: NetworkLoader, hear: Hear | None = None
) -> dict[str, Score | LeftOut]:
    """Shows every chunk to every metric; one that cannot go on is left out, and the others go on."""
    found: dict[str, Score | LeftOut] = {}
    readings: dict[str, Reading] = {}
    for metric in metrics:
        begun = _begun(metric, video, loader)
        if isinstance(begun, LeftOut):
            found[metric.name] = begun
        else:
            readings[metric.name] = begun
    for chunk in shown:
        for name, reading in tuple(readings.items()):
            try:
                reading.update(chunk)
            except CannotScore as why:
                found[name] = LeftOut(str(why))
                del readings[name]
    for name, reading in readings.items():
        try:
            found[name] = score = reading.result()
        except CannotScore as why:
            found[name] = LeftOut(str(why))
        else:
            if hear is not None:
                hear(name, score)
    return {metric.name: found[metric.name] for metric in metrics}


def _begun(metric: Metric, video: Video, loader: NetworkLoader) -> Reading | LeftOut:
    if (lacks := metric.lacks(video) or loader.lacks(metric)) is not None:
        return LeftOut(lacks)
    try:
        return metric.begin(video, loader)
    except (CannotScore, MissingWeights, BadWeights) as why:
        return LeftOut(str(why))


def _frames(path: Path) -> Iterator[Frame]:
    with opened(path) as (container, stream):
        for packet in container.demux(stream):
            for frame in stream.decode(packet):
                if frame.is_corrupt or packet.is_corrupt:
                    raise BadInput(f"{path} is damaged or cut off; get a whole copy of it.")
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


def _introduced_pictures(path: Path) -> Video:
    try:
        with Image.open(path) as image:
            check_size(*image.size, path)
            hold = image.info.get("duration", 0) or USUAL_HOLD
            return Video(getattr(image, "n_frames", 1), Fraction(1000) / Fraction(hold), *image.size)
    except DAMAGE as error:
        raise BadInput(f"{path} is damaged, cut off or no picture; get a whole copy of it.") from error


def _pictures(path: Path) -> Iterator[Frame]:
    try:
        with Image.open(path) as image:
            for picture in ImageSequence.Iterator(image):
                yield np.asarray(picture.convert("RGB")), None
    except DAMAGE as error:
        raise BadInput(f"{path} is damaged, cut off or no picture; get a whole copy of it.") from error
