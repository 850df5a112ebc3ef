"""A file is there whole or not at all, also after a power cut and on other systems. Light: knows nothing of ours."""

import errno
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(target: Path, data: bytes, *, private: bool = True) -> None:
    """Put the bytes in place of what was there, or leave that, also after a power cut. Raises OSError; see `whole`."""
    with whole(target, private=private) as file:
        file.write(data)


@contextmanager
def whole(target: Path, *, private: bool = True, replace: bool = True) -> Iterator[BinaryIO]:
    """Lend a file that takes the place of `target` when the block ends, flushed to the disk; after an error, nothing.

    private: only its owner may read it; else whoever the process's umask lets. replace: False leaves what is there.
    Raises OSError; FileExistsError if `target` is there and stays.
    """
    # In the same folder, because only within one file system is a rename all or nothing.
    draft = target.with_name(f".{target.name[:40]}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with open(draft, "xb", opener=_owner_only if private else None) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # After it is closed: Windows renames no open file.
        if replace:
            draft.replace(target)
        else:
            _take_free_name(draft, target)
        flush_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _take_free_name(draft: Path, target: Path) -> None:
    """Give the draft its name unless another process has it: FileExistsError."""
    if sys.platform == "win32":
        draft.rename(target)  # which refuses a name that is taken
        return
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # a file system without links, as on memory cards
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        draft.replace(target)


def flush_folder(folder: Path) -> None:
    """Make new names in the folder outlive a power cut, where the system can: Windows opens no folder for it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what some network file systems say of a folder
            raise
    finally:
        os.close(descriptor)
