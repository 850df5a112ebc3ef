"""Record planner answers in the archive, so that no question is asked twice within a run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue

from memory.records import LlmCall

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.leases import Lease


MOST_ANSWERED = 2**20
"""The maximum length of a usable answer in characters; a longer recorded one is ignored."""


@dataclass(frozen=True)
class ArchiveRecorder:
    """The recorded answers of one run. blank: the run is new, so there is nothing to look up."""

    archive: "Archive"
    lease: "Lease"
    blank: bool = False

    def recall(self, digest: str) -> str | None:
        """Return the recorded answer to the request with this digest, or None."""
        if self.blank:
            return None
        call = self.archive.recalled_llm(self.lease.run, digest)
        return None if call is None or len(call.response) > MOST_ANSWERED else call.response

    def remember(self, digest: str, model: str, purpose: str, request: JsonValue, response: str) -> None:
        """Store an answer."""
        now = datetime.now(UTC)
        self.archive.remember_llm(
            self.lease,
            LlmCall(
                run=self.lease.run,
                digest=digest,
                model=model,
                purpose=purpose,
                request=request,
                response=response,
                created_at=now,
            ),
        )
