"""The errors of the application by whose fault they are; each message is one sentence that its reader can act on."""

from memory.errors import (
    ArchiveError,
    BadAddress,
    BadParcel,
    CodedError,
    RunIsNeeded,
    UnknownArtifact,
    UnknownEvaluation,
    UnknownRun,
)
from models.errors import AgentError
from tools.errors import BadInput, CannotSign


class RequestError(CodedError):
    """The person asked for something that cannot be done; the message says why and what to ask instead."""


class PlannerError(CodedError):
    """The planner cannot be used or gave no usable answer; the message says what to do and never contains a key."""


class PlannerUnset(PlannerError):
    """A setting that the planner needs is missing or wrong; the message names its variable."""


class Stopped(Exception):
    """The person interrupted the run; finished products are kept, and the run can be resumed."""


MISTAKES = (
    RequestError, PlannerUnset, BadInput, BadAddress, BadParcel, RunIsNeeded, UnknownRun, UnknownArtifact,
    UnknownEvaluation,
)  # fmt: skip
"""Errors that are the person's fault."""
TOLD = (*MISTAKES, PlannerError, AgentError, ArchiveError, CannotSign)
"""Errors with a message for a person; any other exception is a bug."""
