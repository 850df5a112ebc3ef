"""Errors by whose fault they are; the text of each is one sentence its listener can act on."""

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
    """The person asked for what cannot be done; the text says why and what to ask instead."""


class PlannerError(CodedError):
    """The planner cannot be used or gave no usable answer; the text says what to do. Never holds a key."""


class PlannerUnset(PlannerError):
    """A setting that the planner needs is missing or wrong; the text names its variable."""


class Stopped(Exception):
    """The person interrupted the run; what is finished is kept, and the run can be resumed."""


MISTAKES = (
    RequestError, PlannerUnset, BadInput, BadAddress, BadParcel, RunIsNeeded, UnknownRun, UnknownArtifact,
    UnknownEvaluation,
)  # fmt: skip
"""Errors whose fault is the person's."""
TOLD = (*MISTAKES, PlannerError, AgentError, ArchiveError, CannotSign)
"""Errors with a sentence for a person; anything else is a bug of ours."""
