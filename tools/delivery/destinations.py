"""Where the films of runs that are not finished are to go: a path by run, on this machine alone.

It is no part of the run: another machine has other places, and a run that came from elsewhere may not name one here.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from memory.whole_files import write_whole

log = logging.getLogger(__name__)

LONGEST = 10_000
"""Characters of a path."""


@dataclass(frozen=True)
class Destinations:
    """The folder that remembers them, a file for each run. What the disk refuses is told in the log, no more."""

    folder: Path

    def remember(self, run: str, out: Path) -> None:
        """The film of the run goes to `out`, wherever it is resumed from."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / run, str(out.expanduser().absolute()).encode("utf-8", "surrogateescape"))
        except OSError as error:
            log.warning("Where the film of run %s goes was not remembered: %s", run, error)

    def of(self, run: str) -> Path | None:
        """Where the film of a run that was stopped goes; None if nothing was said, or it is there already."""
        try:
            said = (self.folder / run).read_bytes()[:LONGEST]
        except OSError:
            return None
        return Path(said.decode("utf-8", "surrogateescape")) if said else None

    def forget(self, run: str) -> None:
        """The film is where it was to go, or the run is gone."""
        try:
            (self.folder / run).unlink(missing_ok=True)
        except OSError as error:
            log.warning("Where the film of run %s went was not forgotten: %s", run, error)
