"""Make the planner that the settings name."""

from dataclasses import replace

from graph.errors import RequestError
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planners.structured import calls_tools
from graph.planning.choices import check_planner
from graph.planning.profiles import Profile


def default_planner(settings: PlannerSettings) -> str:
    """Return the configured name; if there is none, `openai` with an API key or a base URL set, else `embedded`."""
    if settings.name is not None:
        return settings.name
    return "openai" if settings.api_key is not None or settings.base_url is not None else "embedded"


def make_planner(settings: PlannerSettings, profile: Profile) -> Planner:
    """Return the planner of the settings, without contacting a server. Raises PlannerUnset if a setting is missing."""
    name = default_planner(settings)
    check_planner(name)
    if name == "openai":
        from graph.planners.openai import ServerPatience, chat_model

        patience = ServerPatience(settings.model, settings.base_url, settings.retry_budget, settings.api_key)
        return _with_tools(Planner(f"openai:{settings.model}", chat_model(settings), profile, patience), settings)
    if name == "llama":
        from graph.planners.llama import LlamaChat

        chat = LlamaChat.of(settings.gguf)
        return _with_tools(Planner(f"llama:{chat.path.name}", chat, profile), settings)
    return _embedded(profile)


def _with_tools(planner: Planner, settings: PlannerSettings) -> Planner:
    return replace(planner, tools=settings.tools == "auto" and calls_tools(planner.model))


def _embedded(profile: Profile) -> Planner:
    from graph.planners.embedded import EmbeddedPlanner

    if profile.name != "embedded":
        raise RequestError(
            "planner-of-other-profile",
            f"The embedded planner speaks for the embedded profile only; for {profile.name} choose the planner "
            "openai (OPENAI_API_KEY or OPENAI_BASE_URL) or llama (MORA_GGUF).",
            profile=profile.name,
        )
    return Planner("embedded", EmbeddedPlanner(), profile, instant=True)
