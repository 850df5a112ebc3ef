"""Convert decoded video frames, including ones with alpha or HDR, to 8-bit RGB."""

from typing import Any, cast

import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from models.agent import UInt8Array
from tools.media.codecs import AVCOL_SPC_UNSPECIFIED, EXACT
from tools.media.hdr import HDR_CURVES, standard_range
from tools.uploads.footage import Footage

HD_SIDE = 720
"""Pixels; from this side on, a video with an untagged colour matrix is taken as BT.709."""


def _rgb(painter: VideoReformatter, frame: Any, size: tuple[int, int], footage: Footage) -> UInt8Array:
    """Return uint8 (H, W, 3) of `size` (width, height): full range, alpha over white, HDR mapped to SDR."""
    width, height = size
    see_through = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    curve = HDR_CURVES.get(frame.color_trc)
    rgb: Any = painter.reformat(
        frame,
        width=width,
        height=height,
        format="rgb48le" if curve else "rgba" if see_through else "rgb24",
        src_colorspace=_matrix(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=EXACT,
        threads=1,
    ).to_ndarray()
    if curve:
        footage.notes[f"The video's HDR colours ({curve}) were mapped to the standard range."] = None
        return standard_range(rgb, curve)
    if (bits := max(part.bits for part in frame.format.components)) > 8:
        footage.notes[f"The video was rounded from {bits} to 8 bits a channel."] = None
    return _over_white(rgb, footage) if see_through else cast(UInt8Array, rgb)


def _matrix(frame: Any) -> int | None:
    """Return the colour matrix to assume for untagged frames; None uses the tag or the default."""
    if frame.format.is_rgb or frame.colorspace != AVCOL_SPC_UNSPECIFIED:
        return None
    if frame.color_trc in HDR_CURVES:
        return int(Colorspace.BT2020)
    return int(Colorspace.ITU709) if min(frame.width, frame.height) >= HD_SIDE else None


def _over_white(rgba: UInt8Array, footage: Footage) -> UInt8Array:
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    footage.notes["The video's transparent parts were laid over white."] = None
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
