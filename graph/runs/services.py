"""The services that runs depend on: the archive, planners, agents, and the video size of the profile."""

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
    """The dependencies of the runs of one profile.

    planner: from a request. lender: from a run's stored settings, which name its numerics. size: (width, height) in
    pixels. fps: frames per second. num_frames: frames in one segment of A4. stop: set to request a stop. signer: called
    when a film is delivered; if it returns None, the film carries no manifest. bookmarks: see `ToolContext`.
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
        """Sleep for `seconds`. Raises Stopped once `stop` is set."""
        if self.stop.wait(seconds):
            raise Stopped

    def stop_if_asked(self) -> None:
        """Raise Stopped if `stop` is set."""
        self.pause(0)


def tool_context_of(
    services: Services,
    lender: Lender,
    archive: "Archive",
    lease: "Lease",
    *,
    bookmarks: Callable[[str], Bookmark] | None = None,
) -> ToolContext:
    """Build the context of tools, with the sizes of `services`. archive: where products are stored, under `lease`."""
    return ToolContext(lender, archive, lease, services.size, services.fps, services.num_frames, bookmarks=bookmarks)


def kept(services: Services) -> Services:
    """Return the services with cached agents and planners: a lender per numerics, a planner per name and profile."""
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
