"""Bytes to a path that a person named. Checks before any work is spent; never half a file."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.whole_files import write_whole
from tools.errors import BadInput

FILM_SUFFIX = ".mp4"


def check_destination(path: Path, *, suffix: str = FILM_SUFFIX) -> Path:
    """The real path a product will be written to; a probe file beside it proves that it can be.

    Raises BadInput with one sentence: another suffix, a folder, no parent folder, no right to write there.
    """
    if path.suffix.lower() != suffix:
        raise BadInput(
            "output-suffix",
            f"{path} does not end in {suffix}; name the file {path.with_suffix(suffix).name}.",
            path=str(path),
            suffix=suffix,
        )
    with _told(path):
        if path.is_dir():
            raise BadInput(
                "output-is-folder",
                f"{path} is a folder; name a file inside it, like {path / f'film{suffix}'}.",
                path=str(path),
            )
        if path.exists() and not path.is_file():
            raise BadInput("output-not-ordinary", f"{path} is not a regular file; name another one.", path=str(path))
        # Through a link the file it points to is written, and the link stays.
        target = path.resolve()
        if not target.parent.is_dir():
            raise BadInput(
                "output-folder-missing",
                f"{path} cannot be written: there is no folder {target.parent}; create it first.",
                path=str(path),
            )
        probe = _beside(target)
        probe.touch(exist_ok=False)
        probe.unlink()
    return target


def check_folder(path: Path) -> Path:
    """Check that files can be written into this folder, which need not be there yet; makes nothing. Raises BadInput."""
    with _told(path):
        nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        if not nearest.is_dir():
            raise BadInput(
                "output-folder-unusable", f"{nearest} is a file, not a folder; name another place.", path=str(nearest)
            )
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise BadInput(
                "output-unwritable", f"{nearest} may not be written to; name another place.", path=str(nearest)
            )
    return path


def export(data: bytes, path: Path, *, suffix: str = FILM_SUFFIX) -> Path:
    """Write a file that others may read in place of what was there, or leave that; its real path. Raises BadInput."""
    target = check_destination(path, suffix=suffix)
    with _told(path):
        write_whole(target, data, private=False)
    return target


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.stem[:40]}.{os.getpid()}.part")


FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota is full", errno.EFBIG: "a file may not be so large"}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise BadInput(
                "output-disk-full",
                f"{path} cannot be written: {FULL[error.errno]}; free space or name another place.",
                path=str(path),
            ) from error
        raise BadInput(
            "output-unwritable",
            f"{path} cannot be written ({error.strerror or error}); name another place.",
            path=str(path),
        ) from error
