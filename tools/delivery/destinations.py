"""Remember the output paths of unfinished runs, on this machine only.

A path is not part of its run: other machines have other paths, and an imported run must not name one here.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from memory.whole_files import write_whole
from tools.delivery.places import place_of

log = logging.getLogger(__name__)

LONGEST = 10_000
"""Maximum length of a path in characters."""


@dataclass(frozen=True)
class Destinations:
    """Output paths in a folder, one file per run. Disk errors are only logged."""

    folder: Path

    def remember(self, run: str, out: str) -> None:
        """Store `out`, a name as in `place_of`, as an absolute path: runs are resumed from any working directory."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / run, str(place_of(out).absolute()).encode("utf-8", "surrogateescape"))
        except OSError as error:
            log.warning("The output path of run %s could not be stored: %s", run, error)

    def of(self, run: str) -> str | None:
        """Return the output path of an unfinished run; None if there was none or the film is already there."""
        try:
            stored = (self.folder / run).read_bytes()[:LONGEST]
        except OSError:
            return None
        return stored.decode("utf-8", "surrogateescape") if stored else None

    def forget(self, run: str) -> None:
        """Remove the path of a run whose film was delivered or that was deleted."""
        try:
            (self.folder / run).unlink(missing_ok=True)
        except OSError as error:
            log.warning("The output path of run %s could not be removed: %s", run, error)
