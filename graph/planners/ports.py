"""The interfaces that a planner depends on: Recorder, Patience and PlannerSettings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from langchain_core.messages import AIMessage
from pydantic import JsonValue, SecretStr

from graph.errors import PlannerError

Call = Callable[[], AIMessage]


Patience = Callable[[Call], AIMessage]
"""Makes a call and retries transient failures; raises PlannerError for the others."""


class ToolsRefused(PlannerError):
    """A server does not support tools; it can still be asked by a schema."""


class Recorder(Protocol):
    """Stores answers by the digest of the question, so that a run can be replayed without its model."""

    def recall(self, digest: str) -> str | None:
        """Return the recorded answer to the question with this digest, or None."""

    def remember(self, digest: str, model: str, purpose: str, request: JsonValue, response: str) -> None:
        """Store an answer; called once for every answer that came from the model."""


@dataclass(frozen=True)
class PlannerSettings:
    """Settings of the planner.

    name: None selects the default (see `default_planner`). timeout, retry_budget: seconds for one call, and for all its
    retries. gguf: the weights file of the `llama` planner. tools: whether a model that can call tools plans by calling
    them.
    """

    name: str | None = None
    model: str = "gpt-4o"
    base_url: str | None = None
    api_key: SecretStr | None = None
    gguf: Path | None = None
    timeout: float = 60.0
    retry_budget: float = 120.0
    tools: Literal["auto", "never"] = "auto"


def once(call: Call) -> AIMessage:
    """Make a call without retries: failures of a model in this process are not transient."""
    return call()
