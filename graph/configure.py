"""Builds the services of runs from the settings. Called by the command line and the server only."""

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from graph.planners.factory import make_planner
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planning.choices import check_profile
from graph.planning.profiles import PROFILES, Profile
from graph.runs.services import Services
from graph.settings import Settings
from memory.products.bookmarks import Bookmarks
from memory.records import Request
from models.lenders.local import LocalLender
from models.presets import preset

if TYPE_CHECKING:
    from memory.archive import Archive
    from tools.provenance.signer import Signer


def planner_settings(settings: Settings) -> PlannerSettings:
    """Return the planner's part of the settings."""
    return PlannerSettings(
        name=settings.planner,
        model=settings.planner_model,
        base_url=settings.planner_base_url,
        api_key=settings.planner_api_key,
        gguf=settings.gguf,
        timeout=settings.planner_timeout,
        retry_budget=settings.planner_retry_budget,
        tools=settings.planner_tools,
    )


def profile_of(name: str) -> Profile:
    """Return the description of a profile for planners. Raises RequestError naming the known profiles."""
    check_profile(name)
    return PROFILES[name]


def size_of(profile: str) -> tuple[int, int]:
    """Return the width and height, in pixels, of the films that the models of a profile make."""
    row = preset(profile, "image_to_video")
    return row.width, row.height


def numerics_of(settings: Settings) -> dict[str, JsonValue]:
    """Return the settings that determine a run's bytes, and are therefore stored with it."""
    return {"device": settings.device, "threads": settings.threads, "dtype": settings.dtype}


def lender(settings: Settings, stored: dict[str, JsonValue]) -> LocalLender:
    """Return a lender of agents. stored: the settings of a run, whose numerics take precedence."""
    ours = numerics_of(settings)
    numerics: dict[str, Any] = {name: stored.get(name, value) for name, value in ours.items()}
    return LocalLender(settings.profile, gib=settings.memory_gib, **numerics)


def services_for(settings: Settings, archive: "Archive") -> Services:
    """Return the services of runs in the profile of `settings`; runs with the same numerics share agents.

    Raises RequestError for an unknown profile.
    """
    check_profile(settings.profile)
    row = preset(settings.profile, "image_to_video")

    def planner(request: Request) -> Planner:
        chosen = replace(planner_settings(settings), name=request.planner)
        return make_planner(chosen, profile_of(request.profile))

    @cache
    def lender_with(**numerics: Any) -> Any:
        return lender(settings, numerics)

    def lender_for(stored: dict[str, JsonValue]) -> Any:
        numerics: dict[str, Any] = {name: stored.get(name, ours) for name, ours in numerics_of(settings).items()}
        return lender_with(**numerics)

    return Services(
        archive=archive,
        planner=planner,
        lender=lender_for,
        size=size_of(settings.profile),
        fps=row.fps,
        num_frames=row.num_frames,
        signer=partial(_signer, settings),
        bookmarks=Bookmarks(settings.home.expanduser() / "unfinished", settings.step_checkpoint_seconds).of,
    )


def _signer(settings: Settings) -> "Signer | None":
    from graph.provenance.signing import signer_of  # imported only when something is signed

    return signer_of(settings)
