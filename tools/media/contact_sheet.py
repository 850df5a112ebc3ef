"""Draw frames of a film side by side in one PNG, each labelled with its time."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.agent import UInt8Array
from tools.media.codecs import encode_image

LEAST_WIDTH = 160
"""Pixels; a smaller frame is enlarged by an integer factor, so that its pixels stay sharp."""
MOST_WIDTH = 320
LABEL_HEIGHT = 16
GAP = 4
PAPER, INK = (250, 250, 250), (40, 40, 40)


def frame_sheet(
    frames_THWC: UInt8Array, fps: float | None, *, columns: int = 4, indices: Sequence[int] | None = None
) -> bytes:
    """Draw frames, uint8 (T, H, W, 3), row by row and return the sheet as PNG.

    fps: None for a picture, which gets no time label. indices: positions of the frames in their film, if these are not
    all of its frames.
    """
    assert columns >= 1, f"{columns} columns are no sheet"
    places = range(len(frames_THWC)) if indices is None else indices
    labels = ["" if fps is None else f"{index / fps:.2f} s" for index in places]
    tiles = [_tile(frame, label) for frame, label in zip(frames_THWC, labels, strict=True)]
    return encode_image(_grid(tiles, min(columns, len(tiles))))


def _tile(pixels: UInt8Array, label: str) -> Image.Image:
    picture = _legible(Image.fromarray(pixels))
    tile = Image.new("RGB", (picture.width, picture.height + LABEL_HEIGHT), PAPER)
    tile.paste(picture)
    ImageDraw.Draw(tile).text((2, picture.height + 2), label, fill=INK, font=ImageFont.load_default(11))
    return tile


def _legible(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    if width < LEAST_WIDTH:
        factor = -(-LEAST_WIDTH // width)
        return picture.resize((width * factor, height * factor), Image.Resampling.NEAREST)
    if width > MOST_WIDTH:
        return picture.resize((MOST_WIDTH, max(1, round(height * MOST_WIDTH / width))), Image.Resampling.LANCZOS)
    return picture


def _grid(tiles: Sequence[Image.Image], columns: int) -> UInt8Array:
    width, height = tiles[0].width + GAP, tiles[0].height + GAP
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (GAP + index % columns * width, GAP + index // columns * height))
    return np.asarray(sheet, dtype=np.uint8)
