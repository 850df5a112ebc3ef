"""The collaborators of a run's nodes, supplied with every invocation of the graph and never checkpointed."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graph.errors import Stopped
from graph.state.channels import DEFAULT_LIMITS, MOVE_RULES, Limits

if TYPE_CHECKING:
    from graph.planners.planner import Planner
    from memory.archive import Archive
    from memory.leases import Lease
    from tools.context import ToolContext


@dataclass(frozen=True)
class Context:
    """The collaborators of a run; never checkpointed, never shown to a model.

    rules: how moves change the board, as `graph.state.channels.MOVE_RULES`. begun: this invocation starts the run;
    otherwise another process, perhaps with other models, may have worked on it.
    """

    planner: "Planner"
    archive: "Archive"
    lease: "Lease"
    tool_context: "ToolContext"
    limits: Limits = DEFAULT_LIMITS
    stop: threading.Event = field(default_factory=threading.Event)
    rules: int = MOVE_RULES
    begun: bool = False

    def stop_if_asked(self) -> None:
        """Raise Stopped once `stop` is set. Called between the steps of an agent, from any thread."""
        if self.stop.is_set():
            raise Stopped
