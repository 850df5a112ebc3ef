"""The ways an agent may fail, each with one sentence. Light: knows no array and no library."""


class AgentError(Exception):
    """The agent could not do it; the sentence says why, with numbers that a planner can act on."""


class OutOfMemory(AgentError):
    """The device has not enough memory for what was asked. freed: there is more now, so that the same may pass."""

    def __init__(self, sentence: str, *, freed: bool = False) -> None:
        super().__init__(sentence)
        self.freed = freed


class WeightsMissing(AgentError):
    """The weights are not where the preset says."""


class Degenerate(AgentError):
    """The product is no picture or film: all one colour, not a number, or frozen where motion was asked."""
