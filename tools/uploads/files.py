"""A person's file, looked at before it is opened: is it there, may it be read, can it be what it is given as?

Light to import: what reads pictures and videos is not needed to find a file missing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import BadInput

LARGEST_PICTURE = 512 * 2**20
"""Bytes; no picture of the largest area that is read needs more."""
LARGEST_VIDEO = 64 * 2**30
"""Bytes; two hours of a telephone's 4K."""

PICTURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8|BM|(?:II|MM)[*+\x00][*+\x00]|P[0-6fy]|RIFF....WEBP|....ftyp", re.DOTALL
)
"""How the pictures that are read begin, no narrower than Pillow has it: PNG, JPEG, GIF, BMP, TIFF, PPM, WebP, AVIF."""


def check_picture_file(path: Path) -> None:
    """Check that the file may be a picture. Raises BadInput with one sentence; damage is found when it is decoded."""
    with _told(path, "picture"):
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
    """Return the error that says that the file holds none of the pictures that are read."""
    return BadInput(
        "input-not-a-picture",
        f"{path} is not a picture that can be read; use PNG, JPEG, WebP, TIFF, BMP or AVIF.",
        path=str(path),
    )


def check_video_file(path: Path) -> None:
    """Check that the file may be a video. Raises BadInput with one sentence; what it holds is found by decoding."""
    with _told(path, "video"):
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
    """Bytes of an ordinary file. Raises BadInput for anything else."""
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
def _told(path: Path, what: str) -> Iterator[None]:
    """What the system says of a path, as one sentence."""
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
