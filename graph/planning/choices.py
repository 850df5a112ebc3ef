"""The names of profiles and planners, and their validation. Imports little, for a fast command line."""

from graph.errors import RequestError
from models.presets import PROFILES, SYSTEMS

PLANNERS = ("openai", "llama", "embedded")


def check_profile(name: str) -> None:
    """Check that a profile of this name exists. Raises RequestError with the known names."""
    if name in {row.profile for row in SYSTEMS}:
        raise RequestError(
            "profile-is-system", f"{name} is not a profile but a system that Mora is compared with.", system=name
        )
    if name not in PROFILES:
        raise RequestError(
            "profile-unknown", f"There is no profile {name!r}; choose one of {', '.join(PROFILES)}.", profile=name
        )


def check_planner(name: str) -> None:
    """Check that a planner of this name exists. Raises RequestError with the known names."""
    if name not in PLANNERS:
        raise RequestError(
            "planner-unknown", f"There is no planner {name!r}; choose one of {', '.join(PLANNERS)}.", planner=name
        )
