"""Encode frames as animated GIF or as WebM, for places that take no MP4. Equal frames give equal bytes."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image

from models.agent import UInt8Array
from tools.media.codecs import AVCOL_SPC_BT709, EXACT, NO_CLOCK

SHORTEST_GIF_FRAME = Fraction(1, 50)
"""Seconds: viewers show shorter frames for a tenth of a second each."""
GIF_TICK = Fraction(1, 100)
WEBM_CRF = 24


def encode_gif(frames: Iterable[UInt8Array], fps: Fraction) -> bytes:
    """Encode frames, uint8 (H, W, 3), as a GIF that repeats for ever, each with a palette of its own.

    Its times are hundredths of a second, so frame durations differ by one, and the whole is as long as it was. Above 50
    frames per second some are left out.
    """
    images = _timed(frames, fps)
    first, duration = next(images)
    rest = list(images)
    out = io.BytesIO()
    first.save(
        out, format="GIF", save_all=True, append_images=[image for image, _ in rest], loop=0, optimize=False,
        duration=[duration, *(each for _, each in rest)], disposal=1,
    )  # fmt: skip
    return out.getvalue()


def _timed(frames: Iterable[UInt8Array], fps: Fraction) -> Iterator[tuple[Image.Image, int]]:
    """Yield frames with 256 colours and their durations in milliseconds."""
    begin, shown = 0, None
    for index, pixels in enumerate(frames):
        at = round(index / fps / GIF_TICK)
        if shown is not None and (at - begin) * GIF_TICK < SHORTEST_GIF_FRAME:
            continue
        if shown is not None:
            yield _quantized(shown), _milliseconds(at - begin)
        begin, shown = at, pixels
    if shown is not None:
        yield _quantized(shown), _milliseconds(max(round((index + 1) / fps / GIF_TICK) - begin, 2))


def _milliseconds(ticks: int) -> int:
    return int(1000 * GIF_TICK * ticks)


def _quantized(pixels: UInt8Array) -> Image.Image:
    return Image.fromarray(pixels).quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)


def encode_webm(frames: Iterable[UInt8Array], fps: Fraction, *, width: int, height: int) -> bytes:
    """Encode frames, uint8 (height, width, 3), as VP9 4:2:0 in WebM, in constant memory but for the result.

    Sides are rounded up to even, as in `tools.media.codecs.encode_film`.
    """
    out, painter = io.BytesIO(), VideoReformatter()
    even = (width + width % 2, height + height % 2)
    options = {"crf": str(WEBM_CRF), "b": "0", "deadline": "good", "cpu-used": "2", "row-mt": "0", "flags": "+bitexact"}
    with av.open(out, "w", format="webm", container_options=NO_CLOCK) as container:
        stream = container.add_stream("libvpx-vp9", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = *even, "yuv420p"
        context = stream.codec_context
        context.thread_count = 1
        context.color_range, context.colorspace = ColorRange.MPEG, AVCOL_SPC_BT709
        for index, pixels in enumerate(frames):
            padded = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            frame = painter.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=EXACT,
                threads=1,
            )
            frame.pts, frame.time_base, frame.duration = index, 1 / fps, 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
