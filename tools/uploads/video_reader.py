"""Decode the first or last seconds of an untrusted video as upright RGB frames with times. Knows no artifact.

Stored clips and films are decoded by `tools.media.codecs` instead. Frames are fitted as they are decoded, so memory is
bounded by the wanted part at its wanted size.
"""

import codecs
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from PIL import Image

from models.agent import UInt8Array
from tools.errors import BadInput
from tools.media.codecs import LARGEST_AREA, NO_TURN, turn_of
from tools.media.hdr import HDR_CURVES
from tools.uploads.colour import _over_white, _rgb
from tools.uploads.files import LARGEST_PICTURE
from tools.uploads.footage import Footage, Header, Shown, Wanted
from tools.uploads.pictures import DAMAGE, check_sides
from tools.uploads.pictures import FORMATS as PICTURES

log = logging.getLogger(__name__)


ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")


# No playlists, concatenation scripts or devices, so that no other file is ever opened. Audio formats are included to
# distinguish audio from text in error messages.
CONTAINERS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,obu,av1,h264,hevc,vvc,m4v,mxf,nut,dv,rm,"
    "yuv4mpegpipe,gif,apng,mp3,wav,flac,aac,aiff,ac3,amr,caf,w64"
)


UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


MOST_DECODED = 250_000
"""Maximum number of frames decoded from a file that cannot be seeked; more than an hour at 60 per second."""


FASTEST = 60
"""Frames per second; faster frames are dropped before they take up memory."""


TRULY_FAST = 0.9
"""A video whose header exceeds FASTEST must reach this share of it; else the header gives the clock rate instead."""


JITTER = 0.2
"""Tolerance of a frame's time, in slots: many files round their times to milliseconds."""


USUAL_RATE = Fraction(25)


LONGEST_HOLD = 5.0
"""Seconds; a frame lasts at most this long, or until the end given by the header if that is later."""


SHORTEST_HOLD, USUAL_HOLD = 0.02, 0.1
"""Seconds; a frame of an animated picture with a duration below the first is shown for the second, as in browsers."""


LEAD = 5.0
"""Decoding starts this many seconds before the wanted part, since seeking lands too late in some containers."""


SLACK = 1.0
"""Tolerated error of the header's end time in seconds."""


LONGEST_TOLD = 1e7
"""Seconds; a longer duration in the header is ignored."""


WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that support transparency in WebM, by the default decoders, which do not."""


def read_footage(path: Path, wanted: Wanted) -> Footage:
    """Read the wanted part of a video or animated picture. Raises BadInput.

    The dimensions are checked from the header, before decoding.
    """
    footage = _animation(path, wanted) if _is_animation(path) else _video(path, wanted)
    log.debug("%s: %d frames decoded, %d kept", path, footage.num_decoded, len(footage.frames))
    if not footage.frames:
        raise BadInput(
            "input-damaged", f"{path} has no picture that can be decoded; get a whole copy of it.", path=str(path)
        )
    return footage


def _gather(shown: Iterator[Shown], wanted: Wanted, footage: Footage, path: Path) -> None:
    """Fit and keep the frames of the wanted part, dropping earlier ones as soon as possible."""
    zero, filled = None, -1
    for frame in shown:
        footage.num_decoded += 1
        if footage.num_decoded > MOST_DECODED:
            raise BadInput(
                "video-too-long",
                f"{path} cannot be entered in the middle and has more than {MOST_DECODED:,} frames; cut it shorter.",
                path=str(path),
                most=MOST_DECODED,
            )
        if wanted.end == "first" and footage.times and frame.seconds >= footage.times[0] + wanted.seconds:
            footage.longer = True
            return
        footage.until = max(footage.until, frame.seconds + frame.lasts)
        zero = frame.seconds if zero is None else zero
        if (slot := floor((frame.seconds - zero) * FASTEST + JITTER)) <= filled:
            continue
        filled = slot
        footage.times.append(frame.seconds)
        footage.frames.append(wanted.fitted(frame.pixels()))
        while wanted.end == "last" and len(footage.times) > 1 and footage.times[1] <= footage.until - wanted.seconds:
            # Keep the frame before the part: it may still be visible when the part begins.
            del footage.times[0], footage.frames[0]
            footage.longer = True


def _video(path: Path, wanted: Wanted) -> Footage:
    with opened(path) as (container, stream):
        header = _header(container, stream, path)
    part = _part(path, wanted, header, None) if wanted.end == "first" else _last_part(path, wanted, header)
    ends_early = header.end is not None and header.end_is_its_own and part.until < header.end - SLACK
    part.damaged |= ends_early and not (wanted.end == "first" and part.longer)
    if part.fps > FASTEST and (seen := _rate_seen(part)) < TRULY_FAST * FASTEST:
        part.fps = seen
    return part


def _rate_seen(part: Footage) -> Fraction:
    seconds = part.until - part.times[0] if part.times else 0.0
    return Fraction(len(part.times) / seconds).limit_denominator(1001) if seconds else USUAL_RATE


def _last_part(path: Path, wanted: Wanted, header: Header) -> Footage:
    end = _scanned_end(path) if header.end is None else header.end
    part = _part(path, wanted, header, end)
    if part.until < end - SLACK and (really := _scanned_end(path)) < end - SLACK:
        part = _part(path, wanted, header, really)
    if part.longer and (not part.times or part.times[0] > part.until - wanted.seconds + SLACK):
        # Seeking landed too late or failed.
        return _part(path, wanted, header, None)
    return part


def _part(path: Path, wanted: Wanted, header: Header, end: float | None) -> Footage:
    """Return the wanted part of a video that ends at `end` seconds; None decodes from the beginning."""
    footage = Footage(header.fps, header.end, dict.fromkeys(header.notes))
    with opened(path) as (container, stream):
        begin = float("-inf")
        if end is not None and (enter := end - wanted.seconds - LEAD) > header.start:
            begin = end - wanted.seconds
            footage.longer = _entered(container, stream, enter)
        _gather(_shown(container, stream, wanted, footage, begin), wanted, footage, path)
    return footage


def _entered(container: Any, stream: Any, seconds: float) -> bool:
    try:
        container.seek(int(seconds / stream.time_base), stream=stream)
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a file and yield its container and video track. Errors within the block also become BadInput."""
    try:
        # Absolute, so that no name is parsed as a protocol.
        with av.open(
            str(path.absolute()), options={"format_whitelist": CONTAINERS}, metadata_errors="replace"
        ) as container:
            yield container, _picture_track(container, path)
    except (av.error.FFmpegError, OSError) as error:
        raise _told(error, path) from error


def _told(error: Exception, path: Path) -> BadInput:
    if _is_text(path):
        return BadInput(
            "input-not-a-video",
            f"{path} is a text, not a video; give an MP4, MOV, Matroska, WebM, AVI, GIF or WebP.",
            path=str(path),
        )
    if isinstance(error, av.error.ArgumentError):
        return BadInput(
            "input-not-a-video",
            f"{path} is not a video that can be read; give a whole MP4, MOV, Matroska, WebM, AVI, GIF or WebP.",
            path=str(path),
        )
    return BadInput(
        "input-damaged", f"{path} is damaged, cut off or not a video; get a whole copy of it.", path=str(path)
    )


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096)
    try:
        words = codecs.getincrementaldecoder("utf-16" if head[:2] in UTF_16 else "utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in words)


def _picture_track(container: Any, path: Path) -> Any:
    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not container.streams:
        raise BadInput(
            "input-damaged", f"{path} is cut off before its first picture; get a whole copy of it.", path=str(path)
        )
    if not tracks:
        raise BadInput("video-without-pictures", f"{path} has no picture track; give a video.", path=str(path))
    if tracks[0].codec_context is None:
        raise BadInput(
            "video-codec-unsupported",
            f"{path} is coded in a way that cannot be decoded here; convert it to MP4 with H.264.",
            path=str(path),
        )
    return tracks[0]


def _header(container: Any, stream: Any, path: Path) -> Header:
    context = stream.codec_context
    if 0 in (context.width, context.height):
        raise BadInput(
            "input-damaged", f"{path} does not say how large its pictures are; get a whole copy of it.", path=str(path)
        )
    shown = _square_size(context.width, context.height, stream.sample_aspect_ratio)
    for width, height in ((context.width, context.height), shown):
        check_size(width, height, path)
    start = float(stream.start_time * stream.time_base) if stream.start_time is not None else 0.0
    seconds, own = None, False
    if stream.duration is not None:
        seconds, own = float(stream.duration * stream.time_base), True
    elif container.duration is not None:
        seconds, own = container.duration / av.time_base, not container.streams.audio
    notes = _tracks_notes(container)
    if seconds is None or not 0 < seconds < LONGEST_TOLD:
        return Header(rate_of(stream), start, None, False, notes)
    return Header(rate_of(stream), start, start + seconds, own, notes)


def check_size(width: int, height: int, path: Path) -> None:
    """Raise BadInput for dimensions that are too small to show anything or too large to decode."""
    check_sides(width, height, path)
    if width * height > LARGEST_AREA:
        raise BadInput(
            "input-area-too-large",
            f"{path} has {width * height:,} pixels a frame; make it at most {LARGEST_AREA:,}.",
            path=str(path),
            width=width,
            height=height,
        )


def rate_of(stream: Any) -> Fraction:
    """Return the average frame rate of a stream in frames per second."""
    # Without timestamps, as in a raw H.264 stream, the demuxer makes the average up.
    rates = (stream.average_rate, stream.guessed_rate) if stream.start_time is not None else (stream.guessed_rate,)
    return next((Fraction(rate) for rate in rates if rate), USUAL_RATE)


def _tracks_notes(container: Any) -> tuple[str, ...]:
    notes = []
    if num_sounds := len(container.streams.audio):
        notes.append(f"The video's {'sound was' if num_sounds == 1 else f'{num_sounds} sound tracks were'} dropped.")
    pictures = sum(not track.disposition & Disposition.attached_pic for track in container.streams.video)
    if pictures > 1:
        notes.append(f"The video has {pictures} picture tracks; the first was used.")
    return tuple(notes)


def _scanned_end(path: Path) -> float:
    """Return when the last frame in the file ends, in seconds, by reading packets without decoding."""
    end = 0.0
    with opened(path) as (container, stream):
        for packet in _packets(container, stream, Footage(USUAL_RATE)):
            stamp = None if packet is None else packet.dts if packet.pts is None else packet.pts
            if stamp is not None:
                end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
    return end


def _packets(container: Any, stream: Any, footage: Footage) -> Iterator[Any]:
    """Yield every readable packet, and None, which flushes the decoder, if reading fails."""
    while True:
        try:
            yield from container.demux(stream)
            return
        except IndexError:
            # PyAV raises this for a packet of a track that begins in the middle of a broadcast; reading can continue.
            continue
        except av.error.FFmpegError:
            footage.damaged = True
            yield None
            return


def _decoder(stream: Any) -> Any:
    context = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and context.name in WITH_ALPHA:
        context = av.CodecContext.create(WITH_ALPHA[context.name], "r")
    # With several threads, the output for a damaged file would depend on their order.
    context.thread_count, context.flags = 1, context.flags | av.codec.context.Flags.bitexact
    context.options = {"max_pixels": str(LARGEST_AREA)}
    return context


def _decoded(container: Any, stream: Any, footage: Footage) -> Iterator[Any]:
    decoder, begun = _decoder(stream), not footage.longer
    for packet in _packets(container, stream, footage):
        try:
            frames = decoder.decode(packet)
        except av.error.FFmpegError:
            # After seeking, errors before the first complete frame are not damage.
            footage.damaged |= begun
            continue
        footage.damaged |= begun and packet is not None and packet.is_corrupt
        begun |= bool(frames)
        yield from frames


def _shown(container: Any, stream: Any, wanted: Wanted, footage: Footage, begin: float) -> Iterator[Shown]:
    """Yield frames with ascending times; where the file's times go back, continue from the previous frame."""
    # AVI has no presentation times: the demuxer fills them with the decoding order.
    by_order, painter = container.format.name == "avi", VideoReformatter()
    period, shift, last = float(1 / footage.fps), 0.0, None
    for frame in _decoded(container, stream, footage):
        stamp, tick = frame.dts if by_order else frame.pts, frame.time_base or Fraction(0)
        lasts = float(frame.duration * tick) or period
        following = 0.0 if last is None else last[0] + last[1]
        seconds = following if stamp is None or not tick else float(stamp * tick) + shift
        if last is not None and seconds < last[0]:
            shift, seconds = shift + following - seconds, following
        lasts = min(lasts, max(LONGEST_HOLD, (footage.said or 0) - seconds))
        last = (seconds, lasts)
        footage.damaged |= frame.is_corrupt and seconds >= begin
        yield Shown(seconds, lasts, partial(_upright, painter, frame, stream, wanted, footage))


def _upright(painter: VideoReformatter, frame: Any, stream: Any, wanted: Wanted, footage: Footage) -> UInt8Array:
    """Return the frame upright with square pixels as 8-bit RGB, no smaller than the wanted size."""
    square = _square_size(frame.width, frame.height, stream.sample_aspect_ratio)
    if square != (frame.width, frame.height):
        was, becomes = f"{frame.width}x{frame.height}", f"{square[0]}x{square[1]}"
        footage.notes[f"The video's pixels are not square; it was stretched from {was} to {becomes}."] = None
    turn = turn_of(frame)
    if turn != NO_TURN:
        footage.notes["The video was turned upright as its camera noted."] = None
    lies = turn[0] == 0
    footage.size = square[::-1] if lies else square
    near = _near(square, wanted.size[::-1] if lies else wanted.size, 1 if frame.color_trc in HDR_CURVES else 2)
    return turned(_rgb(painter, frame, near, footage), turn)


def _square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    if not aspect or aspect <= 0:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _near(size: tuple[int, int], target: tuple[int, int], times: int) -> tuple[int, int]:
    """Scale `size` down as long as it covers `target` so many times; the final fit does the rest.

    Twice is as good as the full size. Once is used for HDR, whose colour conversion is expensive per pixel.
    """
    scale = times * max(target[0] / size[0], target[1] / size[1])
    return size if scale >= 1 else (ceil(size[0] * scale), ceil(size[1] * scale))


def turned(pixels: UInt8Array, turn: tuple[int, int, int, int]) -> UInt8Array:
    """Turn pixels, uint8 (H, W, 3), by the result of `turn_of`."""
    a, b, c, d = turn
    upright = pixels.transpose(1, 0, 2) if a == 0 else pixels
    return np.ascontiguousarray(upright[:: -1 if b + d < 0 else 1, :: -1 if a + c < 0 else 1])


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        # Silence Pillow's warnings about large images: our own limit raises BadInput.
        warnings.simplefilter("ignore")
        yield


def _is_animation(path: Path) -> bool:
    """Return whether the file is an animated picture. Raises BadInput for a still one."""
    if path.stat().st_size > LARGEST_PICTURE:
        return False
    try:
        with _quietly(), Image.open(path, formats=PICTURES) as image:
            if image.format in ANIMATED and getattr(image, "n_frames", 1) > 1:
                return True
    except (*DAMAGE, Image.DecompressionBombError):
        return False
    raise BadInput("input-is-picture", f"{path} is a still picture; give it as a picture.", path=str(path))


def _animation(path: Path, wanted: Wanted) -> Footage:
    footage = Footage(USUAL_RATE)
    try:
        with _quietly(), Image.open(path, formats=ANIMATED) as image:
            check_size(*image.size, path)
            footage.size = image.size
            holds: list[float] = []
            _gather(_flipped_through(image, footage, holds), wanted, footage, path)
    except DAMAGE:
        footage.damaged = True
    # Use the median duration, since the last frame's is often longer than all others together.
    footage.fps = 1 / Fraction(float(np.median(holds))).limit_denominator(1000) if holds else USUAL_RATE
    return footage


def _flipped_through(image: Image.Image, footage: Footage, holds: list[float]) -> Iterator[Shown]:
    seconds = 0.0
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        rgba = np.asarray(image.convert("RGBA"))
        hold = float(image.info.get("duration", 0)) / 1000
        holds.append(hold if hold >= SHORTEST_HOLD else USUAL_HOLD)
        yield Shown(seconds, holds[-1], partial(_over_white, rgba, footage))
        seconds += holds[-1]
