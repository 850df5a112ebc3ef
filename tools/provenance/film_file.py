"""Check and read a film file named by a person, before its manifest is parsed. Cheap to import."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import BadInput
from tools.provenance.gif_blocks import SIGNATURES

MP4, GIF = "video/mp4", "image/gif"
LARGEST_FILM = 2**31
"""Bytes."""


def check_film_file(path: Path) -> None:
    """Check that the file looks like an MP4 film or a GIF. Raises BadInput."""
    with _read_errors(path):
        if path.is_dir():
            raise BadInput("input-is-folder", f"{path} is a folder; name one film.", path=str(path))
        if not path.exists():
            raise BadInput("input-missing", f"There is no file {path}; check the path of the film.", path=str(path))
        if not path.is_file():
            raise BadInput("input-not-ordinary", f"{path} is not a regular file; name a film.", path=str(path))
        if path.stat().st_size > LARGEST_FILM:
            raise BadInput(
                "input-too-large",
                f"{path} has more than {LARGEST_FILM // 2**30} GiB; films of Mora are smaller.",
                path=str(path),
            )
        with path.open("rb") as file:
            head = file.read(8)
    if media_type_of(head) is None:
        raise BadInput("film-not-mp4", f"{path} is not an MP4 film; name a film that Mora handed out.", path=str(path))


def media_type_of(head: bytes) -> str | None:
    """Return the media type of a file that can carry a manifest, by its first eight bytes; None for any other."""
    if head[:6] in SIGNATURES:
        return GIF
    return MP4 if head[4:8] == b"ftyp" else None


def film_bytes(path: Path) -> bytes:
    """Read an MP4 or GIF file. Raises BadInput for any other file."""
    check_film_file(path)
    with _read_errors(path):
        return path.read_bytes()


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Convert errors of the operating system to BadInput."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise BadInput(
            "input-unreadable", f"{path} cannot be read ({error}); check its rights.", path=str(path)
        ) from error
