"""How far unfinished agent calls have come: bytes by recipe on disk, whole or not at all. Knows no tensor, no database.

A bookmark needs no lease: whoever works on a recipe comes through the same states, so any of them is right.
"""

import hashlib
import logging
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from memory.whole_files import write_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bookmarks:
    """The folder of all bookmarks. seconds: how long a call works before it keeps its state again; 0: at every step."""

    folder: Path
    seconds: float

    def of(self, key: str) -> "BookmarkFolder":
        """Return the bookmark of the work on a recipe, by its key (64 hex digits)."""
        assert re.fullmatch(r"[0-9a-f]{64}", key), f"{key!r} is no recipe key"
        return BookmarkFolder(self.folder / key, self.seconds)


@dataclass
class BookmarkFolder:
    """How far the work on one recipe has come, in named states; losing it costs time and nothing else."""

    folder: Path
    seconds: float
    _kept: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Return whether the last save, or the beginning, is `seconds` ago."""
        return time.monotonic() - self._kept >= self.seconds

    def load(self, name: str = "steps") -> bytes | None:
        """Return the newest undamaged state of that name, if there is one; a damaged one is logged."""
        with self._optional("read"):
            for path in self._files(name):
                data = path.read_bytes()
                if path.stem == _stem(name, data):
                    return data
                logger.warning("The bookmark %s is damaged and not used", path)
        return None

    def save(self, state: bytes, name: str = "steps") -> None:
        """Replace what was kept under that name by the bytes of a safetensors file; they outlive a power cut."""
        with self._optional("written"):
            self.folder.mkdir(parents=True, exist_ok=True)
            target = self.folder / f"{_stem(name, state)}.safetensors"
            write_whole(target, state)
            for path in self._files(name):
                if path != target:
                    path.unlink(missing_ok=True)
        self._kept = time.monotonic()

    def forget(self) -> None:
        """Remove all states of the work, which is done."""
        with self._optional("removed"):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _files(self, name: str) -> list[Path]:
        """Newest first. There are two after a crash between the writing of one and the removal of the other."""
        found = self.folder.glob(f"{name}-{'[0-9a-f]' * 64}.safetensors")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    @contextmanager
    def _optional(self, what: str) -> Iterator[None]:
        """Log an error of the disk instead of raising it: the work goes on without its bookmark."""
        try:
            yield
        except OSError as error:
            logger.warning("The bookmark in %s cannot be %s: %s", self.folder, what, error.strerror)


def _stem(name: str, data: bytes) -> str:
    return f"{name}-{hashlib.sha256(data).hexdigest()}"
