"""Encode and decode stored pictures, clips and films. Knows no artifact and no agent.

Pictures are PNG, clips are lossless (FFV1 in Matroska, bit for bit the agent's frames) and films are widely playable
H.264. Equal frames give equal bytes: thread counts are fixed, and nothing random or time-dependent is written.
Untrusted videos are decoded by `tools.uploads.video_reader`.
"""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, cast

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image, ImageOps, features
from PIL import __version__ as PILLOW

from memory.records import Media
from models.agent import Clip, UInt8Array
from tools.errors import BadInput, UnreadableMedia
from tools.media.decode_cache import Fresh

LARGEST_AREA = 40_000_000
"""Pixels; 8K has 33 million."""


NO_TURN = (1, 0, 0, 1)


def turn_of(frame: Any) -> tuple[int, int, int, int]:
    """Return the quarter turn or mirroring nearest to the display matrix: (a, b, c, d), x' = ax + cy, y' = bx + dy."""
    if (data := frame.side_data.get(SideData.DISPLAYMATRIX)) is None:
        return NO_TURN
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), np.int32)[:5])
    lies = abs(b) > abs(a)
    a, b, c, d = (int(np.sign(value)) for value in ((0, b, c, 0) if lies else (a, 0, 0, d)))
    # Ignore a degenerate matrix, which would flatten the picture.
    return (a, b, c, d) if a * d - b * c else NO_TURN


Source = Path | bytes
"""The path of a file, or its bytes."""


PNG = "image/png"


MATROSKA = "video/x-matroska"


MP4 = "video/mp4"


FILM_CRF = 18


FILM_PRESET = "medium"


FILM_THREADS = 4
"""Fixed, because x264 writes different bytes for a different number of threads."""


AVCOL_SPC_BT709 = 1
"""FFmpeg's code of the BT.709 matrix in a stream; PyAV only names the scaler's codes."""


AVCOL_SPC_UNSPECIFIED = 2


SMALLEST_SLICED_SIDE = 64
"""Frames with a side below this (pixels) are encoded as one FFV1 slice: the encoder rejects slices without pixels."""


# Accurate and bit-exact, so that the scaler's output does not depend on the machine's SIMD instructions.
EXACT = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT


NO_CLOCK = {"fflags": "+bitexact"}
"""Muxer options that omit the creation time, random track and segment ids, and the library version."""


INDEX_FIRST = {**NO_CLOCK, "movflags": "+faststart"}


TIMES_NTSC = Fraction(1001, 1000)


RATE_TOLERANCE = 5e-6
"""Relative tolerance; NTSC rates are commonly rounded to three digits (23.976), an error of 1e-6."""


FRESH = Fresh()


Mark = Callable[[int], None]
"""Receives the number of frames written so far; raises to cancel."""


@dataclass(frozen=True)
class Colours:
    """The colour tags of a film, in FFmpeg's codes: range, matrix, primaries, transfer curve."""

    range: int = ColorRange.MPEG
    matrix: int = AVCOL_SPC_BT709
    primaries: int = ColorPrimaries.BT709
    curve: int = ColorTrc.BT709


@dataclass(frozen=True)
class FilmCodec:
    """Settings of the film encoder: x264's constant rate factor, preset and number of threads.

    colours, profile, more: match the films that the result is joined with; `more` holds extra x264 parameters.
    sets_id: an id for parameter sets that is unused in those films.
    """

    crf: int = FILM_CRF
    preset: str = FILM_PRESET
    threads: int = FILM_THREADS
    colours: Colours = Colours()
    profile: str | None = None
    more: str = ""
    sets_id: int = 0


def exact_rate(fps: float | Fraction) -> Fraction:
    """Return the intended frame rate as a fraction: 8.0 -> 8, 23.976 -> 24000/1001, 12.5 -> 25/2.

    Raises BadInput for a rate that is not a positive finite number.
    """
    if not 0 < fps < float("inf"):
        raise BadInput("frame-rate-unusable", f"{fps} is not a frame rate; use a positive number of frames a second.")
    asked = Fraction(fps)
    for meant in (Fraction(round(asked)), round(asked * TIMES_NTSC) / TIMES_NTSC):
        if abs(meant - asked) <= asked * Fraction(RATE_TOLERANCE):
            return meant
    return asked.limit_denominator(1001)


def image_writer() -> str:
    """Return what the bytes of a PNG depend on besides its pixels."""
    return f"png:{features.version('zlib')}"


def clip_writer() -> str:
    """Return what the bytes of a lossless clip depend on besides its frames."""
    return f"ffv1:{_version('libavcodec')}:{_version('libavformat')}"


def film_writer(codec: FilmCodec | None = None) -> str:
    """Return what the bytes of a film depend on besides its frames: encoder, scaler, muxer, settings, threads."""
    settings = codec or FilmCodec()
    libraries = ":".join(_version(name) for name in ("libavcodec", "libavformat", "libswscale"))
    return f"x264:{libraries}:crf{settings.crf}:{settings.preset}:nombtree:threads{settings.threads}"


def frame_reader() -> str:
    """Return what the pixels of a decoded and fitted frame depend on besides the bytes it was read from."""
    return f"read:{_version('libavcodec')}:{_version('libswscale')}:pillow{PILLOW}"


def library_versions() -> str:
    """Return the versions of PyAV and its libavcodec, for diagnostics."""
    return f"PyAV {av.__version__}, libavcodec {_version('libavcodec')}"


def _version(library: str) -> str:
    return ".".join(str(part) for part in av.library_versions[library])


def fit(pixels: UInt8Array, width: int, height: int) -> UInt8Array:
    """Scale (Lanczos) to cover (width, height) and crop to the centre: uint8 (H, W, 3) in and out."""
    if pixels.shape[:2] == (height, width):
        return pixels
    fitted = ImageOps.fit(Image.fromarray(pixels), (width, height), method=Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8)


def fit_inside(pixels: UInt8Array, width: int, height: int) -> UInt8Array:
    """Scale (Lanczos) to fit inside (width, height) and pad with black: uint8 (H, W, 3) in and out."""
    if pixels.shape[:2] == (height, width):
        return pixels
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    inside = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    canvas = Image.new("RGB", (width, height))
    scaled = Image.fromarray(pixels).resize(inside, Image.Resampling.LANCZOS)
    canvas.paste(scaled, ((width - inside[0]) // 2, (height - inside[1]) // 2))
    return np.asarray(canvas, dtype=np.uint8)


def encode_image(pixels: UInt8Array) -> bytes:
    """Encode uint8 (H, W, 3) RGB as PNG without metadata; equal pixels give equal bytes."""
    _assert_rgb(pixels, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG", compress_level=6)
    data = out.getvalue()
    FRESH.keep(data, pixels)
    return data


def decode_image(data: bytes) -> UInt8Array:
    """Decode a stored PNG to uint8 (H, W, 3) RGB. Raises UnreadableMedia. For uploads, see `tools.uploads.pictures`."""
    if (pixels := FRESH.pixels(data)) is not None:
        return pixels
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableMedia(
            "stored-picture-unreadable", f"The stored picture cannot be read ({error}); make it again."
        ) from error


def encode_clip(frames_THWC: UInt8Array, fps: float | Fraction) -> bytes:
    """Encode uint8 (T, H, W, 3) RGB losslessly as FFV1 in Matroska."""
    _assert_rgb(frames_THWC, 4)
    rate, (height, width) = exact_rate(fps), frames_THWC.shape[1:3]
    slices = "4" if min(height, width) >= SMALLEST_SLICED_SIDE else "1"
    options = {"level": "3", "slices": slices, "slicecrc": "1", "flags": "+bitexact"}
    out, painter = io.BytesIO(), VideoReformatter()
    with av.open(out, "w", format="matroska", container_options=NO_CLOCK) as container:
        stream = container.add_stream("ffv1", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        stream.codec_context.thread_count = 1
        for index, pixels in enumerate(frames_THWC):
            frame = painter.reformat(_frame(pixels), format="bgr0", threads=1)
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    data = out.getvalue()
    FRESH.keep(data, frames_THWC)
    return data


def decode_clip(data: bytes) -> Clip:
    """Decode all frames of a clip or film at once. Raises UnreadableMedia."""
    with _opened(data) as container:
        rate = _rate(container.streams.video[0])
        frames = list(_rgb_frames(container))
    if not frames:
        raise UnreadableMedia("stored-clip-unreadable", "The stored clip has no frame; make it again.")
    return Clip(np.stack(frames), float(rate))


def frames_of(source: Source) -> Iterator[UInt8Array]:
    """Yield the frames of a clip or film, uint8 (H, W, 3), one in memory at a time. Raises UnreadableMedia."""
    if isinstance(source, bytes) and (pixels := FRESH.pixels(source)) is not None:
        yield from pixels
        return
    with _opened(source) as container:
        yield from _rgb_frames(container)


def chosen_frames(source: Source, indices: Sequence[int]) -> Iterator[UInt8Array]:
    """Yield the frames at the given indices, in ascending order; those in between are decoded and discarded."""
    wanted = set(indices)
    yield from (frame for index, frame in enumerate(frames_of(source)) if index in wanted)


def evenly(count: int, most: int) -> list[int]:
    """Return at most `most` evenly spaced indices of `count` frames, including the first and the last."""
    return [int(index) for index in np.linspace(0, count - 1, min(count, most)).round()]


def encode_film(
    frames: Iterable[UInt8Array],
    target: Path | IO[bytes],
    *,
    width: int,
    height: int,
    fps: float | Fraction,
    codec: FilmCodec | None = None,
    mark: Mark | None = None,
) -> Media:
    """Encode frames, uint8 (height, width, 3), as H.264 4:2:0 in MP4 with the index first, in constant memory.

    Colours are BT.709 unless the codec says otherwise. 4:2:0 needs even sides, so the last row or column of an odd side
    is duplicated. `mark` receives the number of frames written. Returns the description of the film. Raises BadInput if
    there are no frames.
    """
    rate = exact_rate(fps)
    even_width, even_height = width + width % 2, height + height % 2
    codec = codec or FilmCodec()
    with _as_path(target) as path, av.open(str(path), "w", format="mp4", container_options=INDEX_FIRST) as container:
        stream = _film_stream(container, rate, even_width, even_height, codec)
        painter, count = VideoReformatter(), 0
        for pixels in frames:
            assert pixels.shape == (height, width, 3), f"a frame is {pixels.shape}, the film {(height, width, 3)}"
            container.mux(stream.encode(_film_frame(painter, pixels, count, rate, codec.colours)))
            count += 1
            if mark is not None:
                mark(count)
        if count == 0:
            raise BadInput("film-without-frame", "A film needs at least one frame; give it a clip.")
        container.mux(stream.encode())
    return Media(kind="film", media_type=MP4, width=even_width, height=even_height, num_frames=count, fps=float(rate))


def probe(source: Source) -> Media:
    """Describe a stored picture, clip or film; frames are counted but not decoded. Raises UnreadableMedia."""
    if (image := _probed_image(source)) is not None:
        return image
    with _opened(source) as container:
        stream = container.streams.video[0]
        is_clip = "matroska" in container.format.name
        width, height, rate = stream.codec_context.width, stream.codec_context.height, _rate(stream)
        num_frames = stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
    return Media(
        kind="clip" if is_clip else "film",
        media_type=MATROSKA if is_clip else MP4,
        width=width,
        height=height,
        num_frames=num_frames,
        fps=float(rate),
    )


def _probed_image(source: Source) -> Media | None:
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=["PNG"]) as image:
            return Media(kind="image", media_type=PNG, width=image.width, height=image.height)
    except (OSError, SyntaxError, ValueError):
        return None


@contextmanager
def _as_path(target: Path | IO[bytes]) -> Iterator[Path]:
    # The muxer rereads its own output to move the index to the front, so it needs a real file.
    if isinstance(target, Path):
        yield target
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        yield path
        with path.open("rb") as film:
            shutil.copyfileobj(film, target)


def _film_stream(container: Any, rate: Fraction, width: int, height: int, codec: FilmCodec) -> Any:
    # x264's macroblock tree reads uninitialized memory if the width is not a multiple of 128 pixels (seen with the x264
    # of PyAV 18.1): the same frames gave up to six different films.
    options = {"crf": str(codec.crf), "preset": codec.preset, "mbtree": "0", "flags": "+bitexact"}
    if codec.profile is not None:
        options["profile"] = codec.profile
    if more := [*filter(None, [codec.more, f"sps-id={codec.sets_id}" if codec.sets_id else ""])]:
        options["x264-params"] = ":".join(more)
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.thread_count = codec.threads
    context.color_range, context.colorspace = codec.colours.range, codec.colours.matrix
    context.color_primaries, context.color_trc = codec.colours.primaries, codec.colours.curve
    return stream


def _film_frame(
    painter: VideoReformatter, pixels: UInt8Array, index: int, rate: Fraction, colours: Colours
) -> av.VideoFrame:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = painter.reformat(
        _frame(pixels),
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709 if colours.matrix == AVCOL_SPC_BT709 else Colorspace.ITU601,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_color_trc=colours.curve,
        dst_color_primaries=colours.primaries,
        interpolation=EXACT,
        threads=1,
    )
    frame.pts, frame.time_base, frame.duration = index, 1 / rate, 1
    return frame


def _frame(pixels: UInt8Array) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")


def _rgb_frames(container: Any) -> Iterator[UInt8Array]:
    painter = VideoReformatter()
    for frame in container.decode(video=0):
        rgb = painter.reformat(frame, format="rgb24", dst_color_range=ColorRange.JPEG, interpolation=EXACT, threads=1)
        yield cast(UInt8Array, rgb.to_ndarray())


def _rate(stream: Any) -> Fraction:
    if stream.average_rate is None:
        raise UnreadableMedia(
            "video-without-frame-rate", "The video does not say its frame rate; convert it to MP4 with a constant rate."
        )
    return exact_rate(stream.average_rate)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
            if not container.streams.video:
                raise UnreadableMedia("video-without-pictures", "The file has no picture track; give a video.")
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableMedia(
            "stored-clip-unreadable", f"The video cannot be read ({error}); make or fetch it again."
        ) from error


def _assert_rgb(pixels: UInt8Array, ndim: int) -> None:
    assert pixels.dtype == np.uint8, f"pixels are {pixels.dtype}, not uint8"
    assert pixels.ndim == ndim, f"{pixels.shape} has not {ndim} axes"
    assert pixels.shape[-1] == 3, f"{pixels.shape} is not RGB"
    assert 0 not in pixels.shape, f"{pixels.shape} has no pixel"
