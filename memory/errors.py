"""What can go wrong with memory, by name, and the base of all errors of `memory`, `tools`, `graph` and `evals`."""

Argument = str | int | float | bool | None
"""What an error says about one thing by name: a small JSON value."""


class CodedError(Exception):
    """An error that whoever meets it may be told of. `models.errors.AgentError` has the same attributes.

    code: the kind of fault in kebab case. arguments: what it is about, by name, for whoever words the next action.
    The text is one neutral sentence: what was wrong, and what to do as far as no command or page needs to be named.
    """

    def __init__(self, code: str, sentence: str, /, **arguments: Argument) -> None:
        super().__init__(code, sentence)  # all of it, so that a copy can be made in another process
        self.code = code
        self.arguments = arguments

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.args[1])


class ArchiveError(CodedError):
    """The archive cannot do what was asked; nothing that was stored is lost."""


class UnknownRun(ArchiveError):
    """No run, or more than one, goes by that id."""


class UnknownArtifact(ArchiveError):
    """No artifact goes by that id."""


class DamagedArtifact(ArchiveError):
    """The file of an artifact is missing, or its bytes are not those that were stored."""

    @property
    def artifact(self) -> str:
        """The id of the artifact; "" if it is not known."""
        return str(self.arguments.get("artifact", ""))


class NeverKept(DamagedArtifact):
    """A replayed run asks for a product that it did not keep when it was made."""


class OtherBytes(ArchiveError):
    """A product that was made again from its recipe came out different."""


class RunIsHeld(ArchiveError):
    """Another process is working on the run."""


class RunIsNeeded(ArchiveError):
    """A run that should be dropped is one that others, which are kept, were forked from."""


class LostLease(ArchiveError):
    """The run was taken over by another process: this one may not write to it any more."""


class BadParcel(ArchiveError):
    """A file that should hold an exported run holds something else, or a run that cannot be taken in."""


class UnknownEvaluation(ArchiveError):
    """No evaluation, or more than one, goes by that digest."""


class BadAddress(ArchiveError):
    """The address names no database that could be used, whatever its server or disk says."""


class DatabaseTrouble(ArchiveError):
    """The database cannot be opened, read or written."""


class DiskTrouble(ArchiveError):
    """The disk does not take what is to be stored."""
