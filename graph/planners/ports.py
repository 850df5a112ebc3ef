"""Recorder, Patience, PlannerSettings: what a planner needs of others"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from langchain_core.messages import AIMessage
from pydantic import JsonValue, SecretStr

from graph.errors import PlannerError

Call = Callable[[], AIMessage]


Patience = Callable[[Call], AIMessage]
"""Makes a call, again if it may pass the second time; raises PlannerError with a sentence if it does not."""


class ToolsRefused(PlannerError):
    """A server does not take tools: it may still be asked by a schema."""


class Recorder(Protocol):
    """Remembers answers by the digest of what was asked, so that a run can be told again without its model."""

    def recall(self, digest: str) -> str | None:
        """The answer once given to the question of this digest, or None."""

    def remember(self, digest: str, model: str, purpose: str, request: JsonValue, response: str) -> None:
        """Keep an answer; called once for every answer that came from the model."""


@dataclass(frozen=True)
class PlannerSettings:
    """Dials of the planner. `name` None chooses (see `default_planner`); `timeout` of one call and `retry_budget` of
    all its repeats are in seconds; `gguf` is the weights file of the `llama` planner; `tools` says whether a model that
    can call tools plans by calling them."""

    name: str | None = None
    model: str = "gpt-4o"
    base_url: str | None = None
    api_key: SecretStr | None = None
    gguf: Path | None = None
    timeout: float = 60.0
    retry_budget: float = 120.0
    tools: Literal["auto", "never"] = "auto"


def once(call: Call) -> AIMessage:
    """The patience of a model that runs in this process: what failed fails again."""
    return call()
