"""The errors that tools raise, by who can fix them."""

from memory.errors import CodedError


class BadInput(CodedError):
    """Input from a person or a planner cannot be used. The message is one sentence: what is wrong and what to do."""


class UnreadableMedia(BadInput):
    """Bytes cannot be read as the picture, clip or film that they should be."""


class CannotSign(CodedError):
    """A film cannot be signed on this machine. The message is one sentence; the unsigned film remains in the store."""
