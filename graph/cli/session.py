"""Opens and closes what a command needs: settings, archive, services, progress. Light to import."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graph.cli.app import fail
from graph.cli.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from graph.cli.progress import ProgressObserver
    from graph.runs.services import Services
    from graph.settings import Settings
    from memory.archive import Archive
    from tools.delivery.destinations import Destinations


def settings_with(**given: str | bool | None) -> "Settings":
    """Return the settings of the environment, overridden by every value that is not None. Raises RequestError."""
    from pydantic import ValidationError

    from graph.errors import RequestError
    from graph.settings import Settings, unusable

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise RequestError("settings-unusable", unusable(error)) from error


def settings_to_make_with(**given: str | bool | None) -> "Settings":
    """Return the settings as `settings_with`, after checking that profile and planner exist. Raises RequestError."""
    from graph.planning.choices import check_planner, check_profile

    settings = settings_with(**given)
    check_profile(settings.profile)
    if settings.planner is not None:
        check_planner(settings.planner)
    return settings


@contextlib.contextmanager
def stored_runs(run: str | None = None) -> Iterator["Archive"]:
    """Open the archive; if it does not exist, `run` cannot be in it, and nothing is created. Raises UnknownRun."""
    from memory.names import unknown_run

    settings = settings_with()
    if run is not None and settings.nothing_is_stored:
        raise unknown_run(run)
    with settings.open_archive() as archive:
        yield archive


@contextlib.contextmanager
def archive_if_it_opens(settings: "Settings") -> Iterator["Archive | None"]:
    """Open the archive; None if it does not exist yet or cannot be opened, since a film can be verified without it."""
    from memory.errors import ArchiveError

    with contextlib.ExitStack() as stack:
        archive = None
        if settings.home.expanduser().exists():
            with contextlib.suppress(ArchiveError):
                archive = stack.enter_context(settings.open_archive())
        yield archive


def planner_name(settings: "Settings") -> str:
    """Return the planner that is used if none is named."""
    from graph.configure import planner_settings
    from graph.planners.factory import default_planner

    return default_planner(planner_settings(settings))


def lender_in(settings: "Settings", stored: dict[str, Any]) -> Any:
    """Return a lender of agents. stored: the settings of a run, whose numerics take precedence."""
    from graph.configure import lender

    return lender(settings, stored)


@contextlib.contextmanager
def services_in(settings: "Settings") -> Iterator["Services"]:
    """Open the services of runs; Ctrl-C and SIGTERM ask the running step to stop."""
    from graph.cli.signals import signals
    from graph.configure import services_for
    from graph.machine.tracing import traces

    with traces(settings.planner_api_key), settings.open_archive() as archive:
        services = services_for(settings, archive)
        with signals(services.stop, settings.drain_seconds):
            yield services


@contextlib.contextmanager
def services_of_run(run: str, **given: Any) -> Iterator["Services"]:
    """Open the services with the profile and planner of a run, overridden by every value that is not None."""
    with stored_runs(run) as archive:
        asked = archive.run(run).request
    overrides = {name: value for name, value in given.items() if value is not None}
    with services_in(settings_with(**{"profile": asked.profile, "planner": asked.planner, **overrides})) as services:
        yield services


@contextlib.contextmanager
def listening(run: str | None = None, out: str | None = None) -> Iterator["ProgressObserver"]:
    """Show the progress of a run on standard error, and acknowledge a request to stop at once.

    run: its id, if known already. out: where the film of a new run is to go, remembered for when it is resumed.
    """
    from rich.console import Console

    from graph.cli.progress import ProgressObserver
    from graph.errors import Stopped

    def begun(new: str) -> None:
        if out is not None:
            destinations().remember(new, out)

    with ProgressObserver(Console(stderr=True), run=run, begun=begun) as observer:
        try:
            with _acknowledging(observer):
                yield observer
        except (KeyboardInterrupt, Stopped):
            if observer.run is None:
                raise
            fail(f"interrupted; `python main.py resume {observer.run}` resumes it", INTERRUPTED)


@contextlib.contextmanager
def _acknowledging(observer: "ProgressObserver") -> Iterator[None]:
    """Let the observer acknowledge Ctrl-C and SIGTERM before the previous handlers run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def acknowledge(number: int, frame: object) -> None:
        observer.stopping()
        before[number](number, frame)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, acknowledge)
        yield
    finally:
        for again, handler in before.items():
            signal.signal(again, handler)


def destinations() -> "Destinations":
    """Return the store of where the films of unfinished runs are to go, as given when they began."""
    from tools.delivery.destinations import Destinations

    return Destinations(settings_with().home.expanduser() / "destinations")


@contextlib.contextmanager
def progress_bars() -> Iterator[Any]:
    """Give a function (name, step, steps, seconds left, remark) that shows bars on standard error, or lines."""
    from rich.console import Console

    from graph.cli.progress import Bars, Lines

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(console).report
        return
    with Bars(console) as bars:
        yield bars.report
