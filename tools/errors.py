"""How a tool refuses. Knows whose fault it is, nothing else."""

from memory.errors import CodedError


class BadInput(CodedError):
    """What a person or a planner handed over cannot be used; one sentence: what was wrong, and what to do."""


class UnreadableMedia(BadInput):
    """Bytes that should be a picture, a clip or a film are none."""


class CannotSign(CodedError):
    """A film cannot be signed on this machine; one sentence. What was made is in the store."""
