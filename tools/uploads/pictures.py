"""Decode an untrusted uploaded picture into pixels for an agent. Knows no agent.

Every problem with a file is a one-sentence BadInput; every change is a note.
"""

import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL import __version__ as PILLOW

from memory.products.files import Made
from memory.products.recipes import artifact_id
from memory.records import Recipe
from models.agent import UInt8Array
from tools.context import ToolContext, picture_product
from tools.errors import BadInput
from tools.media.codecs import fit, fit_inside, image_writer
from tools.uploads.files import check_picture_file, no_picture

# Raster formats only: for PostScript, Pillow would start an external interpreter.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
SMALLEST_SIDE = 8
LARGEST_SIDE = 16384
LARGEST_AREA = 100_000_000
"""Pixels; about 300 MB of RGB."""

Fit = Literal["crop", "pad"]
HOW = {"crop": "cover, centre, lanczos", "pad": "inside, black, lanczos"}

FITS = {"crop": fit, "pad": fit_inside}

EXIF_ORIENTATION = 0x0112
UPRIGHT = 1

# Everything that Pillow's decoders raise on damaged data.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, RuntimeError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True)
class Taken:
    """An uploaded picture prepared for an agent: uint8 (H, W, 3) RGB.

    notes: a sentence for each change. fitted: it had another size.
    """

    pixels: UInt8Array
    source_sha256: str
    notes: tuple[str, ...] = ()
    fit: Fit = "crop"
    fitted: bool = False


def take_picture(path: Path, size: tuple[int, int] | None = None, *, fit: Fit = "crop") -> Taken:
    """Read and check a picture, turn it upright, convert it to RGB and fit it to `size` (width, height) if given.

    fit: "crop" covers the size and crops to the centre, "pad" adds black bars. The dimensions are checked from the
    header, before decoding. Raises BadInput.
    """
    data = _read(path)
    notes, upright = _decoded(data, path)
    pixels, more = _rgb(upright, path)
    notes += more
    fitted = size is not None and size != (pixels.shape[1], pixels.shape[0])
    if size is not None and fitted:
        notes.append(fitted_note("picture", (pixels.shape[1], pixels.shape[0]), size, fit))
        pixels = FITS[fit](pixels, *size)
    return Taken(pixels, hashlib.sha256(data).hexdigest(), tuple(notes), fit, fitted)


def store(context: ToolContext, taken: Taken) -> Made:
    """Store an uploaded picture."""
    return context.archive.make(context.lease, _recipe(taken), lambda: picture_product(taken.pixels))


def picture_id(taken: Taken) -> str:
    """Return the artifact id that `store` will give the picture."""
    return artifact_id("image", _recipe(taken))


def _recipe(taken: Taken) -> Recipe:
    height, width = taken.pixels.shape[:2]
    return Recipe(
        agent="upload",
        spec={"source": taken.source_sha256, "width": width, "height": height, "fit": HOW[taken.fit]},
        numerics=f"pillow:{PILLOW};{image_writer()}",
    )


def _read(path: Path) -> bytes:
    check_picture_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            "input-unreadable", f"{path} cannot be read ({error}); give the path of a picture.", path=str(path)
        ) from error


def _decoded(data: bytes, path: Path) -> tuple[list[str], Image.Image]:
    with _decode_errors(path), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_header(image, path)
        return list(_turned_note(image)), ImageOps.exif_transpose(image)


@contextmanager
def _decode_errors(path: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        # Silence Pillow's warnings about large images: our own limit raises BadInput.
        warnings.simplefilter("ignore")
        try:
            yield
        except UnidentifiedImageError as error:
            raise no_picture(path) from error
        except Image.DecompressionBombError as error:
            raise BadInput(
                "input-area-too-large",
                f"{path} has more than {LARGEST_AREA:,} pixels; make it smaller.",
                path=str(path),
            ) from error
        except DAMAGE as error:
            raise BadInput(
                "input-damaged", f"{path} is damaged or cut off ({error}); get a whole copy of it.", path=str(path)
            ) from error


def check_sides(width: int, height: int, path: Path) -> None:
    """Raise BadInput for a side that is too small to show anything or too large to decode."""
    if min(width, height) < SMALLEST_SIDE:
        raise BadInput(
            "input-side-too-small",
            f"{path} is {width}x{height} pixels; give one of at least {SMALLEST_SIDE}x{SMALLEST_SIDE}.",
            path=str(path),
            width=width,
            height=height,
        )
    if max(width, height) > LARGEST_SIDE:
        raise BadInput(
            "input-side-too-large",
            f"{path} is {width}x{height} pixels; make both sides at most {LARGEST_SIDE}.",
            path=str(path),
            width=width,
            height=height,
        )


def _check_header(image: Image.Image, path: Path) -> None:
    width, height = image.size
    check_sides(width, height, path)
    if width * height > LARGEST_AREA:
        raise BadInput(
            "input-area-too-large",
            f"{path} has {width * height:,} pixels; make it at most {LARGEST_AREA:,}.",
            path=str(path),
            width=width,
            height=height,
        )
    # A multi-picture JPEG holds a photo first, followed by previews of it.
    if image.format != "MPO" and (num_frames := getattr(image, "n_frames", 1)) > 1:
        raise BadInput("input-not-still", f"{path} has {num_frames} frames; give one still picture.", path=str(path))


def _turned_note(image: Image.Image) -> Iterator[str]:
    if image.getexif().get(EXIF_ORIENTATION, UPRIGHT) not in (UPRIGHT, 0):
        yield "The picture was turned upright as its camera noted."


def _rgb(image: Image.Image, path: Path) -> tuple[UInt8Array, list[str]]:
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_of_high_depth(image, path)
    if not image.has_transparency_data:
        note = [] if image.mode == "RGB" else [f"The picture was converted from {image.mode} to RGB."]
        return np.asarray(image.convert("RGB"), dtype=np.uint8), note
    rgba = image.convert("RGBA")
    note = ["The transparent parts were laid over white."] if np.asarray(rgba)[..., 3].min() < 255 else []
    white = Image.new("RGBA", rgba.size, "white")
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"), dtype=np.uint8), note


def _grey_of_high_depth(image: Image.Image, path: Path) -> tuple[UInt8Array, list[str]]:
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise BadInput(
            "picture-depth-unsupported",
            f"{path} has 32 bits a pixel; save it with 8 or 16 bits a channel.",
            path=str(path),
        )
    # Pillow's own conversion would clip at 255 instead of scaling.
    grey = (values.astype(np.uint32) >> 8).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2), ["The picture was converted from 16 bit grey to RGB."]


def fitted_note(what: str, size: tuple[int, int], target: tuple[int, int], how: Fit) -> str:
    """Return a note on how fitting changed a picture or video. size, target: (width, height)."""
    (width, height), (to_width, to_height) = size, target
    scales = to_width / width, to_height / height
    scale = max(scales) if how == "crop" else min(scales)
    spare = {"width": round(width - to_width / scale), "height": round(height - to_height / scale)}
    done = ("were cut from its", "of black were added to its")[how == "pad"]
    changed = [f"{abs(pixels)} pixels {done} {side}" for side, pixels in spare.items() if pixels]
    return f"The {what} was scaled from {width}x{height} to fit {' and '.join((f'{to_width}x{to_height}', *changed))}."
