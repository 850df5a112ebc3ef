"""The names a person may choose from, profiles and planners, and what is said of any other. Light to import."""

from graph.errors import RequestError
from models.presets import PROFILES, SYSTEMS

PLANNERS = ("openai", "llama", "embedded")


def check_profile(name: str) -> None:
    """Check that a profile of this name has models. Raises RequestError with the names of those that have."""
    if name in {row.profile for row in SYSTEMS}:
        raise RequestError(
            "profile-is-system", f"{name} is not a profile but a system that Mora is compared with.", system=name
        )
    if name not in PROFILES:
        raise RequestError(
            "profile-unknown", f"There is no profile {name!r}; choose one of {', '.join(PROFILES)}.", profile=name
        )


def check_planner(name: str) -> None:
    """Check that there is a planner of this name. Raises RequestError with the names there are."""
    if name not in PLANNERS:
        raise RequestError(
            "planner-unknown", f"There is no planner {name!r}; choose one of {', '.join(PLANNERS)}.", planner=name
        )
