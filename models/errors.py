"""The ways an agent may fail, each with one sentence. Light: knows no array and no library."""


class AgentError(Exception):
    """The agent could not do it; the sentence says why, with numbers that a planner can act on.

    code: the kind of fault in kebab case. arguments: what it is about, by name, as small JSON values. It is a twin of
    `memory.errors.CodedError`, since `models` knows nothing of `memory`.
    """

    def __init__(self, code: str, sentence: str, /, **arguments: str | int | float | bool | None) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.arguments = arguments

    def __str__(self) -> str:
        """Return the sentence alone."""
        return str(self.args[1])


class OutOfMemory(AgentError):
    """The device has not enough memory for what was asked. freed: there is more now, so that the same may pass."""

    @property
    def freed(self) -> bool:
        """Whether there is more memory now than when it was refused."""
        return self.arguments.get("freed") is True


class WeightsMissing(AgentError):
    """The weights are not where the preset says."""


class Degenerate(AgentError):
    """The product is no picture or film: all one colour, not a number, or frozen where motion was asked."""
