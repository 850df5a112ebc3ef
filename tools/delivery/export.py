"""Write a product to a path chosen by a person: checked before any work is done, never leaving a partial file."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.whole_files import write_whole
from tools.errors import BadInput

FILM_SUFFIX = ".mp4"


def check_destination(path: Path, *, suffix: str = FILM_SUFFIX) -> Path:
    """Return the resolved path that a product will be written to, after creating and removing a probe file beside it.

    Raises BadInput for a wrong suffix, a folder, a missing parent folder, or a place without write permission.
    """
    if path.suffix.lower() != suffix:
        raise BadInput(
            "output-suffix",
            f"{path} does not end in {suffix}; name the file {path.with_suffix(suffix).name}.",
            path=str(path),
            suffix=suffix,
        )
    with disk_errors(path):
        if path.is_dir():
            raise BadInput(
                "output-is-folder",
                f"{path} is a folder; name a file inside it, like {path / f'film{suffix}'}.",
                path=str(path),
            )
        if path.exists() and not path.is_file():
            raise BadInput("output-not-ordinary", f"{path} is not a regular file; name another one.", path=str(path))
        # Write to the target of a symbolic link and keep the link.
        target = path.resolve()
        if not target.parent.is_dir():
            raise BadInput(
                "output-folder-missing",
                f"{path} cannot be written: there is no folder {target.parent}; create it first.",
                path=str(path),
            )
        probe = beside(target)
        probe.touch(exist_ok=False)
        probe.unlink()
    return target


def check_folder(path: Path) -> Path:
    """Check that files can be written into a folder, which need not exist yet and is not created. Raises BadInput."""
    with disk_errors(path):
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
    """Write a file atomically, readable by others, and return its resolved path. Raises BadInput."""
    target = check_destination(path, suffix=suffix)
    with disk_errors(path):
        write_whole(target, data, private=False)
    return target


def beside(target: Path) -> Path:
    """Return a name in the same folder for a draft of this process."""
    return target.with_name(f".{target.stem[:40]}.{os.getpid()}.part")


FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota is full", errno.EFBIG: "a file may not be so large"}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert OSError to BadInput."""
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
