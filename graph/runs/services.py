"""what a run is made with"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from graph.errors import Stopped
from graph.planners.planner import Planner
from graph.state.channels import DEFAULT_LIMITS, Limits
from memory.records import Request
from tools.context import Bookmark, Lender

if TYPE_CHECKING:
    from memory.archive import Archive
    from tools.provenance.signer import Signer


Hear = Callable[[dict[str, Any]], None]
"""Hears what the graph tells while it runs: stages, steps, finished nodes."""


@dataclass(frozen=True)
class Services:
    """What a run is made with: a planner for its request, a lender for its numerics, the sizes of its profile.

    signer: asked when a film is handed out; None: it carries no manifest. bookmarks: see `ToolContext`.
    """

    archive: "Archive"
    planner: Callable[[Request], Planner]
    lender: Callable[[dict[str, JsonValue]], Lender]
    size: tuple[int, int]
    fps: float
    num_frames: int
    limits: Limits = DEFAULT_LIMITS
    stop: threading.Event = field(default_factory=threading.Event)
    signer: Callable[[], "Signer | None"] = lambda: None
    bookmarks: Callable[[str], Bookmark] | None = None

    def pause(self, seconds: float) -> None:
        """Waits; raises Stopped once `stop` is set."""
        if self.stop.wait(seconds):
            raise Stopped

    def stop_if_asked(self) -> None:
        """Raises Stopped once `stop` is set."""
        self.pause(0)


def kept(services: Services) -> Services:
    """The same rooms, in which agents and planner stay loaded from turn to turn."""
    lenders: dict[str, Any] = {}
    planners: dict[tuple[str, str], Any] = {}

    def lender(stored: dict[str, JsonValue]) -> Any:
        key = json.dumps([stored.get(name) for name in ("device", "threads", "dtype")])
        if key not in lenders:
            lenders[key] = services.lender(stored)
        return lenders[key]

    def planner(request: Request) -> Any:
        key = request.planner, request.profile
        if key not in planners:
            planners[key] = services.planner(request)
        return planners[key]

    return replace(services, lender=lender, planner=planner)
