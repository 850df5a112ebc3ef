"""A film as a file that a person names, looked at before anybody reads its manifest. Light to import."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import BadInput

LARGEST_FILM = 2**31
"""Bytes."""


def check_film_file(path: Path) -> None:
    """Check that the file may be an MP4 film. Raises BadInput with one sentence."""
    with _told(path):
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name one film.")
        if not path.exists():
            raise BadInput(f"There is no file {path}; check the path of the film.")
        if not path.is_file():
            raise BadInput(f"{path} is no ordinary file; name a film.")
        if path.stat().st_size > LARGEST_FILM:
            raise BadInput(f"{path} has more than {LARGEST_FILM // 2**30} GiB; films of Mora are smaller.")
        with path.open("rb") as file:
            head = file.read(8)
    if head[4:] != b"ftyp":
        raise BadInput(f"{path} is no MP4 film; name a film that Mora handed out.")


def film_bytes(path: Path) -> bytes:
    """Read an MP4 file. Raises BadInput with one sentence for what is none."""
    check_film_file(path)
    with _told(path):
        return path.read_bytes()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system says of the path, as one sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error}); check its rights.") from error
