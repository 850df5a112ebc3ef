"""Check that an uploaded file exists, is readable and looks like a picture or video, before decoding it.

Cheap to import: needs no picture or video library.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import BadInput

LARGEST_PICTURE = 512 * 2**20
"""Bytes; no picture of the largest allowed area needs more."""
LARGEST_VIDEO = 64 * 2**30
"""Bytes; two hours of 4K video from a phone."""
LONGEST_NAME = 120
"""Characters of a file's name that are kept."""

PICTURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8|BM|(?:II|MM)[*+\x00][*+\x00]|P[0-6fy]|RIFF....WEBP|....ftyp", re.DOTALL
)
"""Signatures of PNG, JPEG, GIF, BMP, TIFF, PPM, WebP and AVIF, no stricter than those that Pillow checks."""


def check_picture_file(path: Path) -> None:
    """Check that the file looks like a picture. Raises BadInput; damage is detected only by decoding."""
    with _read_errors(path, "picture"):
        size = _size(path, "picture")
        if size > LARGEST_PICTURE:
            raise BadInput(
                "input-too-large",
                f"{path} has {size / 2**20:.0f} MiB; give a picture of at most {LARGEST_PICTURE // 2**20} MiB.",
                path=str(path),
            )
        with path.open("rb") as file:
            head = file.read(16)
    if not head:
        raise BadInput("input-empty", f"{path} is empty; give a picture.", path=str(path))
    if PICTURE.match(head) is None:
        raise no_picture(path)


def no_picture(path: Path) -> BadInput:
    """Return the error for a file that is not a supported picture."""
    return BadInput(
        "input-not-a-picture",
        f"{path} is not a picture that can be read; use PNG, JPEG, WebP, TIFF, BMP or AVIF.",
        path=str(path),
    )


def check_video_file(path: Path) -> None:
    """Check that the file is readable and of allowed size. Raises BadInput; its content is checked by decoding."""
    with _read_errors(path, "video"):
        size = _size(path, "video")
        if size > LARGEST_VIDEO:
            raise BadInput(
                "input-too-large",
                f"{path} has {size / 2**30:.0f} GiB; give a video of at most {LARGEST_VIDEO // 2**30} GiB.",
                path=str(path),
            )
        if size == 0:
            raise BadInput("input-empty", f"{path} is empty; give a video.", path=str(path))
        path.open("rb").close()


def _size(path: Path, what: str) -> int:
    """Return the size of a regular file in bytes. Raises BadInput for anything else."""
    if path.is_dir():
        raise BadInput("input-is-folder", f"{path} is a folder; give the path of one {what}.", path=str(path))
    if not path.exists():
        raise BadInput("input-missing", f"There is no file {path}; check the path of the {what}.", path=str(path))
    if not path.is_file():
        raise BadInput(
            "input-not-ordinary", f"{path} is not a regular file; give the path of a {what}.", path=str(path)
        )
    return path.stat().st_size


@contextmanager
def _read_errors(path: Path, what: str) -> Iterator[None]:
    """Convert errors of the operating system to BadInput."""
    try:
        yield
    except PermissionError as error:
        raise BadInput(
            "input-unreadable", f"{path} may not be read; give yourself the right to read it.", path=str(path)
        ) from error
    except (OSError, ValueError) as error:
        raise BadInput(
            "input-unreadable", f"{path} cannot be read ({error}); give the path of a {what}.", path=str(path)
        ) from error
