"""What all commands share: who hears an error, the rooms of a run, what is handed out. Light to import: `--help` is."""

import contextlib
import errno
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

if TYPE_CHECKING:
    from graph.house import Rooms
    from graph.settings import Settings
    from graph.telling import Listener
    from memory.archive import Archive
    from memory.records import Run
    from tools.delivery.destinations import Destinations

BUG, MISTAKE, WAITING, INTERRUPTED = 1, 2, 3, 130
NOTHING: dict[str, Any] = {}

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")]


class Door(TyperGroup):
    """All commands. Words that are no command, or an answer that nobody takes, are one sentence too."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As Typer's own; in standalone mode it ends the process."""
        command = partial(super().main, args, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return command()
        try:
            code = command()
            sys.stdout.flush()
        except TyperException as error:
            sys.exit(_misread(error))
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            # What is still unwritten would be refused once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            print(f"mora: nothing more can be written to standard output ({error.strerror})", file=sys.stderr)
            sys.exit(BUG)
        sys.exit(code if isinstance(code, int) else 0)


def _misread(error: TyperException) -> int:
    """Says what is wrong with the words of a command, and where it is told how they are meant; the exit code."""
    said = error.format_message()
    if not said:  # no words at all: the help was printed
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = "main.py" if context is None else context.command_path
    wrong = said.replace("Value error, ", "").replace("Input should be", "it should be").rstrip(".")
    print(f"mora: {wrong[0].lower()}{wrong[1:]}; `python {path} --help` says what it takes", file=sys.stderr)
    return error.exit_code


@contextlib.contextmanager
def at_the_door() -> Iterator[None]:
    """Errors meant for a person become one sentence and an exit code; ours keep their traceback."""
    from pydantic import ValidationError

    from graph.errors import MISTAKES, TOLD, Stopped

    try:
        yield
    except (KeyboardInterrupt, Stopped):
        fail("interrupted; `python main.py runs` lists what can be resumed", INTERRUPTED)
    except MISTAKES as error:
        fail(str(error), MISTAKE)
    except TOLD as error:
        fail(str(error), BUG)
    except ValidationError as error:
        if error.title != "Settings":
            raise
        from graph.settings import unusable

        fail(unusable(error), MISTAKE)


def fail(sentence: str, code: int) -> NoReturn:
    """Ends the command with one sentence and an exit code."""
    print(f"mora: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def settings_with(**given: str | bool | None) -> "Settings":
    """The settings of the environment, but for what is given and not None."""
    from graph.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


@contextlib.contextmanager
def archive_if_it_opens(settings: "Settings") -> Iterator["Archive | None"]:
    """The archive; None if there is none yet, or it cannot be opened: a film can be looked at without it."""
    from memory.errors import ArchiveError

    with contextlib.ExitStack() as stack:
        archive = None
        if settings.home.expanduser().exists():
            with contextlib.suppress(ArchiveError):
                archive = stack.enter_context(settings.open_archive())
        yield archive


def planner_name(settings: "Settings") -> str:
    """The planner that is asked when nobody names one."""
    from graph.planners import default_planner
    from graph.wiring import planner_settings

    return default_planner(planner_settings(settings))


def lender_in(settings: "Settings", stored: dict[str, Any]) -> Any:
    """Who lends the agents, with the numerics of a run where it has begun."""
    from graph.wiring import lender

    return lender(settings, stored)


@contextlib.contextmanager
def rooms_in(settings: "Settings") -> Iterator["Rooms"]:
    """The rooms of a run; Ctrl-C and SIGTERM ask the running step to stop."""
    from graph.drain import signals
    from graph.tracing import traces
    from graph.wiring import rooms_of

    with traces(settings.planner_api_key), settings.open_archive() as archive:
        rooms = rooms_of(settings, archive)
        with signals(rooms.stop, settings.drain_seconds):
            yield rooms


@contextlib.contextmanager
def rooms_of_run(run: str, **given: Any) -> Iterator["Rooms"]:
    """The rooms in which a run was made, but for the settings that are given."""
    with settings_with().open_archive() as archive:
        asked = archive.run(run).request
    said = {name: value for name, value in given.items() if value is not None}
    with rooms_in(settings_with(**{"profile": asked.profile, "planner": asked.planner, **said})) as rooms:
        yield rooms


@contextlib.contextmanager
def listening(run: str | None = None, out: Path | None = None) -> Iterator["Listener"]:
    """Hears a run, and shows its progress on standard error; whoever asks it to stop is answered at once.

    run: its id, if it is known already. out: where the film of a new run is to go, also when it is resumed.
    """
    from rich.console import Console

    from graph.errors import Stopped
    from graph.telling import Listener

    def begun(new: str) -> None:
        if out is not None:
            destinations().remember(new, out)

    with Listener(Console(stderr=True), run=run, begun=begun) as listener:
        try:
            with _answered(listener):
                yield listener
        except (KeyboardInterrupt, Stopped):
            if listener.run is None:
                raise
            fail(f"interrupted; `python main.py resume {listener.run}` goes on with it", INTERRUPTED)


@contextlib.contextmanager
def _answered(listener: "Listener") -> Iterator[None]:
    """Ctrl-C and SIGTERM do what they did, and the listener says so first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def tell(number: int, frame: object) -> None:
        listener.stopping()
        before[number](number, frame)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, tell)
        yield
    finally:
        for again, handler in before.items():
            signal.signal(again, handler)


def destinations() -> "Destinations":
    """Where the films of runs that are not finished are to go, as it was said when they began."""
    from tools.delivery.destinations import Destinations

    return Destinations(settings_with().home.expanduser() / "destinations")


def place_of(run: "Run", out: Path | None) -> Path | None:
    """Where the film of a run that goes on is to go: as is said now, or as was said when it began, if it still can."""
    from tools.delivery.export import check_destination
    from tools.errors import BadInput

    if out is not None:
        destinations().remember(run.id, out)
    elif (out := destinations().of(run.id)) is not None:
        try:
            check_destination(out)
        except BadInput as error:
            print(f"mora: {error} The film stays in the store; `--out` says where else it goes.", file=sys.stderr)
            return None
    return out


def at_the_terminal(settings: "Settings") -> tuple[Any, Any]:
    """The console, and whoever is at it."""
    from rich.console import Console

    from graph.chat_input import person_at

    console = Console(highlight=False)
    return console, person_at(console, settings.home.expanduser())


def run_to_talk_about(settings: "Settings", run: str | None, console: Any, person: Any) -> "Run | None":
    """The run that a conversation begins with: that of the id, or the last conversation if the person wants it.

    person: None if there is nobody to ask.
    """
    from graph.chats import last_chat

    with settings.open_archive() as archive:
        if run is not None:
            return archive.run(run)
        last = last_chat(archive)
    if last is None or person is None or not console.is_terminal or not sys.stdin.isatty():
        return None
    when = last.updated_at.astimezone().strftime("%m-%d %H:%M")
    console.print(f"Your last conversation is {last.id}, {when}.")
    with contextlib.suppress(KeyboardInterrupt):
        word = person.says("Go on with it? [y/N] ")
        return last if (word or "").lower() in ("y", "yes") else None
    return None


def talk_with(rooms: "Rooms", run: "Run", console: Any, person: Any, pictures: bool | None = None) -> "Run":
    """Asks the person about every product, until the run is done or they leave."""
    from graph.chat import converse
    from graph.chat_screen import Screen, draws_pictures

    drawn = draws_pictures(console) if pictures is None else pictures
    return converse(rooms, run, person, Screen(console, rooms.archive, drawn), listening)


def talk_with_program(rooms: "Rooms", run: "Run") -> None:
    """The same with a program at standard input and output; ends with the code of its last turn, if that is not 0."""
    from graph.chat import converse
    from graph.chat_json import Program

    program, begun = Program(rooms.archive, sys.stdin, sys.stdout), time.monotonic()
    program.end(converse(rooms, run, program, program, listening), time.monotonic() - begun)
    if program.code:
        raise typer.Exit(program.code)


def talked_about(rooms: "Rooms", run: "Run", settings: "Settings", *, as_json: bool) -> "Run":
    """A run that waits for a word is talked about at once if there is a person at the terminal to ask."""
    from graph.chats import kept

    if run.status != "waiting" or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return run
    console, person = at_the_terminal(settings)
    return talk_with(kept(rooms), run, console, person)


@contextlib.contextmanager
def progress_bars() -> Iterator[Any]:
    """Bars on standard error, lines where that is no terminal: (name, step, steps, seconds left, remark)."""
    from rich.console import Console

    from graph.telling import Bars, Lines

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(console).report
        return
    with Bars(console) as bars:
        yield bars.report


def check_out(settings: "Settings", out: Path | None) -> None:
    """What is wrong with the place of the film, or with who signs it, is told before any work is spent."""
    from graph.origin import check_signer
    from tools.delivery.export import check_destination

    if out is not None:
        check_destination(out)
        check_signer(settings)


def sheet_of_run(archive: "Archive", run: "Run", path: Path) -> None:
    """The frames as one picture; what is damaged is made again first, and told."""
    from graph.house import mended
    from graph.telling import write_sheet
    from memory.errors import DamagedArtifact

    try:
        write_sheet(archive, run, path)
    except DamagedArtifact as damage:
        with rooms_of_run(run.id) as rooms, listening() as listener:
            mended(rooms, run, damage.artifact, listener)
        for note in listener.notes:
            print(note, file=sys.stderr)
        write_sheet(archive, run, path)


def deliver(
    rooms: "Rooms", run: "Run", listener: "Listener", out: Path | None, as_json: bool, more: dict[str, Any] = NOTHING
) -> None:
    """Copies the film to where the person wants it and says so; the store has it already. more: for the object."""
    if run.status == "waiting":
        wait_for_a_word(rooms, run, as_json)
    from graph.origin import handed_out
    from graph.telling import result_of
    from tools.delivery.export import export

    result = result_of(rooms.archive, run, listener) | more
    if out is not None:
        export(handed_out(rooms.archive, run, rooms.signer), out)
        destinations().forget(run.id)
        result["film"] = str(out.absolute())
    if as_json:
        print(json.dumps(result))
        return
    for note in listener.notes:
        say(note)
    say(f"The film is in {result['film']}")
    say(f"run {run.id}; `python main.py show {run.id}` tells how it was made")


def wait_for_a_word(rooms: "Rooms", run: "Run", as_json: bool) -> NoReturn:
    """Says what a run waits for."""
    from graph.house import question_of_run

    question = question_of_run(rooms, run)
    asked = {} if question is None else question.asked
    if as_json:
        print(json.dumps({"run": run.id, "status": run.status, **asked}))
    else:
        for call in asked.get("waiting", []):
            say(f"The {call['made']} of shot {call['shot']} waits for your word:")
            for take in call["takes"]:
                say(f"  {take['take']}  {rooms.archive.path(rooms.archive.artifact(take['artifact']))}")
        say(f"Run {run.id} waits; `python main.py chat {run.id}` goes on")
    raise typer.Exit(WAITING)


def say(what: Any) -> None:
    """Prints words, or what rich can draw, on standard output."""
    from rich.console import Console

    words = isinstance(what, str)
    # A person's words, and paths, may hold what looks like markup.
    Console(soft_wrap=words, highlight=False).print(what, crop=False, markup=not words)
