"""What runs are made with: the archive, a planner for each request, agents, and the sizes of the profile."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from graph.errors import Stopped
from graph.planners.planner import Planner
from graph.state.channels import DEFAULT_LIMITS, Limits
from memory.records import Request
from models.agent import Bookmark
from tools.context import Lender, ToolContext

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.leases import Lease
    from tools.provenance.signer import Signer


@dataclass(frozen=True)
class Services:
    """What runs of one profile are made with.

    planner: of a request. lender: of a run's stored settings, which name its numerics. size: (width, height) in pixels.
    fps: frames a second. num_frames: what A4 makes in one segment. stop: set to ask whoever works to stop.
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


def tool_context_of(
    services: Services,
    lender: Lender,
    archive: "Archive",
    lease: "Lease",
    *,
    bookmarks: Callable[[str], Bookmark] | None = None,
) -> ToolContext:
    """What tools work with in the sizes of `services`. archive: where products go, under `lease`; lender: of agents."""
    return ToolContext(lender, archive, lease, services.size, services.fps, services.num_frames, bookmarks=bookmarks)


def kept(services: Services) -> Services:
    """The same services, with agents and planners kept loaded: one lender for each numerics, one planner for each name
    and profile."""
    lenders: dict[str, Lender] = {}
    planners: dict[tuple[str, str], Planner] = {}

    def lender(stored: dict[str, JsonValue]) -> Lender:
        numerics = json.dumps([stored.get(name) for name in ("device", "threads", "dtype")])
        if numerics not in lenders:
            lenders[numerics] = services.lender(stored)
        return lenders[numerics]

    def planner(request: Request) -> Planner:
        name = request.planner, request.profile
        if name not in planners:
            planners[name] = services.planner(request)
        return planners[name]

    return replace(services, lender=lender, planner=planner)
