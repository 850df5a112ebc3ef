"""What can go wrong with memory, by name: each is one sentence that says what was wrong and what to do."""


class ArchiveError(Exception):
    """The archive cannot do what was asked; nothing that was stored is lost."""


class UnknownRun(ArchiveError):
    """No run, or more than one, goes by that id."""


class UnknownArtifact(ArchiveError):
    """No artifact goes by that id."""


class DamagedArtifact(ArchiveError):
    """The file of an artifact (its id, if it is known) is missing, or its bytes are not those that were stored."""

    def __init__(self, sentence: str, artifact: str = "") -> None:
        super().__init__(sentence)
        self.artifact = artifact


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
