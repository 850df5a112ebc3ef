"""LLM calls on record: an answered request is never asked again in the same run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue

from memory.records import LlmCall

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.leases import Lease


MOST_ANSWERED = 2**20
"""Characters of an answer that is believed to be one; a longer one is asked for again."""


@dataclass(frozen=True)
class ArchiveRecorder:
    """The planner's memory of one run. blank: nothing can be in it yet, and it is not looked at."""

    archive: "Archive"
    lease: "Lease"
    blank: bool = False

    def recall(self, digest: str) -> str | None:
        """The recorded answer to the request of this digest, if there is one."""
        if self.blank:
            return None
        call = self.archive.recalled_llm(self.lease.run, digest)
        return None if call is None or len(call.response) > MOST_ANSWERED else call.response

    def remember(self, digest: str, model: str, purpose: str, request: JsonValue, response: str) -> None:
        """Keeps an answer."""
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
