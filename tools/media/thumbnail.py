"""Shrink a product for a terminal: frames side by side, a few dozen pixels wide."""

import numpy as np
from PIL import Image

from models.agent import UInt8Array

PAPER = (0, 0, 0)


def thumbnail(frames_THWC: UInt8Array, *, height: int, gap: int = 2) -> UInt8Array:
    """Return frames, uint8 (T, H, W, 3), as one row, uint8 (height, width, 3), with `gap` black columns between them.

    The aspect ratio is kept; `height` in pixels must be even and at least 2.
    """
    assert height >= 2, f"{height} pixels are no picture"
    assert height % 2 == 0, f"half blocks show two rows each, {height} is odd"
    width = max(1, round(frames_THWC.shape[2] * height / frames_THWC.shape[1]))
    row = Image.new("RGB", (len(frames_THWC) * (width + gap) - gap, height), PAPER)
    for index, frame in enumerate(frames_THWC):
        row.paste(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX), (index * (width + gap), 0))
    return np.asarray(row, dtype=np.uint8)
