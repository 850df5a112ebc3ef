"""Opens a conversation: chooses its run, and connects a person at a terminal or a program to it."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from graph.cli.session import listening, stored_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.runs.requests.given import Given
    from graph.runs.services import Services
    from graph.settings import Settings
    from memory.records import Run


def at_the_terminal(settings: "Settings") -> tuple[Any, Any]:
    """Return the console, and the source of the person's lines."""
    from rich.console import Console

    from graph.cli.chat.keyboard import person_at

    console = Console(highlight=False)
    return console, person_at(console, settings.home.expanduser())


def run_to_talk_about(settings: "Settings", run: str | None, console: Any, person: Any) -> "Run | None":
    """Return the run with this id, or the last conversation if the person wants to continue it, or None.

    person: None if there is nobody to ask.
    """
    from graph.runs.chat.opening import last_chat

    if run is not None:
        with stored_runs(run) as archive:
            return archive.run(run)
    with settings.open_archive() as archive:
        last = last_chat(archive)
    if last is None or person is None or not console.is_terminal or not sys.stdin.isatty():
        return None
    when = last.updated_at.astimezone().strftime("%m-%d %H:%M")
    console.print(f"Your last conversation is {last.id}, {when}.")
    with contextlib.suppress(KeyboardInterrupt):
        word = person.says("Go on with it? [y/N] ")
        return last if (word or "").lower() in ("y", "yes") else None
    return None


def talk_with(
    services: "Services",
    run: "Run",
    console: Any,
    person: Any,
    pictures: bool | None = None,
    files: "Sequence[Given]" = (),
) -> "Run":
    """Hold a conversation with a person until the run is done or they leave. pictures: None decides by the console.

    files: of the person, which are added first.
    """
    from graph.cli.chat.loop import converse
    from graph.cli.chat.screen import Screen, draws_pictures

    drawn = draws_pictures(console) if pictures is None else pictures
    return converse(services, run, person, Screen(console, services.archive, drawn), listening, files)


def talk_with_program(services: "Services", run: "Run", files: "Sequence[Given]" = ()) -> None:
    """Hold a conversation with a program over standard input and output; exit with the code of its last turn."""
    from graph.cli.chat.json_lines import Program
    from graph.cli.chat.loop import converse

    program, begun = Program(services.archive, sys.stdin, sys.stdout), time.monotonic()
    program.end(converse(services, run, program, program, listening, files), time.monotonic() - begun)
    if program.code:
        raise typer.Exit(program.code)


def talked_about(services: "Services", run: "Run", settings: "Settings", *, as_json: bool) -> "Run":
    """Continue a waiting run as a conversation if there is a person at the terminal; return the run."""
    from graph.runs.services import kept

    if run.status != "waiting" or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return run
    console, person = at_the_terminal(settings)
    return talk_with(kept(services), run, console, person)
